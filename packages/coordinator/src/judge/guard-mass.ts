import { durationText } from '@understudy/shared';
import { type GateResult, type GuardInput, gate, threshold, zoneThreshold } from './guard-input.ts';

interface Failure {
  readonly member: string;
  readonly az: string | null;
  readonly atWallMs: number;
}

/**
 * Failures that belong together with this one: silences and begun recoveries whose start lies
 * within `massWindowMs` of now, or of this member's own silence. The second half keeps a mass a
 * mass. Without it the hold would lapse by itself after the window, and replacing would begin two
 * minutes into the outage that the hold was meant to sit out. A recovered member still counts for
 * its window.
 */
function failuresTogether(input: GuardInput): Failure[] {
  const own = input.fleet.find((one) => one.member === input.member)?.failedSinceWallMs ?? input.wallNowMs;
  const { massWindowMs } = input.limits;
  const near = (atWallMs: number) =>
    input.wallNowMs - atWallMs <= massWindowMs || Math.abs(own - atWallMs) <= massWindowMs;
  const failures = new Map<string, Failure>();
  for (const { member, az, startedAtWallMs } of input.recoveries)
    if (near(startedAtWallMs)) failures.set(member, { member, az, atWallMs: startedAtWallMs });
  for (const { member, az, failedSinceWallMs } of input.fleet)
    if (failedSinceWallMs !== null && near(failedSinceWallMs))
      failures.set(member, { member, az, atWallMs: failedSinceWallMs });
  // The member in question has failed by definition.
  failures.set(input.member, { member: input.member, az: input.az, atWallMs: own });
  return [...failures.values()];
}

interface Tally {
  readonly failures: readonly Failure[];
  readonly failed: number;
  readonly total: number;
  /** This many failures are too many. */
  readonly limit: number;
}

/**
 * Counts the failures that came together with this one: in the whole fleet, and in the member's own
 * zone. A failure whose zone is not known belongs to no zone. A member that is being recovered, or
 * was recovered into another zone, still counts in the zone it failed in.
 */
function talliesOf(input: GuardInput): { readonly all: Tally; readonly zone: Tally } {
  const { massMinimum, massRatio } = input.limits;
  const failures = failuresTogether(input);
  const failedInZone = failures.filter((failure) => failure.az === input.az);
  const total = countOf(input.fleet, failures);
  const inZone = countOf(
    input.fleet.filter((one) => one.az === input.az),
    failedInZone,
  );
  return {
    all: { failures, failed: failures.length, total, limit: threshold(massMinimum, massRatio, total) },
    zone: {
      failures: failedInZone,
      failed: failedInZone.length,
      total: inZone,
      limit: zoneThreshold(input.limits, inZone),
    },
  };
}

const NAMED_MAX = 5;

/** Names of the other failed members, as far as there is room. */
function othersOf({ failures }: Tally, member: string): string {
  const names = failures.map((one) => one.member).filter((name) => name !== member);
  if (names.length === 0) return '';
  const more = names.length > NAMED_MAX ? ` and ${names.length - NAMED_MAX} more` : '';
  return ` (${names.slice(0, NAMED_MAX).join(', ')}${more})`;
}

/**
 * True when the member in question is heard and has not failed. The gates are then asked only to
 * say what they would answer.
 */
function seemsFine({ fleet, recoveries, member }: GuardInput): boolean {
  const isWell = fleet.some((one) => one.member === member && one.heard && one.failedSinceWallMs === null);
  return isWell && !recoveries.some((one) => one.member === member && one.endedAtWallMs === null);
}

type Named = { readonly member: string };

/**
 * Size of the union. Builds a set of the failures only, because the fleet is large and this runs
 * for every question.
 */
function countOf(fleet: readonly Named[], failures: readonly Named[]): number {
  const missing = new Set(failures.map(({ member }) => member));
  for (const { member } of fleet) missing.delete(member);
  return fleet.length + missing.size;
}

/**
 * The member's own zone, when it is lost, no member elsewhere failed with it, and the group's
 * policy says to recover then. Otherwise null. A replacement must not be placed there. A zone is
 * lost when its members are silent. It is not lost where a failed member is still heard (a wrong
 * check, a firewall before its service), or where this one was judged by anything but silence. One
 * failure elsewhere is enough to hold: a mass over several zones is more likely a bad deployment,
 * or our own network, than a lost zone.
 */
function zoneToLeave(input: GuardInput, all: Tally, zone: Tally): string | null {
  if (input.policy.guard.whenZoneLost !== 'recover') return null;
  const heardThere = input.fleet.some((one) => one.az === input.az && one.failedSinceWallMs !== null && one.heard);
  if (input.quorum === null || heardThere) return null;
  return zone.failed >= zone.limit && zone.failed === all.failed ? input.az : null;
}

export interface MassAnswer {
  readonly gates: readonly [GateResult, GateResult];
  /**
   * Zone in which the replacement must not be placed. Set where both gates let it through only
   * because of the policy.
   */
  readonly leaveAz: string | null;
}

export function massGates(input: GuardInput): MassAnswer {
  const { all, zone } = talliesOf(input);
  const leaveAz = zoneToLeave(input, all, zone);
  const isFine = seemsFine(input);
  const gateOf = (name: 'MassFailure' | 'ZoneFailure', where: string, what: string, tally: Tally): GateResult => {
    const { failed, total, limit } = tally;
    const { massWindowMs } = input.limits;
    const tooMany = failed >= limit;
    // A person who asks about a member that is fine wants to know which members failed. The member
    // itself is one of them only if it failed too.
    const who = (count: number) => `${count} of ${total} members${where} failed within`;
    const text = `${who(failed)} ${durationText(massWindowMs)}, ${limit} ${what}`;
    const allowed = tooMany && leaveAz !== null ? `; all in ${leaveAz}, and the policy recovers a lost zone` : '';
    const asked = `${othersOf(tally, input.member)}; ${input.member} is not one of them, with it there would be ${failed}`;
    const value = isFine
      ? `${who(failed - 1)} ${durationText(massWindowMs)}${asked}`
      : `${who(failed)} ${durationText(massWindowMs)}${allowed}`;
    return gate(name, !tooMany || leaveAz !== null, { value, limit: `below ${limit}`, text });
  };
  return {
    gates: [
      gateOf('MassFailure', '', 'are a mass', all),
      gateOf('ZoneFailure', ` in ${input.az}`, 'are a lost zone', zone),
    ],
    leaveAz,
  };
}
