import {
  type BucketLimit,
  fullBucket,
  msUntilTokens,
  takeTokens,
  type TokenBucket,
  type WhatIfView,
} from '@understudy/shared';

interface Used {
  readonly limit: BucketLimit;
  bucket: TokenBucket;
  calls: number;
  longestWaitMs: number;
}

/**
 * The limiter's buckets, full at the failure, and how long calls wait at them when each recovery
 * makes all of its calls as it begins. The same arithmetic as the limiter's.
 */
export class RateLimits {
  readonly #limitOf: (action: string) => BucketLimit | null;
  readonly #used = new Map<string, Used>();

  constructor(limitOf: (action: string) => BucketLimit | null) {
    this.#limitOf = limitOf;
  }

  /** How long the last of these calls waits, in ms. `atMs` after the failure. */
  take(calls: Readonly<Record<string, number>>, atMs: number): number {
    const waits = Object.entries(calls).map(([action, count]) => this.#takeOf(action, count, atMs));
    return Math.max(0, ...waits);
  }

  states(): WhatIfView['rates'] {
    return [...this.#used]
      .map(([action, { limit, calls, longestWaitMs }]) => ({ action, calls, ...limit, longestWaitMs }))
      .toSorted((a, b) => b.longestWaitMs - a.longestWaitMs || (a.action < b.action ? -1 : 1));
  }

  #takeOf(action: string, count: number, atMs: number): number {
    const used = this.#used.get(action) ?? this.#begin(action);
    if (used === null) return 0;
    const { limit } = used;
    let nowMs = Math.max(atMs, used.bucket.atMs);
    for (let taken = 0; taken < count; taken++) {
      nowMs += msUntilTokens(used.bucket, limit, nowMs);
      used.bucket = takeTokens(used.bucket, limit, nowMs) ?? { tokens: 0, atMs: nowMs };
    }
    used.calls += count;
    used.longestWaitMs = Math.max(used.longestWaitMs, nowMs - atMs);
    return nowMs - atMs;
  }

  #begin(action: string): Used | null {
    const limit = this.#limitOf(action);
    if (limit === null) return null;
    const used = { limit, bucket: fullBucket(limit, 0), calls: 0, longestWaitMs: 0 };
    this.#used.set(action, used);
    return used;
  }
}
