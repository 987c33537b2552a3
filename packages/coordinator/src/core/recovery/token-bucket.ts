import type { MonotonicMs } from '@understudy/shared';

export interface BucketLimit {
  /** Most tokens it holds. */
  readonly burst: number;
  readonly refillPerSecond: number;
}

/** A value: `at` is when `tokens` was right. */
export interface TokenBucket {
  readonly tokens: number;
  readonly atMs: MonotonicMs;
}

/** Rounding of the refill arithmetic must not cost a whole timer turn. */
const ROUNDING = 1e-9;

export const fullBucket = (limit: BucketLimit, nowMs: MonotonicMs): TokenBucket => ({
  tokens: limit.burst,
  atMs: nowMs,
});

/** Continuous refill to the burst; a clock that went back refills nothing. */
export function refilled(bucket: TokenBucket, limit: BucketLimit, nowMs: MonotonicMs): TokenBucket {
  const gained = (Math.max(0, nowMs - bucket.atMs) * limit.refillPerSecond) / 1000;
  return { tokens: Math.min(limit.burst, bucket.tokens + gained), atMs: nowMs };
}

/** One token less, or null when there is no whole one. */
export function taken(bucket: TokenBucket, limit: BucketLimit, nowMs: MonotonicMs): TokenBucket | null {
  const now = refilled(bucket, limit, nowMs);
  return now.tokens + ROUNDING >= 1 ? { tokens: Math.max(0, now.tokens - 1), atMs: nowMs } : null;
}

/** The other side has none left, whatever we counted. */
export const drained = (nowMs: MonotonicMs): TokenBucket => ({ tokens: 0, atMs: nowMs });

/** Until the next whole token; 0 when there is one. */
export function waitMsOf(bucket: TokenBucket, limit: BucketLimit, nowMs: MonotonicMs): number {
  const missing = 1 - refilled(bucket, limit, nowMs).tokens;
  return missing <= ROUNDING ? 0 : (missing * 1000) / limit.refillPerSecond;
}

/**
 * `share` of EC2's limit, so that others in the account find tokens too; at least one token fits
 * in.
 */
export const sharedLimit = (limit: BucketLimit, share: number): BucketLimit => ({
  burst: Math.max(1, limit.burst * share),
  refillPerSecond: limit.refillPerSecond * share,
});
