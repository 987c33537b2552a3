export interface BucketLimit {
  /** The most tokens the bucket holds. */
  readonly burst: number;
  readonly refillPerSecond: number;
}

/**
 * A token bucket as a value. `atMs` is the moment at which `tokens` was right, by one monotonic
 * clock. All calls about one bucket take their `nowMs` from the same clock.
 */
export interface TokenBucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** Tolerance, because rounding in the refill arithmetic must not cost a whole timer turn. */
const ROUNDING = 1e-9;

export const fullBucket = (limit: BucketLimit, nowMs: number): TokenBucket => ({ tokens: limit.burst, atMs: nowMs });

/**
 * The bucket refilled continuously to the burst. A clock that went back refills nothing, now or
 * later.
 */
export function refilledBucket(bucket: TokenBucket, limit: BucketLimit, nowMs: number): TokenBucket {
  const gained = (Math.max(0, nowMs - bucket.atMs) * limit.refillPerSecond) / 1000;
  return { tokens: Math.min(limit.burst, bucket.tokens + gained), atMs: Math.max(bucket.atMs, nowMs) };
}

/** The bucket without `count` tokens, or null when it does not hold as many whole ones. */
export function takeTokens(bucket: TokenBucket, limit: BucketLimit, nowMs: number, count = 1): TokenBucket | null {
  const { tokens, atMs } = refilledBucket(bucket, limit, nowMs);
  return tokens + ROUNDING >= count ? { tokens: Math.max(0, tokens - count), atMs } : null;
}

/** An empty bucket: the other side has no tokens left, whatever we counted. */
export const emptyBucket = (nowMs: number): TokenBucket => ({ tokens: 0, atMs: nowMs });

/** Time until there are `count` whole tokens, in ms. 0 when there are. */
export function msUntilTokens(bucket: TokenBucket, limit: BucketLimit, nowMs: number, count = 1): number {
  const missing = count - refilledBucket(bucket, limit, nowMs).tokens;
  return missing <= ROUNDING ? 0 : (missing * 1000) / limit.refillPerSecond;
}

/** A share of a limit, so that others find tokens too. It is at least one token. */
export const shareOfLimit = (limit: BucketLimit, share: number): BucketLimit => ({
  burst: Math.max(1, limit.burst * share),
  refillPerSecond: limit.refillPerSecond * share,
});
