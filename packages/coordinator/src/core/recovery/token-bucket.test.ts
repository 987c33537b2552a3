import { monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { drained, fullBucket, refilled, sharedLimit, taken, waitMsOf } from './token-bucket.ts';

const at = monotonicMs;
const limit = { burst: 5, refillPerSecond: 2 };

describe('a token bucket', () => {
  it('gives the burst at once, then one token per refill interval', () => {
    let bucket = fullBucket(limit, at(0));
    for (let i = 0; i < 5; i++) bucket = taken(bucket, limit, at(0)) ?? drained(at(-1));
    expect(taken(bucket, limit, at(0))).toBeNull();
    expect(waitMsOf(bucket, limit, at(0))).toBe(500);
    expect(taken(bucket, limit, at(499))).toBeNull();
    expect(taken(bucket, limit, at(500))).toEqual({ tokens: 0, atMs: 500 });
  });

  it('says how long the next token takes, from what is there', () => {
    expect(waitMsOf({ tokens: 0.5, atMs: at(0) }, limit, at(0))).toBe(250);
    expect([1, 5].map((tokens) => waitMsOf({ tokens, atMs: at(0) }, limit, at(0)))).toEqual([0, 0]);
  });

  it.each([
    ['refills fractions', 0.25, 100, 0.45],
    ['stops at the burst', 4.9, 60_000, 5],
    ['ignores a clock that went back', 1, -1_000, 1],
  ])('%s', (_, tokens, afterMs, expected) => {
    expect(refilled({ tokens, atMs: at(10_000) }, limit, at(10_000 + afterMs)).tokens).toBeCloseTo(expected, 12);
  });

  it('gives a token at exactly the time it said, for awkward rates too', () => {
    for (const refillPerSecond of [0.1, 0.3, 0.7, 1.2, 3, 7, 11.4]) {
      const awkward = { burst: 3, refillPerSecond };
      const waitMs = waitMsOf(drained(at(12_345.678)), awkward, at(12_345.678));
      expect(taken(drained(at(12_345.678)), awkward, at(12_345.678 + waitMs))).not.toBeNull();
    }
  });

  it('keeps at least one token of a small share', () => {
    expect(sharedLimit({ burst: 5, refillPerSecond: 2 }, 0.6)).toEqual({ burst: 3, refillPerSecond: 1.2 });
    expect(sharedLimit({ burst: 1, refillPerSecond: 1 }, 0.1)).toEqual({ burst: 1, refillPerSecond: 0.1 });
  });
});
