import type { MonotonicMs } from '@understudy/shared';

/** What proves that an agent lives. */
export interface Pulse {
  /**
   * When the heartbeat loop last woke. Null: there is none yet, because the metadata service has
   * not told which instance this is.
   */
  readonly beatAtMs: MonotonicMs | null;
  readonly intervalMs: number;
}

/** A loop that has missed this many beats in a row does not live. */
const BEATS_MISSED_MAX = 5;
/** A busy machine delays timers; that is no reason to be killed. */
const SILENCE_MS_MIN = 5_000;

/**
 * May the service manager be told that this process lives? Only while its heartbeats go out. An
 * agent whose timers fire and whose heartbeats do not is dead to everybody else.
 */
export const mayPing = ({ beatAtMs, intervalMs }: Pulse, nowMs: MonotonicMs): boolean =>
  beatAtMs === null || nowMs - beatAtMs <= Math.max(SILENCE_MS_MIN, BEATS_MISSED_MAX * intervalMs);
