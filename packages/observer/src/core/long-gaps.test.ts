import { describe, expect, it } from 'vitest';
import { LongGaps } from './long-gaps.ts';

const LONG_MS = 2_500;
const after = (...gapsMs: readonly number[]): LongGaps => {
  const gaps = new LongGaps();
  for (const gapMs of gapsMs) gaps.note(3, gapMs, LONG_MS);
  return gaps;
};
const median = (...gapsMs: readonly number[]): number => after(...gapsMs).medianMs(3);

describe('the usual gap between heartbeats', () => {
  it('is known from the third gap on, beginning with the first long one', () => {
    expect(median()).toBe(0);
    expect(median(10_000, 10_000)).toBe(0);
    expect(median(10_000, 10_100, 9_900)).toBe(10_000);
    expect(median(1_000, 1_000, 10_000, 9_900)).toBe(0);
  });

  it('is the median of the last five, the lower one of four', () => {
    expect(median(9_000, 30_000, 8_000, 10_000)).toBe(9_000);
    expect(median(9_000, 60_000, 8_000, 7_000, 60_000)).toBe(9_000);
    expect(median(50_000, 50_000, 50_000, 10_000, 10_001, 10_002)).toBe(10_002);
    expect(median(3_000, 10_000, 200_000)).toBe(10_000);
  });

  it('of one that has none longer than it may is not kept', () => {
    expect(median(LONG_MS, LONG_MS, LONG_MS)).toBe(0);
    expect(median(LONG_MS + 1, LONG_MS + 1, LONG_MS + 1)).toBe(LONG_MS + 1);
    expect(median(10_000, 1_000, 1_000, 1_000, 1_000)).toBe(1_000);
    expect(median(10_000, 1_000, 1_000, 1_000, 1_000, 1_000)).toBe(0);
    expect(median(10_000, LONG_MS, LONG_MS, LONG_MS, LONG_MS, LONG_MS)).toBe(0);
  });

  it('is each agent’s own, and forgotten with it', () => {
    const gaps = after(10_000, 10_000, 10_000);
    expect(gaps.medianMs(4)).toBe(0);
    gaps.forget(4);
    expect(gaps.medianMs(3)).toBe(10_000);
    gaps.forget(3);
    expect(gaps.medianMs(3)).toBe(0);
  });
});
