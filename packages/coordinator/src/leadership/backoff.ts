import type { Random } from '@understudy/shared';

/**
 * Full-range jitter over a doubling bound: `[bound/2, bound]`, bound = min · 2^attempt up to max.
 * `attempt` counts from 0.
 */
export function backoffMs(
  attempt: number,
  random: Random,
  range: { readonly minMs: number; readonly maxMs: number },
): number {
  const boundMs = Math.min(range.maxMs, range.minMs * 2 ** Math.min(attempt, 30));
  return boundMs * (0.5 + random.next() / 2);
}

/** Between attempts to reach etcd: 50 ms to 1 s. */
export const STORE_BACKOFF = { minMs: 50, maxMs: 1000 } as const;
