import { durationText } from '@understudy/shared';
import { type GateResult, type GuardInput, gate } from './guard-input.ts';

interface Failure {
  readonly member: string;
  readonly az: string | null;
  readonly atWallMs: number;
}

/**
 * Failures that belong together with this one: silences and begun recoveries whose start lies within `massWindowMs` of now, or of this
 * member's own silence. The second half keeps a mass a mass: without it the hold would lapse by itself after the window, and the replacing
 * would begin two minutes into the outage it was meant to sit out. A recovered member still counts for its window.
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
  // The one in question is failed by definition.
  failures.set(input.member, { member: input.member, az: input.az, atWallMs: own });
  return [...failures.values()];
}

/** max(minimum, ratio): the minimum keeps small fleets recoverable (two of four are no mass), the ratio scales with large ones. */
const threshold = (minimum: number, ratio: number, total: number): number =>
  Math.max(minimum, Math.ceil(ratio * total));

interface Tally {
  readonly failed: number;
  readonly total: number;
  /** So many are too many. */
  readonly limit: number;
}

/** How many failed together with this one: of all, and of its own zone. Failures whose zone is not known are nobody's own. */
function talliesOf(input: GuardInput): { readonly all: Tally; readonly zone: Tally } {
  const { massMinimum, massRatio, zoneMinimum, zoneRatio } = input.limits;
  const failures = failuresTogether(input);
  const total = input.fleet.length;
  const inZone = input.fleet.filter((one) => one.az === input.az).length;
  return {
    all: { failed: failures.length, total, limit: threshold(massMinimum, massRatio, total) },
    zone: {
      failed: failures.filter((failure) => failure.az === input.az).length,
      total: inZone,
      limit: threshold(zoneMinimum, zoneRatio, inZone),
    },
  };
}

/**
 * The member's own zone, if it is lost, nobody elsewhere failed with it, and the group's policy says to recover then; null otherwise. A replacement must
 * not be placed there. One failure elsewhere is enough to hold: a mass over several zones is more likely a bad deployment, or our own network, than a lost zone.
 */
export function zoneToLeave(input: GuardInput): string | null {
  if (input.policy.whenZoneLost !== 'recover') return null;
  const { all, zone } = talliesOf(input);
  return zone.failed >= zone.limit && zone.failed === all.failed ? input.az : null;
}

const WINDOWED = { MassFailure: 'are a mass', ZoneFailure: 'are a lost zone' } as const;

function massOf(input: GuardInput, name: keyof typeof WINDOWED, where: string, tally: Tally): GateResult {
  const { failed, total, limit } = tally;
  const { massWindowMs } = input.limits;
  const what = `${failed} of ${total} members${where} failed within`;
  const text = `${what} ${massWindowMs} ms, ${limit} ${WINDOWED[name]}`;
  const tooMany = failed >= limit;
  const leave = tooMany && zoneToLeave(input) !== null;
  const allowed = leave ? `; all in ${input.az}, and the policy recovers a lost zone` : '';
  const value = `${what} ${durationText(massWindowMs)}${allowed}`;
  return gate(name, !tooMany || leave, { value, limit: `below ${limit}`, text });
}

export const massGate = (input: GuardInput): GateResult => massOf(input, 'MassFailure', '', talliesOf(input).all);

export const zoneGate = (input: GuardInput): GateResult =>
  massOf(input, 'ZoneFailure', ` in ${input.az}`, talliesOf(input).zone);
