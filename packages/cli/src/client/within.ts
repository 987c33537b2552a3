import type { Clock } from '@understudy/shared';

/** Does something whose requests end, by this signal, when the time is over. */
export async function within<T>(clock: Clock, limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const timer = clock.setTimer(limitMs, () => limit.abort(new Error(`no answer after ${limitMs} ms`)));
  try {
    return await work(limit.signal);
  } finally {
    timer.cancel();
  }
}
