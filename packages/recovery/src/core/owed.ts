import type { HistoryRecord, IntentRecord, PlannedAddress, RecoveryPlan } from '@understudy/shared';
import { withOwedNames } from './owed-names.ts';

/**
 * Retired instances of one member that an address may still be on: as many failed before their
 * chores were done.
 */
const OWED_FROM_MAX = 8;

/**
 * Addresses of a recovery that were never seen on its replacement: `movedOrLost` are those that
 * were, or are given up. Whoever closes it hands them to the next one, with the instances they may
 * be taken from: those this very member has retired.
 */
export function owedAddressesOf(
  intent: Pick<IntentRecord, 'plan' | 'oldInstanceId'>,
  movedOrLost: ReadonlySet<string>,
): PlannedAddress[] {
  return intent.plan.addresses
    .filter((one) => !movedOrLost.has(one.allocationId))
    .map(({ allocationId, publicIp, owedFrom = [] }) => ({
      allocationId,
      publicIp,
      associationId: null,
      owedFrom: [...new Set([intent.oldInstanceId, ...owedFrom])].slice(0, OWED_FROM_MAX),
    }));
}

/**
 * The plan with what the recovery before it left undone on the instance that failed now: addresses,
 * protections and tags of volumes. `before`: that recovery; null where there was none.
 */
export function withOwed<P extends RecoveryPlan>(plan: P, before: HistoryRecord | null): P {
  if (before === null) return plan;
  const { owed, owedAddresses = [] } = before;
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
    addresses: withAddresses(plan.addresses, owedAddresses),
    protection: {
      stop: plan.protection.stop || owes('stop'),
      termination: plan.protection.termination || owes('termination'),
    },
    volumes: plan.volumes.map((one) => ({ ...one, tags: { ...tagsAt(one.deviceName), ...one.tags } })),
  };
}

function withAddresses(planned: readonly PlannedAddress[], owed: readonly PlannedAddress[]): PlannedAddress[] {
  const byId = new Map(owed.map((one) => [one.allocationId, one]));
  const seen = planned.map((one) => {
    const owedFrom = byId.get(one.allocationId)?.owedFrom;
    byId.delete(one.allocationId);
    return owedFrom ? { ...one, owedFrom } : one;
  });
  return [...seen, ...byId.values()];
}

/** The recovery that put this instance in charge, by the member's history. */
export const recoveryBehind = (history: Iterable<HistoryRecord>, instanceId: string): HistoryRecord | null =>
  [...history].find((one) => one.outcome === 'replaced' && one.newInstanceId === instanceId) ?? null;
