import type { MonotonicMs, WallMs } from '../units.ts';

/** A pending timer. `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

/** The only source of time. Production: `SystemClock`; simulation: `SimClock`. */
export interface Clock {
  monotonicMs(): MonotonicMs;
  wallMs(): WallMs;
  /**
   * Calls `callback` once, not earlier than `delayMs` from now. A timer that is not needed any more
   * must be cancelled.
   */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Resolves after `durationMs`. Rejects with `signal.reason` as soon as `signal` aborts. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}
