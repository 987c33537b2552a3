import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';

const range = { baseMs: 500, capMs: 10_000 };
const ALMOST_ONE = 1 - Number.EPSILON;

describe('a backoff', () => {
  test.each([
    ['half of the base at least', 0, 0, 250],
    ['the base at most, the first time', 0, ALMOST_ONE, 500],
    ['doubles with every attempt', 3, 0, 2_000],
    ['is spread evenly between half and all', 3, 0.5, 3_000],
    ['stops at the cap', 5, ALMOST_ONE, 10_000],
    ['stays at the cap, however often it failed', 4_000, 0, 5_000],
  ])('%s', (_, attempt, random, want) => expect(backoffMs(attempt, range, random)).toBeCloseTo(want, 6));

  test('is never a busy loop and never longer than the cap', () => {
    const attempts = fc.nat(10_000);
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(attempts, random, (attempt, drawn) => {
        const waitMs = backoffMs(attempt, range, drawn);
        expect(waitMs).toBeGreaterThanOrEqual(range.baseMs / 2);
        expect(waitMs).toBeLessThanOrEqual(range.capMs);
      }),
    );
  });
});
