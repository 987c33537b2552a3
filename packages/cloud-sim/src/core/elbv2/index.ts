import type {
  DeregisterTargetsInput,
  DescribeLoadBalancersInput,
  DescribeLoadBalancersOutput,
  DescribeTargetGroupAttributesInput,
  DescribeTargetGroupAttributesOutput,
  DescribeTargetGroupsInput,
  DescribeTargetGroupsOutput,
  DescribeTargetHealthInput,
  DescribeTargetHealthOutput,
  RegisterTargetsInput,
  TargetDescription,
  TargetHealthDescription,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import * as z from 'zod';
import type { Handler } from '../actions/common.ts';
import { Ec2Error } from '../ec2-error.ts';
import type { Call, Region } from '../region.ts';
import { healthOf, instanceBehind, isGone, NOT_REGISTERED } from './health.ts';
import { type SimTarget, type SimTargetGroup, targetKey } from './target-groups.ts';

/** Before its actions in faults, denied actions and the event log. */
export const ELBV2_PREFIX = 'elasticloadbalancing:';

const PAGE_MAX = 400;
/** Quotas of a group, and of one target in it. */
const TARGETS_MAX = 1_000;

const invalidTarget = (message: string): Ec2Error => new Ec2Error('InvalidTarget', message);

/** @throws InvalidTarget */
function requireTarget(region: Region, group: SimTargetGroup, { Id = '' }: TargetDescription): void {
  if (group.targetType === 'ip') {
    if (!z.ipv4().safeParse(Id).success) throw invalidTarget(`The IP address '${Id}' is not a valid IPv4 address`);
    return;
  }
  const instance = instanceBehind(region, group, Id);
  if (!instance) throw invalidTarget(`The following targets do not exist: '${Id}'`);
  if (instance.state !== 'running')
    throw invalidTarget(`The following targets are not in a running state and cannot be registered: '${Id}'`);
  if (instance.vpcId !== group.vpcId)
    throw invalidTarget(`The following targets are not in the target group VPC '${group.vpcId}': '${Id}'`);
}

/**
 * `RegisterTargets`: one that is registered stays as it is; one that drains is registered anew.
 * @throws TargetGroupNotFound, InvalidTarget, TooManyTargets
 */
function registerTargets(region: Region, call: Call, input: RegisterTargetsInput): object {
  const group = region.balancing.require(input.TargetGroupArn ?? '');
  for (const wanted of input.Targets ?? []) requireTarget(region, group, wanted);
  const targets = new Map(group.targets);
  for (const { Id = '', Port = group.port, AvailabilityZone } of input.Targets ?? []) {
    const key = targetKey(Id, Port);
    const known = targets.get(key);
    if (known?.drainsUntilMs === null) continue;
    const registeredAtMs = call.instant ? -group.checks.intervalMs : region.nowMs;
    targets.set(key, { id: Id, port: Port, az: AvailabilityZone ?? null, registeredAtMs, drainsUntilMs: null });
  }
  if (targets.size > TARGETS_MAX)
    throw new Ec2Error('TooManyTargets', `The maximum number of targets in a target group is ${TARGETS_MAX}`);
  region.balancing.put({ ...group, targets });
  return {};
}

/**
 * `DeregisterTargets`: the very id and port; without a port it is the group's own. What is not
 * registered is a success.
 * @throws TargetGroupNotFound
 */
function deregisterTargets(region: Region, _call: Call, input: DeregisterTargetsInput): object {
  const group = region.balancing.require(input.TargetGroupArn ?? '');
  const targets = new Map(group.targets);
  for (const { Id = '', Port = group.port } of input.Targets ?? []) {
    const key = targetKey(Id, Port);
    const known = targets.get(key);
    if (known?.drainsUntilMs !== null) continue;
    // Nothing is in flight to a machine that is off, so there is nothing to wait for.
    const drainsMs = instanceBehind(region, group, Id)?.state === 'running' ? group.drainMs / region.latency.speed : 0;
    targets.set(key, { ...known, drainsUntilMs: region.nowMs + drainsMs });
  }
  region.balancing.put({ ...group, targets });
  return {};
}

function viewOfTarget(region: Region, group: SimTargetGroup, target: SimTarget): TargetHealthDescription {
  const { id, port, az } = target;
  const balancer = region.balancing.balancer(group.loadBalancerArn);
  const zone = az ?? instanceBehind(region, group, id)?.az ?? '';
  return {
    Target: { Id: id, Port: port, ...(az !== null && { AvailabilityZone: az }) },
    HealthCheckPort: String(port),
    TargetHealth: healthOf(region, group, target),
    ...(balancer?.shiftedZones.includes(zone) === true && {
      AdministrativeOverride: {
        ...{ State: 'zonal_shift_active', Reason: 'AdministrativeOverride.ZonalShiftActive' },
        Description: 'Override is active',
      },
    }),
  };
}

/** `DescribeTargetHealth`. A target that is named and not registered is shown as unused. */
function describeTargetHealth(
  region: Region,
  _call: Call,
  { TargetGroupArn = '', Targets }: DescribeTargetHealthInput,
): DescribeTargetHealthOutput {
  const group = region.balancing.require(TargetGroupArn);
  const known = [...group.targets.values()].filter((one) => !isGone(one, region.nowMs));
  const views = known.map((one) => viewOfTarget(region, group, one));
  if (Targets === undefined || Targets.length === 0) return { TargetHealthDescriptions: views };
  const asked = Targets.map(({ Id = '', Port = group.port, ...rest }): TargetHealthDescription => {
    const found = views.find((one) => one.Target?.Id === Id && one.Target.Port === Port);
    return found ?? { Target: { Id, Port, ...rest }, TargetHealth: NOT_REGISTERED };
  });
  return { TargetHealthDescriptions: asked };
}

/** `DescribeTargetGroups`: by ARN, name or balancer; it knows no filter by target. */
function describeTargetGroups(
  region: Region,
  _call: Call,
  { TargetGroupArns, Names, LoadBalancerArn, Marker, PageSize }: DescribeTargetGroupsInput,
): DescribeTargetGroupsOutput {
  for (const arn of TargetGroupArns ?? []) region.balancing.require(arn);
  const all = region.balancing
    .groups()
    .filter(
      (one) =>
        (!TargetGroupArns?.length || TargetGroupArns.includes(one.arn)) &&
        (!Names?.length || Names.includes(one.name)) &&
        (LoadBalancerArn === undefined || one.loadBalancerArn === LoadBalancerArn),
    );
  const from = Marker === undefined ? 0 : Number(Marker);
  const to = from + Math.min(PageSize ?? PAGE_MAX, PAGE_MAX);
  return {
    TargetGroups: all.slice(from, to).map((one) => ({
      ...{ TargetGroupArn: one.arn, TargetGroupName: one.name, Protocol: one.protocol, Port: one.port },
      ...{ VpcId: one.vpcId, TargetType: one.targetType, HealthCheckEnabled: one.checks.enabled },
      HealthCheckIntervalSeconds: one.checks.intervalMs / 1_000,
      UnhealthyThresholdCount: one.checks.unhealthyAfter,
      LoadBalancerArns: one.loadBalancerArn === null ? [] : [one.loadBalancerArn],
    })),
    ...(to < all.length && { NextMarker: String(to) }),
  };
}

/** `DescribeTargetGroupAttributes`. @throws TargetGroupNotFound */
function describeAttributes(
  region: Region,
  _call: Call,
  { TargetGroupArn = '' }: DescribeTargetGroupAttributesInput,
): DescribeTargetGroupAttributesOutput {
  const group = region.balancing.require(TargetGroupArn);
  return {
    Attributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: String(group.drainMs / 1_000) }],
  };
}

/** `DescribeLoadBalancers`. @throws LoadBalancerNotFound */
function describeLoadBalancers(
  region: Region,
  _call: Call,
  { LoadBalancerArns }: DescribeLoadBalancersInput,
): DescribeLoadBalancersOutput {
  const missing = LoadBalancerArns?.some((arn) => !region.balancing.balancer(arn));
  if (missing) throw new Ec2Error('LoadBalancerNotFound', 'One or more load balancers not found');
  const all = region.balancing
    .balancers()
    .filter((one) => !LoadBalancerArns?.length || LoadBalancerArns.includes(one.arn));
  return {
    LoadBalancers: all.map((one) => ({
      ...{ LoadBalancerArn: one.arn, LoadBalancerName: one.name, VpcId: one.vpcId, Type: 'application' },
      AvailabilityZones: one.zones.map((ZoneName) => ({ ZoneName })),
    })),
  };
}

/** Takes its tokens first. @throws RequestLimitExceeded */
const limited =
  <I>(handler: (region: Region, call: Call, input: I) => object) =>
  (region: Region, call: Call, input: I): object => {
    if (!call.instant) region.balancing.rate.admit(call.action, region.nowMs);
    return handler(region, call, input);
  };

/** The actions of Elastic Load Balancing that are simulated, with their prefix. */
export const ELBV2_HANDLERS = {
  'elasticloadbalancing:RegisterTargets': limited(registerTargets),
  'elasticloadbalancing:DeregisterTargets': limited(deregisterTargets),
  'elasticloadbalancing:DescribeTargetHealth': limited(describeTargetHealth),
  'elasticloadbalancing:DescribeTargetGroups': limited(describeTargetGroups),
  'elasticloadbalancing:DescribeTargetGroupAttributes': limited(describeAttributes),
  'elasticloadbalancing:DescribeLoadBalancers': limited(describeLoadBalancers),
} satisfies Record<string, Handler>;
