import { setTimeout as wait } from 'node:timers/promises';

/** Polls every 5 ms until `condition`; throws after `limitMs`. @returns how long it took, ms. */
export async function until(condition: () => boolean, what: string, limitMs = 10_000): Promise<number> {
  const startedAtMs = performance.now();
  while (!condition()) {
    if (performance.now() - startedAtMs > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await wait(5);
  }
  return performance.now() - startedAtMs;
}
