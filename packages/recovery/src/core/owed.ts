import type {
  AssignedKind,
  HistoryRecord,
  IntentRecord,
  InterfaceHolder,
  PlannedAddress,
  PlannedAssigned,
  PlannedInterface,
  RecoveryPlan,
} from '@understudy/shared';
import { stepId } from './step-id.ts';
import { withOwedNames } from './owed-names.ts';

/**
 * Retired instances of one member that something may still be on: as many failed before their
 * chores were done.
 */
const OWED_FROM_MAX = 8;

/** What a recovery hands to the next one. */
export type OwedItems = Pick<HistoryRecord, 'owedAddresses' | 'owedAssigned' | 'owedInterfaces'>;

/** The step that moves one assigned address or prefix. */
export const assignedStep = ({ kind, address }: Pick<PlannedAssigned, 'kind' | 'address'>): string => {
  const names: Readonly<Record<AssignedKind, string>> = {
    'secondary-ip': 'secondary',
    'ipv6-address': 'ipv6',
    'ipv4-prefix': 'prefix',
    'ipv6-prefix': 'prefix',
  };
  return stepId(names[kind], address.replace('/', '_'));
};

/**
 * What of the identity was never seen on the replacement of a recovery. `through`: steps that are
 * done: what they moved is there, or given up. Whoever closes it hands the rest to the next one,
 * with the instances it may be taken from: those this very member has retired. What can be seen on
 * no instance (a record, a target group) needs no handing on: its next plan names it again.
 */
export function owedItemsOf(
  { plan, oldInstanceId }: Pick<IntentRecord, 'plan' | 'oldInstanceId'>,
  through: ReadonlySet<string>,
): OwedItems {
  const fenced = (owedFrom: readonly string[] = []) =>
    [...new Set([oldInstanceId, ...owedFrom])].slice(0, OWED_FROM_MAX);
  const open = (step: string) => !through.has(step);
  const owedAddresses = plan.addresses
    .filter((one) => open(stepId('address', one.allocationId)))
    .map(({ allocationId, publicIp, owedFrom, target }) => ({
      ...{ allocationId, publicIp, associationId: null, owedFrom: fenced(owedFrom) },
      ...(target && { target }),
    }));
  const owedAssigned = (plan.assigned ?? []).filter((one) => open(assignedStep(one)));
  const owedInterfaces = (plan.interfaces ?? [])
    .filter((one) => open(stepId('interface', one.networkInterfaceId)))
    .map((one) => ({ ...one, attachmentId: null, owedFrom: fenced(one.owedFrom) }));
  return {
    owedAddresses,
    ...(owedAssigned.length > 0 && { owedAssigned }),
    ...(owedInterfaces.length > 0 && { owedInterfaces }),
  };
}

/** The same for people. */
export const owedText = ({ owedAddresses = [], owedAssigned = [], owedInterfaces = [] }: OwedItems): string[] => [
  ...owedAddresses.map((one) => `address ${one.publicIp}`),
  ...owedAssigned.map((one) => `address ${one.address}`),
  ...owedInterfaces.map((one) => `interface ${one.networkInterfaceId}`),
];

/**
 * The plan with what the recovery before it left undone on the instance that failed now: identity,
 * protections and tags of volumes. `before`: that recovery; null where there was none.
 */
export function withOwed<P extends RecoveryPlan>(plan: P, before: HistoryRecord | null): P {
  if (before === null) return plan;
  const { owed } = before;
  const chores = owed.map((one) => one.chore).filter((one) => one.instanceId === before.newInstanceId);
  const owes = (kind: 'stop' | 'termination') => chores.some((one) => one.kind === 'protect' && one[kind]);
  const tagsAt = (deviceName: string) =>
    Object.assign(
      {},
      ...chores.map((one) => (one.kind === 'volume-tags' && one.deviceName === deviceName ? one.tags : {})),
    ) as Record<string, string>;
  return {
    ...plan,
    ...withOwedNames(plan, before),
    ...identityOf(plan, before),
    protection: {
      stop: plan.protection.stop || owes('stop'),
      termination: plan.protection.termination || owes('termination'),
    },
    volumes: plan.volumes.map((one) => ({ ...one, tags: { ...tagsAt(one.deviceName), ...one.tags } })),
  };
}

function identityOf(
  plan: RecoveryPlan,
  { owedAddresses = [], owedAssigned = [], owedInterfaces = [], newInstanceId }: HistoryRecord,
): Pick<RecoveryPlan, 'addresses' | 'assigned' | 'interfaces'> {
  const failed = { instanceId: newInstanceId, networkInterfaceId: plan.primaryInterfaceId };
  const assigned = merged(plan.assigned, owedAssigned, assignedStep, (one, owes) => ({
    ...one,
    holders: holders(one.holders, owes?.holders ?? [], isHolder(failed) ? [failed] : []),
  }));
  const interfaces = merged(plan.interfaces, owedInterfaces, (one) => one.networkInterfaceId, owedBy);
  return {
    addresses: merged(plan.addresses, owedAddresses, (one) => one.allocationId, owedBy),
    ...(assigned.length > 0 && { assigned }),
    ...(interfaces.length > 0 && { interfaces }),
  };
}

/** What is planned, with what is owed of it; then what is owed and was not seen. */
function merged<T>(
  planned: readonly T[] = [],
  owed: readonly T[],
  idOf: (one: T) => string,
  join: (one: T, owes: T | undefined) => T,
): T[] {
  const byId = new Map(owed.map((one) => [idOf(one), one]));
  const seen = planned.map((one) => {
    const owes = byId.get(idOf(one));
    byId.delete(idOf(one));
    return owes ? join(one, owes) : one;
  });
  return [...seen, ...[...byId.values()].map((one) => join(one, undefined))];
}

const owedBy = <T extends PlannedAddress | PlannedInterface>(one: T, owes: T | undefined): T =>
  owes?.owedFrom ? { ...one, owedFrom: owes.owedFrom } : one;

const isHolder = (one: {
  readonly instanceId: string | null;
  readonly networkInterfaceId: string | null;
}): one is InterfaceHolder => one.instanceId !== null && one.networkInterfaceId !== null;

function holders(...lists: readonly (readonly InterfaceHolder[])[]): InterfaceHolder[] {
  const byId = new Map(lists.flat().map((one) => [one.networkInterfaceId, one]));
  return [...byId.values()].slice(0, OWED_FROM_MAX);
}

const isChangeOver = ({ outcome }: HistoryRecord): boolean => outcome === 'replaced' || outcome === 'undone';

/** The recovery that put this instance in charge last, by the member's history. */
export const recoveryBehind = (history: Iterable<HistoryRecord>, instanceId: string): HistoryRecord | null =>
  [...history]
    .filter((one) => isChangeOver(one) && one.newInstanceId === instanceId)
    .sort((a, b) => b.endedAtWallMs - a.endedAtWallMs)[0] ?? null;
