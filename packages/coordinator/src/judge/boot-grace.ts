import type { GroupPolicy } from '@understudy/shared';

/**
 * EC2 dates a launch by its own clock. A launch that lies further in our future than this proves
 * our clock wrong (EC2 refuses requests dated 15 min off); the age is then unknown. In ms.
 */
const CLOCKS_AGREE_WITHIN_MS = 300_000;

/**
 * Age of an instance in ms, counted from its launch. Null when our clock cannot tell. It is
 * slightly negative while two good clocks differ.
 */
export function ageOf(launchedAtWallMs: number, wallNowMs: number): number | null {
  const ageMs = wallNowMs - launchedAtWallMs;
  return ageMs < -CLOCKS_AGREE_WITHIN_MS ? null : ageMs;
}

/**
 * True while an instance is too young to be judged. One of unknown age is never too young: with a
 * clock that was stepped back for hours, no young instance would be replaced for that long, and an
 * agent that was never heard is not failed over anyway (S11).
 */
export const isInBootGrace = (ageMs: number | null, policy: GroupPolicy): boolean =>
  ageMs !== null && ageMs < policy.guard.bootGraceMs;
