import type { Clock, Timer } from '../ports/clock.ts';
import { type MonotonicMs, monotonicMs, type WallMs, wallMs } from '../units.ts';
import { sleepOn } from '../sleep.ts';

/**
 * The real clock: `CLOCK_MONOTONIC` itself (`process.hrtime`) and `Date.now()`. The only place with
 * timers.
 *
 * It does not use `performance.now()`, which counts from the start of its own thread. To convert
 * one thread's moments into another's would take two readings, with a pause of any length between
 * them. So a moment taken in a receive thread means the same on the main thread.
 */
export class SystemClock implements Clock {
  monotonicMs(): MonotonicMs {
    const [seconds, nanoseconds] = process.hrtime();
    return monotonicMs(seconds * 1_000 + nanoseconds / 1e6);
  }

  wallMs(): WallMs {
    return wallMs(Date.now());
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const handle = setTimeout(callback, Math.max(0, delayMs));
    return { cancel: () => clearTimeout(handle) };
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, durationMs, signal);
  }
}
