import { type Clock, OperationError } from '@understudy/shared';

/** How often EC2 is looked at: in a run of its own nothing else competes for the rates. */
export const LOOK_EVERY_MS = 1_000;

export interface Wait {
  readonly what: string;
  readonly limitMs: number;
  readonly everyMs?: number;
}

/**
 * Looks until there is something, and says how long that took.
 * @throws OperationError `CLOUD_UNAVAILABLE` after `limitMs`; what `look` throws, at once
 */
export async function waitFor<T>(
  clock: Clock,
  { what, limitMs, everyMs = LOOK_EVERY_MS }: Wait,
  look: () => Promise<T | null>,
): Promise<{ readonly found: T; readonly tookMs: number }> {
  const fromMs = clock.monotonicMs();
  for (;;) {
    const found = await look();
    const tookMs = clock.monotonicMs() - fromMs;
    if (found !== null) return { found, tookMs };
    if (tookMs > limitMs) throw new OperationError('CLOUD_UNAVAILABLE', `not within ${limitMs} ms: ${what}`);
    await clock.sleep(everyMs);
  }
}
