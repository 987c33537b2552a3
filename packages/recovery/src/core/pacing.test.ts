import { describe, expect, test } from 'vitest';
import { pollDelayMs, remainingOfMs } from './pacing.ts';

describe('pollDelayMs', () => {
  const pace = { pollMinMs: 250, pollMaxMs: 5_000, pollRatio: 0.025 };
  test.each([
    [0, 250],
    [10_000, 250],
    [100_000, 2_500],
    [10_000_000, 5_000],
  ])('after %i ms of waiting: %i ms', (waitedMs, want) => expect(pollDelayMs(waitedMs, pace)).toBe(want));
});

describe('remainingOfMs', () => {
  const limit = { limitMs: 600_000, floorMs: 30_000, startedAtWallMs: 1_000_000 };
  test.each([
    ['at the start: all of it', 1_000_000, 600_000],
    ['half-way: half', 1_300_000, 300_000],
    ['long over: the floor, so that a step forward of the clock does not end it at once', 9_000_000, 30_000],
    ['before the start: no more than all, so that a step backward does not prolong it', 0, 600_000],
  ])('%s', (_name, nowWallMs, want) => expect(remainingOfMs({ ...limit, nowWallMs })).toBe(want));

  test('a floor above the limit does not prolong it', () =>
    expect(remainingOfMs({ ...limit, limitMs: 5_000, nowWallMs: 9_000_000 })).toBe(5_000));
});
