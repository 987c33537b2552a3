import type { Clock, Timer } from '../ports/index.ts';
import { type MonotonicMs, monotonicMs, type WallMs, wallMs } from '../units.ts';

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
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = this.setTimer(durationMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
