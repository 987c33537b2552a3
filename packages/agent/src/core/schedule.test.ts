import { wallMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { decideBoot, firstSequence } from './boot.ts';
import { beatDelayMs } from './schedule.ts';

describe('schedule', () => {
  it('waits between 90 % and 110 % of the interval at 10 % jitter', () => {
    expect([0, 0.5, 1].map((random) => beatDelayMs(1_000, 0.1, random))).toEqual([900, 1_000, 1_100]);
  });
});

describe('boot epoch', () => {
  const wall = wallMs(1_700_000_000_500);
  it.each([
    ['a first start takes the wall clock', null, 1_700_000_000n, false],
    ['a restart takes the wall clock', { instanceId: 'i-1', bootEpoch: 5n }, 1_700_000_000n, false],
    [
      'a clock that went back: one more than stored',
      { instanceId: 'i-1', bootEpoch: 1_800_000_000n },
      1_800_000_001n,
      false,
    ],
    [
      'a restored disk is known by its instance, and still never goes back',
      { instanceId: 'i-0', bootEpoch: 1_800_000_000n },
      1_800_000_001n,
      true,
    ],
  ])('%s', (_name, stored, bootEpoch, restoredDisk) => {
    expect(decideBoot(stored, 'i-1', wall)).toEqual({ bootEpoch, restoredDisk });
  });

  it('an epoch that could not be stored keeps its sequences apart from those of a start in the same second', () => {
    expect(firstSequence(wallMs(1_700_000_000_501)) - firstSequence(wall)).toBe(1_048_576n);
  });
});
