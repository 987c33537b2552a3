/** How often we look and how long we keep trying: pure arithmetic, durations in ms. */

export interface PollPace {
  readonly pollMinMs: number;
  readonly pollMaxMs: number;
  /**
   * Pause as a share of the time waited so far: bounds what polling adds to the wait, and spends
   * few tokens on long waits.
   */
  readonly pollRatio: number;
}

/** The pause before the next look, after `waitedMs` of waiting. */
export const pollDelayMs = (waitedMs: number, pace: PollPace): number =>
  Math.min(pace.pollMaxMs, Math.max(pace.pollMinMs, waitedMs * pace.pollRatio));

/**
 * What is left of a limit that began in another process. Only wall times survive a change of leader
 * and wall clocks step, so the answer is kept between `floorMs` (a step forward cannot end the wait
 * at once) and `limitMs` (a step backward cannot prolong it).
 */
export function remainingOfMs(limit: {
  readonly limitMs: number;
  readonly floorMs: number;
  readonly startedAtWallMs: number;
  readonly nowWallMs: number;
}): number {
  const leftMs = limit.limitMs - (limit.nowWallMs - limit.startedAtWallMs);
  return Math.min(limit.limitMs, Math.max(Math.min(limit.floorMs, limit.limitMs), leftMs));
}

/** The pause before a placement without room is asked again: doubling with each refusal. */
export const capacityPauseMs = (refusals: number, firstMs: number, maxMs: number): number =>
  Math.min(maxMs, firstMs * 2 ** Math.min(Math.max(0, refusals - 1), 20));
