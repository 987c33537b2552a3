import {
  type CloudTargetGroup,
  OperationError,
  type Raw,
  rawListOf,
  rawOf,
  type RegisteredTarget,
  type TargetGroups,
  type TargetHealthSeen,
  textOf,
} from '@understudy/shared';
import { sendOnce, type ServiceOptions } from '../transport/send-once.ts';
import { ELBV2_ACTIONS } from './actions.ts';

const PAGES_MAX = 100;
/** DescribeTargetGroups takes this many ARNs at most; DescribeLoadBalancers as many. */
const ARNS_MAX = 20;

const notTheirs = (action: string, what: string): OperationError =>
  new OperationError('CLOUD_UNAVAILABLE', `${action}: ${what}: it is not Elastic Load Balancing's answer`);

/** @throws CLOUD_UNAVAILABLE (S18) */
function listOf(action: string, answer: Raw, member: string): readonly Raw[] {
  const list = answer[member];
  if (Array.isArray(list)) return rawListOf(list);
  throw notTheirs(action, `no ${member}`);
}

/** @throws CLOUD_UNAVAILABLE (S18) */
function groupIn(raw: Raw): CloudTargetGroup {
  const [arn, name] = [textOf(raw.TargetGroupArn), textOf(raw.TargetGroupName)];
  if (arn === null || name === null) throw notTheirs('DescribeTargetGroups', 'a group without ARN or name');
  const balancers = Array.isArray(raw.LoadBalancerArns) ? raw.LoadBalancerArns : [];
  return {
    ...{ arn, name, protocol: textOf(raw.Protocol), vpcId: textOf(raw.VpcId) },
    targetType: textOf(raw.TargetType) ?? 'instance',
    loadBalancerArns: balancers.flatMap((one) => textOf(one) ?? []),
  };
}

/** @throws CLOUD_UNAVAILABLE (S18) */
function targetIn(raw: Raw): TargetHealthSeen {
  const target = rawOf(raw.Target);
  const health = rawOf(raw.TargetHealth);
  const [id, state] = [textOf(target.Id), textOf(health.State)];
  if (id === null || state === null || typeof target.Port !== 'number')
    throw notTheirs('DescribeTargetHealth', 'a target without id, port or state');
  return {
    ...{ id, port: target.Port, az: textOf(target.AvailabilityZone), quicServerId: textOf(target.QuicServerId) },
    ...{ state, reason: textOf(health.Reason), text: textOf(health.Description) },
  };
}

const inTheirWords = ({ id, port, az, quicServerId }: RegisteredTarget): Record<string, unknown> => ({
  ...{ Id: id, Port: port },
  ...(az !== null && { AvailabilityZone: az }),
  ...(quicServerId !== null && { QuicServerId: quicServerId }),
});

const chunksOf = (all: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(all.length / ARNS_MAX) }, (_, at) => all.slice(at * ARNS_MAX, (at + 1) * ARNS_MAX));

/** {@link TargetGroups} over a transport. */
export function targetGroupsOver(parts: ServiceOptions): TargetGroups {
  const send = sendOnce(parts, ELBV2_ACTIONS);
  const groupsOn = async (
    input: Record<string, unknown>,
    options: Parameters<TargetGroups['describeGroups']>[1],
  ): Promise<CloudTargetGroup[]> => {
    const found: CloudTargetGroup[] = [];
    let marker: string | null = '';
    for (let pages = 0; marker !== null; pages += 1) {
      if (pages >= PAGES_MAX) throw notTheirs('DescribeTargetGroups', `more than ${PAGES_MAX} pages`);
      const at: Record<string, unknown> = marker === '' ? {} : { Marker: marker };
      const answer: Raw = await send('DescribeTargetGroups', { ...input, ...at }, options);
      found.push(...listOf('DescribeTargetGroups', answer, 'TargetGroups').map(groupIn));
      marker = textOf(answer.NextMarker) || null;
    }
    return found;
  };
  return {
    describeGroups: async (arns, options) => {
      if (arns === null) return groupsOn({}, options);
      const found: CloudTargetGroup[] = [];
      for (const chunk of chunksOf(arns)) found.push(...(await groupsOn({ TargetGroupArns: chunk }, options)));
      return found;
    },
    describeTargets: async (arn, options) => {
      const answer = await send('DescribeTargetHealth', { TargetGroupArn: arn }, options);
      return listOf('DescribeTargetHealth', answer, 'TargetHealthDescriptions').map(targetIn);
    },
    describeBalancerZones: async (balancerArns, options) => {
      const zones = new Map<string, readonly string[]>();
      for (const chunk of chunksOf(balancerArns)) {
        const answer = await send('DescribeLoadBalancers', { LoadBalancerArns: chunk }, options);
        for (const one of listOf('DescribeLoadBalancers', answer, 'LoadBalancers'))
          zones.set(
            textOf(one.LoadBalancerArn) ?? '',
            rawListOf(one.AvailabilityZones).flatMap((zone) => textOf(zone.ZoneName) ?? []),
          );
      }
      return zones;
    },
    registerTargets: async (arn, targets, options) => {
      await send('RegisterTargets', { TargetGroupArn: arn, Targets: targets.map(inTheirWords) }, options);
    },
    deregisterTargets: async (arn, targets, options) => {
      // A zone is not part of what tells a target from another.
      const named = targets.map((one) => inTheirWords({ ...one, az: null }));
      await send('DeregisterTargets', { TargetGroupArn: arn, Targets: named }, options);
    },
  };
}
