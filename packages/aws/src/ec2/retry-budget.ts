import { type BucketLimit, type MonotonicMs, refilledBucket, type TokenBucket } from '@understudy/shared';

/**
 * Budget of all repeated reads: a burst for a bad moment, a trickle while nothing works, and two
 * repeats for every read that works.
 */
export const READ_RETRIES: BucketLimit = { burst: 100, refillPerSecond: 1 };
const PER_SUCCESS = 2;

/**
 * The bucket after a read that worked. Up to two thirds of all calls may fail, and every read is
 * still repeated.
 */
export function earned(bucket: TokenBucket, nowMs: MonotonicMs): TokenBucket {
  const now = refilledBucket(bucket, READ_RETRIES, nowMs);
  return { ...now, tokens: Math.min(READ_RETRIES.burst, now.tokens + PER_SUCCESS) };
}
