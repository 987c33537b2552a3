/** Bounds of the waits before something that failed is tried again. */
export interface BackoffRange {
  /** Bound of the first wait. */
  readonly baseMs: number;
  /** Bound of every wait. */
  readonly capMs: number;
}

/** 2^30 times the smallest base is longer than any cap; higher powers would only overflow. */
const DOUBLINGS_MAX = 30;

/**
 * Exponential backoff with "equal jitter" (M. Brooker, AWS Architecture Blog, "Exponential Backoff
 * And Jitter", 2015): between half and all of min(capMs, baseMs · 2^attempt). The fixed half bounds
 * the rate of tries without a floor of its own, which "full jitter" would need. The random half
 * spreads those that failed together. `attempt` counts from 0; `random` is in [0, 1).
 */
export function backoffMs(attempt: number, { baseMs, capMs }: BackoffRange, random: number): number {
  const boundMs = Math.min(capMs, baseMs * 2 ** Math.min(attempt, DOUBLINGS_MAX));
  return boundMs * (0.5 + random / 2);
}
