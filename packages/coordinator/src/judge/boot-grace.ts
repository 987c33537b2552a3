import type { GroupPolicy } from '@understudy/shared';

/**
 * EC2 dates a launch by its own clock. A launch that lies further in our future than this proves
 * that ours is wrong (EC2 refuses requests dated 15 min off), and then it says nothing about the
 * instance's age. ms
 */
const CLOCKS_AGREE_WITHIN_MS = 300_000;

/**
 * How long ago an instance was launched, ms; null when our clock cannot tell. Slightly negative
 * while two good clocks differ.
 */
export function ageOf(launchedAtWallMs: number, wallNowMs: number): number | null {
  const ageMs = wallNowMs - launchedAtWallMs;
  return ageMs < -CLOCKS_AGREE_WITHIN_MS ? null : ageMs;
}

/**
 * Whether an instance is too young to be judged. One of unknown age is not: with a clock that was
 * stepped back for hours, no young instance would be replaced for as long, and an agent that was
 * never heard is not failed over anyway (S11).
 */
export const isInBootGrace = (ageMs: number | null, policy: GroupPolicy): boolean =>
  ageMs !== null && ageMs < policy.guard.bootGraceMs;
