import { describe, expect, it } from 'vitest';
import { emptyBucket, fullBucket, msUntilTokens, refilledBucket, shareOfLimit, takeTokens } from './token-bucket.ts';

const limit = { burst: 5, refillPerSecond: 2 };

describe('a token bucket', () => {
  it('gives the burst at once, then one token per refill interval', () => {
    let bucket = fullBucket(limit, 0);
    for (let i = 0; i < 5; i++) bucket = takeTokens(bucket, limit, 0) ?? emptyBucket(-1);
    expect(takeTokens(bucket, limit, 0)).toBeNull();
    expect(msUntilTokens(bucket, limit, 0)).toBe(500);
    expect(takeTokens(bucket, limit, 499)).toBeNull();
    expect(takeTokens(bucket, limit, 500)).toEqual({ tokens: 0, atMs: 500 });
  });

  it('says how long the next token takes, from what is there', () => {
    expect(msUntilTokens({ tokens: 0.5, atMs: 0 }, limit, 0)).toBe(250);
    expect([1, 5].map((tokens) => msUntilTokens({ tokens, atMs: 0 }, limit, 0))).toEqual([0, 0]);
  });

  it.each([
    ['refills fractions', 0.25, 100, 0.45],
    ['stops at the burst', 4.9, 60_000, 5],
    ['ignores a clock that went back', 1, -1_000, 1],
  ])('%s', (_, tokens, afterMs, expected) => {
    expect(refilledBucket({ tokens, atMs: 10_000 }, limit, 10_000 + afterMs).tokens).toBeCloseTo(expected, 12);
  });

  it('gives a token at exactly the time it said, for awkward rates too', () => {
    for (const refillPerSecond of [0.1, 0.3, 0.7, 1.2, 3, 7, 11.4]) {
      const awkward = { burst: 3, refillPerSecond };
      const waitMs = msUntilTokens(emptyBucket(12_345.678), awkward, 12_345.678);
      expect(takeTokens(emptyBucket(12_345.678), awkward, 12_345.678 + waitMs)).not.toBeNull();
    }
  });

  it('takes many tokens at once, or none of them', () => {
    const bucket = fullBucket(limit, 0);
    expect(takeTokens(bucket, limit, 0, 5)).toEqual({ tokens: 0, atMs: 0 });
    expect(takeTokens(bucket, limit, 0, 6)).toBeNull();
    expect(takeTokens({ tokens: 1, atMs: 0 }, limit, 500, 2)).toEqual({ tokens: 0, atMs: 500 });
  });

  it('does not refill again the time that a clock went back and forth over', () => {
    const back = refilledBucket({ tokens: 1, atMs: 10_000 }, limit, 9_000);
    expect(refilledBucket(back, limit, 10_000).tokens).toBe(1);
  });

  it('keeps at least one token of a small share', () => {
    expect(shareOfLimit({ burst: 5, refillPerSecond: 2 }, 0.6)).toEqual({ burst: 3, refillPerSecond: 1.2 });
    expect(shareOfLimit({ burst: 1, refillPerSecond: 1 }, 0.1)).toEqual({ burst: 1, refillPerSecond: 0.1 });
  });
});
