/**
 * How much of our share we use of one action after EC2 has throttled it: multiplicative decrease,
 * slow return. All callers share it, because EC2 counts throttled calls too.
 */
export interface Pace {
  /** What it was at `atMs`, 0..1. */
  readonly share: number;
  /** When EC2 last throttled, own monotonic time. */
  readonly atMs: number;
}

export const FULL_PACE: Pace = { share: 1, atMs: Number.NEGATIVE_INFINITY };

/** Slower is no pace at all: with it a launch goes out every 13 s still. */
const LEAST = 1 / 16;
/** Without a throttle for so long, the pace doubles. */
const DOUBLES_IN_MS = 30_000;
/** Calls that were on their way together are throttled together: that is one throttle. */
const SAME_MOMENT_MS = 1_000;

/** The pace now, 0..1. */
export const paceAt = ({ share, atMs }: Pace, nowMs: number): number =>
  share >= 1 ? 1 : Math.min(1, share * 2 ** (Math.max(0, nowMs - atMs) / DOUBLES_IN_MS));

/** The pace after a throttle: half of what it was. */
export function throttledPace(pace: Pace, nowMs: number): Pace {
  if (nowMs - pace.atMs < SAME_MOMENT_MS) return pace;
  return { share: Math.max(LEAST, paceAt(pace, nowMs) / 2), atMs: nowMs };
}
