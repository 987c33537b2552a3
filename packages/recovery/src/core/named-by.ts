import {
  type CloudInstance,
  type CloudTargetGroup,
  type DnsRecordSet,
  type PlacementCandidate,
  type PlannedRecord,
  type PlannedTargets,
  type RecoveryPlan,
  type TargetHealthSeen,
} from '@understudy/shared';
import type { Finding } from './finding.ts';

/** What names an instance outside of EC2, as far as it was looked at. */
export interface NamedBy {
  readonly records: readonly { readonly zoneId: string; readonly record: DnsRecordSet }[];
  readonly groups: readonly {
    readonly group: CloudTargetGroup;
    readonly targets: readonly TargetHealthSeen[];
    /** Null: no balancer. */
    readonly zones: readonly string[] | null;
  }[];
  /** What could not be read, and so is not carried. */
  readonly unread: readonly Finding[];
}

export const NAMED_BY_NOTHING: NamedBy = { records: [], groups: [], unread: [] };

type Addresses = Pick<CloudInstance, 'privateIp' | 'publicIp'>;

/** Addresses that a record is to follow. One that moves itself needs no change of any record. */
export function followedOf(
  { privateIp, publicIp }: Addresses,
  movedIps: ReadonlySet<string>,
): readonly PlannedRecord['values'][number][] {
  return [
    ...(privateIp === null || movedIps.has(privateIp) ? [] : [{ value: privateIp, becomes: 'private-ip' as const }]),
    ...(publicIp === null || movedIps.has(publicIp) ? [] : [{ value: publicIp, becomes: 'public-ip' as const }]),
  ];
}

function plannedRecords(
  { records }: NamedBy,
  followed: readonly PlannedRecord['values'][number][],
): readonly PlannedRecord[] {
  return records.flatMap(({ zoneId, record }) => {
    const values = followed.filter(({ value }) => record.type === 'A' && record.values.includes(value));
    if (values.length === 0) return [];
    const { name, type, setIdentifier, exact } = record;
    return [{ zoneId, name, type, setIdentifier, values: [...values], exact: { ...exact } }];
  });
}

const QUIC: ReadonlySet<string> = new Set(['QUIC', 'TCP_QUIC']);

function plannedTargets(
  { groups }: NamedBy,
  instance: Pick<CloudInstance, 'instanceId' | 'privateIp'>,
): readonly PlannedTargets[] {
  return groups.flatMap(({ group, targets, zones }) => {
    const { targetType } = group;
    if ((targetType !== 'instance' && targetType !== 'ip') || QUIC.has(group.protocol ?? '')) return [];
    const id = targetType === 'instance' ? instance.instanceId : instance.privateIp;
    const own = targets.filter((one) => one.id === id).map((one) => ({ id: one.id, port: one.port, az: one.az }));
    if (own.length === 0) return [];
    return [{ targetGroupArn: group.arn, targetType, targets: own, zones: zones && [...zones] }];
  });
}

/** The dashes of `ip-10-0-1-7.ec2.internal`, the name that EC2 gives to an instance. */
const ownNameOf = (privateIp: string): string => `ip-${privateIp.replaceAll('.', '-')}.`;

function recordLosses(
  { records }: NamedBy,
  instance: Addresses,
  planned: readonly PlannedRecord[],
): readonly Finding[] {
  const ownName = instance.privateIp === null ? null : ownNameOf(instance.privateIp);
  const byName = records.filter(
    ({ record }) => record.type === 'CNAME' && ownName !== null && record.values.some((one) => one.startsWith(ownName)),
  );
  const checked = planned.filter((one) => one.exact.HealthCheckId !== undefined);
  return [
    ...byName.map(({ record }) => ({
      code: 'RecordNotFollowed',
      text: `${record.name} is a CNAME of the failed instance's own name, and is not changed: use an A record`,
    })),
    ...checked.map((one) => ({
      code: 'RecordHealthCheck',
      text: `the health check of ${one.name} is kept as it is: if it asks the failed instance's address, it fails`,
    })),
  ];
}

function targetLosses(
  { groups }: NamedBy,
  instanceId: string,
  planned: readonly PlannedTargets[],
  candidates: readonly PlacementCandidate[],
): readonly Finding[] {
  const nameOf = (arn: string): string => groups.find((one) => one.group.arn === arn)?.group.name ?? arn;
  const disabled = planned.flatMap(({ targetGroupArn, zones }) =>
    [...new Set(candidates.map((one) => one.az))]
      .filter((az) => zones !== null && !zones.includes(az))
      .map((az) => ({
        code: 'TargetZoneDisabled',
        text: `a replacement in ${az} gets no traffic from the target group ${nameOf(targetGroupArn)}: its balancer has not enabled that zone`,
      })),
  );
  const quic = groups.filter(
    ({ group, targets }) => QUIC.has(group.protocol ?? '') && targets.some((one) => one.id === instanceId),
  );
  return [
    ...disabled,
    ...quic.map(({ group }) => ({
      code: 'TargetNotCarried',
      text: `the target group ${group.name} speaks ${group.protocol}: its QuicServerId cannot be changed in place, so register the replacement by hand`,
    })),
  ];
}

/** Parts of a plan: what follows by DNS and load balancers, and what of it does not. */
export interface NamedPlan {
  readonly records?: PlannedRecord[];
  readonly targets?: PlannedTargets[];
  readonly losses: readonly Finding[];
}

/** Pure. What is empty is left out, so that plans without it stay what they were. */
export function namedPlanOf(
  named: NamedBy,
  instance: Pick<CloudInstance, 'instanceId' | 'privateIp' | 'publicIp'>,
  plan: Pick<RecoveryPlan, 'addresses'> & { readonly candidates: readonly PlacementCandidate[] },
): NamedPlan {
  const movedIps = new Set(plan.addresses.map((one) => one.publicIp));
  const records = plannedRecords(named, followedOf(instance, movedIps));
  const targets = plannedTargets(named, instance);
  return {
    ...(records.length > 0 && { records: [...records] }),
    ...(targets.length > 0 && { targets: [...targets] }),
    losses: [
      ...named.unread,
      ...recordLosses(named, instance, records),
      ...targetLosses(named, instance.instanceId, targets, plan.candidates),
    ],
  };
}
