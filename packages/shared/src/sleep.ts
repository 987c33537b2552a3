import type { Clock } from './ports/clock.ts';

/**
 * {@link Clock.sleep} for every clock that has timers. Resolves after `durationMs`; rejects with
 * `signal.reason` as soon as `signal` aborts.
 */
export function sleepOn(clock: Pick<Clock, 'setTimer'>, durationMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimer(durationMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
