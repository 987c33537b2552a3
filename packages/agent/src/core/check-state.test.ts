import { CHECK_CODES, monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { checkReading, type CheckResult, initialCheckState, nextCheckState, worstOf } from './check-state.ts';

const LIMITS = { rise: 2, fall: 3 };
const RESULTS: Readonly<Record<string, CheckResult>> = {
  p: { status: 'pass', code: 'none' },
  w: { status: 'warn', code: 'spotNotice' },
  f: { status: 'fail', code: 'spaceLow' },
  u: { status: 'unknown', code: 'deadlineExceeded' },
};

/** Feeds one letter per second. Returns the status after each, by its first letter. */
function statuses(letters: string): string {
  let state = initialCheckState(monotonicMs(0));
  return letters
    .split('')
    .map((letter, index) => {
      state = nextCheckState(
        state,
        RESULTS[letter] ?? { status: 'unknown', code: 'none' },
        LIMITS,
        monotonicMs((index + 1) * 1_000),
      );
      return state.status[0];
    })
    .join('');
}

describe('check state, rise 2, fall 3', () => {
  it.each([
    ['the first good result counts at once', 'p', 'p'],
    ['a fresh start fails only after three', 'fff', 'uuf'],
    ['three failures in a row', 'pfff', 'pppf'],
    ['a good result in between starts over', 'pffpff', 'pppppp'],
    ['a late one in between does not', 'pffuf', 'pppuf'],
    ['back after two', 'pfffpp', 'pppffp'],
    ['a failure in between starts over', 'pfffpfp', 'pppffff'],
    ['warnings show at once', 'pwp', 'pwp'],
    ['late is unknown', 'pu', 'pu'],
    ['late is no recovery', 'pfffu', 'pppff'],
  ])('%s', (_name, letters, expected) => {
    expect(statuses(letters)).toBe(expected);
  });

  it('the age of a late check is that of its last result', () => {
    let state = nextCheckState(
      initialCheckState(monotonicMs(0)),
      { status: 'pass', code: 'none' },
      LIMITS,
      monotonicMs(1_000),
    );
    state = nextCheckState(state, { status: 'unknown', code: 'deadlineExceeded' }, LIMITS, monotonicMs(6_000));
    expect(checkReading(state, monotonicMs(9_500))).toEqual({
      status: 'unknown',
      code: CHECK_CODES.deadlineExceeded,
      ageSeconds: 8,
    });
  });
});

describe('several checks in one slot', () => {
  const stateOf = (status: CheckResult['status'], detail: string) => ({
    ...initialCheckState(monotonicMs(0)),
    status,
    detail,
  });
  it.each([
    ['pass warn unknown fail', 'fail 3'],
    ['fail fail', 'fail 0'],
    ['warn unknown pass', 'unknown 1'],
    ['pass warn', 'warn 1'],
    ['pass pass', 'pass 0'],
  ])('%s', (statuses, expected) => {
    const states = statuses.split(' ').map((status, i) => stateOf(status as CheckResult['status'], `${i}`));
    const worst = worstOf(states);
    expect(`${worst?.status} ${worst?.detail}`).toBe(expected);
  });
  it('none', () => expect(worstOf([])).toBeUndefined());
});
