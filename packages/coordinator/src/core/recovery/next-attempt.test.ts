import { describe, expect, test } from 'vitest';
import type { AttemptFailure } from './launch-outcome.ts';
import { type EndedAttempt, nextAttempt } from './next-attempt.ts';

const ended = (candidateIndex: number, failure: AttemptFailure, round = 1): EndedAttempt => ({
  round,
  candidateIndex,
  failure,
  text: 'because',
});
const next = (all: readonly EndedAttempt[], limits: Partial<Parameters<typeof nextAttempt>[1]> = {}) =>
  nextAttempt(all, { candidateCount: 2, maxAttempts: 3, retryAsked: false, ...limits });
const attempt = (candidateIndex: number, pauseFirst = false, round = 1) => ({
  kind: 'attempt',
  round,
  candidateIndex,
  pauseFirst,
});

describe('nextAttempt', () => {
  test('the first is the first', () => expect(next([])).toEqual(attempt(0)));
  test('no capacity: the next candidate, at once', () => expect(next([ended(0, 'capacity')])).toEqual(attempt(1)));
  test('no capacity anywhere: the first again, after a pause', () =>
    expect(next([ended(0, 'capacity'), ended(1, 'capacity')])).toEqual(attempt(0, true)));
  test('a replacement that did not verify: the next candidate, or the only one again, without a pause', () => {
    expect(next([ended(0, 'instance')])).toEqual(attempt(1));
    expect(next([ended(0, 'instance')], { candidateCount: 1 })).toEqual(attempt(0));
  });
  test('a candidate EC2 refuses for good is not asked again', () =>
    expect(next([ended(0, 'placement'), ended(1, 'capacity')])).toEqual(attempt(1, true)));
  test('all refused for good: held', () =>
    expect(next([ended(0, 'placement'), ended(1, 'placement')])).toMatchObject({ reason: 'NoPlacementLeft' }));
  test('the policy is spent: held, with the last reason', () => {
    const spent = next([ended(0, 'capacity'), ended(1, 'instance'), ended(0, 'capacity')]);
    expect(spent).toMatchObject({ kind: 'hold', reason: 'LaunchAttemptsExhausted' });
    expect(spent.kind === 'hold' && spent.text).toContain('because');
  });
  test('a person takes the hold away: a new round, from the first candidate', () => {
    const spent = [ended(0, 'placement'), ended(1, 'placement')];
    expect(next(spent, { retryAsked: true })).toEqual(attempt(0, false, 2));
    expect(next([...spent, ended(0, 'capacity', 2)])).toEqual(attempt(1, false, 2));
  });
  test('asking for a retry does not cut a round short', () =>
    expect(next([ended(0, 'capacity')], { retryAsked: true })).toEqual(attempt(1)));
});
