import { describe, expect, it } from 'vitest';
import { FULL_PACE, paceAt, throttledPace } from './pace.ts';

describe('the pace after throttles', () => {
  it('is half after a throttle, and doubles within half a minute', () => {
    const pace = throttledPace(FULL_PACE, 1_000);
    expect([1_000, 16_000, 31_000, 90_000].map((atMs) => paceAt(pace, atMs))).toEqual([0.5, Math.SQRT1_2, 1, 1]);
  });

  it('counts throttles of one moment once', () => {
    const pace = throttledPace(throttledPace(FULL_PACE, 1_000), 1_999);
    expect(paceAt(pace, 2_000)).toBeCloseTo(0.5, 1);
    expect(paceAt(throttledPace(pace, 2_000), 2_000)).toBeCloseTo(0.25, 1);
  });

  it('never falls below a sixteenth', () => {
    let pace = FULL_PACE;
    for (let atMs = 0; atMs < 60_000; atMs += 1_000) pace = throttledPace(pace, atMs);
    expect(paceAt(pace, 59_000)).toBe(1 / 16);
  });
});
