import type { Clock, Timer } from '../ports/index.ts';
import { type MonotonicMs, monotonicMs, type WallMs, wallMs } from '../units.ts';
import { sleepOn } from '../sleep.ts';

/** The real clock: `performance.now()` and `Date.now()`. The only place with timers. */
export class SystemClock implements Clock {
  monotonicMs(): MonotonicMs {
    return monotonicMs(performance.now());
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
