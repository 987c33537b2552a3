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
   * Calls `callback` once, not earlier than `delayMs` from now. Never keeps the process alive by
   * itself being forgotten: cancel it.
   */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Resolves after `durationMs`; rejects with `signal.reason` as soon as `signal` aborts. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}
