import { laterBy, type MonotonicMs } from '@understudy/shared';

const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;

interface Failing {
  readonly count: number;
  readonly againAtMs: MonotonicMs;
}

/**
 * When what was refused may be tried again: after 1, 2, 4 … 60 minutes, so that what stays refused
 * eats neither the rate limits nor the turn of others.
 */
export class RetryPace {
  readonly #failing = new Map<string, Failing>();

  isDue(key: string, nowMs: MonotonicMs): boolean {
    const failing = this.#failing.get(key);
    return failing === undefined || nowMs >= failing.againAtMs;
  }

  failed(key: string, nowMs: MonotonicMs): void {
    const count = (this.#failing.get(key)?.count ?? 0) + 1;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(count - 1, 10));
    this.#failing.set(key, { count, againAtMs: laterBy(nowMs, pauseMs) });
  }

  /** Forgets everything but these. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.#failing.keys()) if (!keys.has(key)) this.#failing.delete(key);
  }
}
