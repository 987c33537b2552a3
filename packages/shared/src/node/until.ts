import { SystemClock } from './system-clock.ts';

/**
 * Calls `fact` every `everyMs` until it is truthy, and returns what it was.
 * @throws Error naming `what` after `limitMs`; what `fact` throws, at once.
 */
export async function until<T>(
  what: string,
  fact: () => Promise<T> | T,
  limitMs = 60_000,
  everyMs = 50,
): Promise<NonNullable<T>> {
  const clock = new SystemClock();
  const fromMs = clock.monotonicMs();
  for (;;) {
    const found = await fact();
    if (found) return found;
    if (clock.monotonicMs() - fromMs > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await clock.sleep(everyMs);
  }
}
