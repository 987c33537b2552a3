import { type FleetMember, type GuardLimits, type StartedRecovery, zoneThreshold } from './guard-input.ts';

/**
 * Zones that are lost now. A zone is lost when the guard's number of its members are silent or
 * being recovered, and no failed member of it is still heard. When they failed does not matter: the
 * answer says where not to place a replacement, not whether to begin a recovery. Pure.
 */
export function lostZones(facts: {
  readonly fleet: readonly FleetMember[];
  readonly recoveries: readonly StartedRecovery[];
  readonly limits: Pick<GuardLimits, 'zoneMinimum' | 'zoneRatio'>;
}): readonly string[] {
  const { fleet, limits } = facts;
  const open = facts.recoveries.filter((one) => one.endedAtWallMs === null);
  const zones = new Set([...fleet, ...open].map(({ az }) => az ?? ''));
  return [...zones].filter((az) => {
    const there = fleet.filter((one) => one.az === az);
    const failed = there.filter((one) => one.failedSinceWallMs !== null);
    if (az === '' || failed.some((one) => one.heard)) return false;
    const recovered = open.filter((one) => one.az === az).map(({ member }) => member);
    const down = new Set([...failed.map(({ member }) => member), ...recovered]);
    const total = new Set([...there.map(({ member }) => member), ...recovered]).size;
    return down.size >= zoneThreshold(limits, total);
  });
}
