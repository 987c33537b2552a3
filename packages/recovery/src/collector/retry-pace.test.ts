import { monotonicMs } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { Absences } from './absences.ts';
import { RetryPace } from './retry-pace.ts';

const at = monotonicMs;
const MINUTE_MS = 60_000;

describe('what was refused', () => {
  test('is due again after 1, 2, 4 … minutes, and after an hour at the longest', () => {
    const pace = new RetryPace();
    expect(pace.isDue('k', at(0))).toBe(true);
    const minutes = Array.from({ length: 14 }, () => {
      pace.failed('k', at(0));
      let due = 1;
      while (!pace.isDue('k', at(due * MINUTE_MS))) due += 1;
      expect(pace.isDue('k', at(due * MINUTE_MS - 1))).toBe(false);
      return due;
    });
    expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60, 60, 60]);
  });

  test('counts from the refusal, each by itself', () => {
    const pace = new RetryPace();
    pace.failed('k', at(100_000));
    expect([pace.isDue('k', at(159_999)), pace.isDue('k', at(160_000)), pace.isDue('other', at(0))]).toEqual([
      false,
      true,
      true,
    ]);
  });

  test('is forgotten once it is off the books', () => {
    const pace = new RetryPace();
    for (const key of ['a', 'b']) pace.failed(key, at(0));
    pace.retain(new Set(['a']));
    expect([pace.isDue('a', at(1)), pace.isDue('b', at(1))]).toEqual([false, true]);
  });
});

describe('what is not shown', () => {
  test('is absent since the first look that did not show it, until one does', () => {
    const absences = new Absences();
    expect(absences.note('i-1', false, at(1_000))).toBe(0);
    expect(absences.note('i-1', false, at(4_000))).toBe(3_000);
    expect(absences.note('i-2', false, at(4_000))).toBe(0);
    expect(absences.note('i-1', true, at(5_000))).toBe(0);
    expect(absences.note('i-1', false, at(9_000))).toBe(0);
  });

  test('is forgotten once it is off the books', () => {
    const absences = new Absences();
    for (const id of ['a', 'b']) absences.note(id, false, at(0));
    absences.retain(new Set(['a']));
    expect([absences.note('a', false, at(5)), absences.note('b', false, at(5))]).toEqual([5, 0]);
  });
});
