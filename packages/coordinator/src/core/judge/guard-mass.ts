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
  const own = input.fleet.find((one) => one.member === input.member)?.silentSinceWallMs ?? input.wallNowMs;
  const { massWindowMs } = input.limits;
  const near = (atWallMs: number) =>
    input.wallNowMs - atWallMs <= massWindowMs || Math.abs(own - atWallMs) <= massWindowMs;
  const failures = new Map<string, Failure>();
  for (const { member, az, startedAtWallMs } of input.recoveries)
    if (near(startedAtWallMs)) failures.set(member, { member, az, atWallMs: startedAtWallMs });
  for (const { member, az, silentSinceWallMs } of input.fleet)
    if (silentSinceWallMs !== null && near(silentSinceWallMs))
      failures.set(member, { member, az, atWallMs: silentSinceWallMs });
  // The one in question is failed by definition (it may be degraded, not silent).
  failures.set(input.member, { member: input.member, az: input.az, atWallMs: own });
  return [...failures.values()];
}

/** max(minimum, ratio): the minimum keeps small fleets recoverable (two of four are no mass), the ratio scales with large ones. */
const threshold = (minimum: number, ratio: number, total: number): number =>
  Math.max(minimum, Math.ceil(ratio * total));

export function massGate(input: GuardInput): GateResult {
  const { massMinimum, massRatio, massWindowMs } = input.limits;
  const failed = failuresTogether(input).length;
  const limit = threshold(massMinimum, massRatio, input.fleet.length);
  const text = `${failed} of ${input.fleet.length} members failed within ${massWindowMs} ms, ${limit} are a mass`;
  const value = `${failed} of ${input.fleet.length} members failed within ${durationText(massWindowMs)}`;
  return gate('MassFailure', failed < limit, { value, limit: `below ${limit}`, text });
}

export function zoneGate(input: GuardInput): GateResult {
  const { zoneMinimum, zoneRatio, massWindowMs } = input.limits;
  const total = input.fleet.filter((one) => one.az === input.az).length;
  const failed = failuresTogether(input).filter((failure) => failure.az === input.az).length;
  const limit = threshold(zoneMinimum, zoneRatio, total);
  const text = `${failed} of ${total} members in ${input.az} failed within ${massWindowMs} ms, ${limit} are a lost zone`;
  const value = `${failed} of ${total} members in ${input.az} failed within ${durationText(massWindowMs)}`;
  return gate('ZoneFailure', failed < limit, { value, limit: `below ${limit}`, text });
}
