import type { PlacementCandidate } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import type { AttemptFailure } from './launch-outcome.ts';
import { type AttemptLimits, condemned, type EndedAttempt, nextAttempt } from './next-attempt.ts';

const HOUR_MS = 3_600_000;
const candidate = (index: number): PlacementCandidate => ({
  ...{ subnetId: `subnet-${index}`, az: `az-${index}`, instanceType: `type-${index}` },
});
const limitsOf = (count: number, more: Partial<AttemptLimits> = {}): AttemptLimits => ({
  member: 'db/one',
  candidates: Array.from({ length: count }, (_, index) => candidate(index)),
  ...{ maxAttempts: 3, retryAsked: false, nowWallMs: 0, retryRefusedForMs: 24 * HOUR_MS },
  ...{ condemnedForMs: 900_000, pauseMs: 60_000, pauseMaxMs: 300_000 },
  ...more,
});
/** Ended attempts in a row, a second apart; a series begins anew after what launched. */
function ended(...all: readonly (readonly [number, AttemptFailure, string?])[]): EndedAttempt[] {
  let series = { seriesLength: 0, seriesSinceWallMs: 0 };
  return all.map(([candidateIndex, failure, text = 'because'], index) => {
    const sinceWallMs = series.seriesLength === 0 ? index * 1_000 : series.seriesSinceWallMs;
    series =
      failure === 'instance'
        ? { seriesLength: 0, seriesSinceWallMs: 0 }
        : { seriesLength: series.seriesLength + 1, seriesSinceWallMs: sinceWallMs };
    return { round: 1, candidateIndex, failure, text, endedAtWallMs: index * 1_000, ...series };
  });
}
const next = (all: readonly EndedAttempt[], more: Partial<AttemptLimits> = {}, count = 2) =>
  nextAttempt(all, limitsOf(count, more));
const attempt = (candidateIndex: number, pauseMs = 0, round = 1) => ({
  kind: 'attempt',
  round,
  candidateIndex,
  pauseMs,
});

describe('nextAttempt', () => {
  test('the first is the first', () => expect(next([])).toMatchObject(attempt(0)));
  test('no capacity: the next candidate, at once', () =>
    expect(next(ended([0, 'capacity']))).toMatchObject(attempt(1)));
  test('a launch of which nothing became known: the next candidate', () =>
    expect(next(ended([0, 'unknown']))).toMatchObject(attempt(1)));
  test('no capacity anywhere: the first again, after a pause', () =>
    expect(next(ended([0, 'capacity'], [1, 'capacity']))).toMatchObject(attempt(0, 60_000)));
  test('the others of a turn follow without one', () =>
    expect(next(ended([0, 'capacity'], [1, 'capacity'], [0, 'capacity']))).toMatchObject(attempt(1)));
  test('a replacement that did not verify: the next candidate, or the only one again, without a pause', () => {
    expect(next(ended([0, 'instance']))).toMatchObject(attempt(1));
    expect(next(ended([0, 'instance']), {}, 1)).toMatchObject(attempt(0));
  });
  test('a candidate refused for its own fault is not asked again, until its cause may have ended', () => {
    const all = ended([0, 'placement'], [1, 'capacity']);
    expect(next(all, { nowWallMs: 800_000 })).toMatchObject({ candidateIndex: 1 });
    expect(next(all, { nowWallMs: 950_000 })).toMatchObject({ candidateIndex: 0 });
  });
  test('a quota that is used up is that of the whole family: the next candidate of another one', () => {
    const of = (...types: readonly string[]) => ({
      candidates: types.map((type) => ({ ...candidate(0), instanceType: type })),
    });
    const all = ended([0, 'capacity', 'RunInstances: VcpuLimitExceeded: too many']);
    expect(next(all, of('m7i.large', 'r7i.large', 'g5.xlarge'))).toMatchObject(attempt(2));
    expect(next(all, of('m7i.large', 'r7i.large'))).toMatchObject(attempt(1));
    expect(next(all, { ...of('m7i.large', 'r7i.large', 'g5.xlarge'), nowWallMs: HOUR_MS })).toMatchObject(attempt(1));
  });
  test('a subnet without addresses: another subnet of its zone first', () => {
    const at = (subnetId: string, az: string) => ({ subnetId, az, instanceType: 'm7i.large' });
    const candidates = [at('s-1', 'a'), at('s-2', 'b'), at('s-3', 'a')];
    const all = ended([0, 'capacity', 'CreateNetworkInterface: InsufficientFreeAddressesInSubnet: none']);
    expect(next(all, { candidates })).toMatchObject(attempt(2));
  });
  test('a key pair that is gone: the same candidate at once, without it', () =>
    expect(next(ended([0, 'unknown', 'RunInstances: InvalidKeyPair.NotFound: ops']))).toMatchObject(attempt(0)));
  test('all refused for their own fault: held, each named with its reason', () => {
    const held = next(ended([0, 'placement', 'is arm64'], [1, 'placement', 'takes 4 disks']));
    expect(held).toMatchObject({ kind: 'hold', reason: 'NoPlacementLeft' });
    const text = held.kind === 'hold' ? held.text : '';
    expect(text).toContain('type-0 in subnet-0 (az-0): is arm64');
    expect(text).toContain('type-1 in subnet-1 (az-1): takes 4 disks');
    expect(text).toContain('asked again after 15 min');
    expect(text).toContain('understudy replan db/one --reason TEXT');
  });
  test('... and asked again by itself when that may have changed', () =>
    expect(next(ended([0, 'placement'], [1, 'placement']), { nowWallMs: 1_000_000 })).toMatchObject(attempt(0)));
});

describe('EC2 refuses the rate at which disks are filled', () => {
  const RATE = 'The cumulative volume initialization rate of 5000 MiB/s is exceeded.';
  test('the same placement again, at once, without it', () => {
    expect(next(ended([1, 'capacity', RATE]))).toMatchObject(attempt(1));
    expect(next(ended([0, 'capacity'], [1, 'capacity', RATE]))).toMatchObject(attempt(1));
  });
  test('and where that is refused in the same words, the next one, with pauses as ever', () => {
    expect(next(ended([0, 'capacity', RATE], [0, 'capacity', RATE]))).toMatchObject(attempt(1));
    const only = ended([0, 'capacity', RATE], [0, 'capacity', RATE]);
    expect(next(only, {}, 1)).toMatchObject({ pauseMs: expect.toSatisfy((ms: number) => ms >= 60_000) });
  });
});

describe('what costs a try', () => {
  test('replacements that failed: held, with the last reason', () => {
    const spent = next(ended([0, 'instance'], [1, 'instance'], [0, 'instance', 'mute']));
    expect(spent).toMatchObject({ kind: 'hold', reason: 'LaunchAttemptsExhausted' });
    expect(spent.kind === 'hold' && spent.text).toBe(
      '3 of 3 replacements failed; the last: mute. To try again at once: understudy retry db/one --reason TEXT; ' +
        'with a plan from the policy of now: understudy replan db/one --reason TEXT',
    );
  });
  test.each<AttemptFailure>(['capacity', 'unknown', 'key'])('%s costs none, a hundred times', (failure) => {
    const all = ended(...Array.from({ length: 100 }, (_, index) => [index % 2, failure] as const));
    expect(next(all, { nowWallMs: HOUR_MS })).toMatchObject({ kind: 'attempt', candidateIndex: 0 });
  });
  test('in between they do not count either', () => {
    const all = ended([0, 'instance'], [1, 'capacity'], [0, 'instance'], [1, 'capacity'], [0, 'capacity']);
    expect(next(all).kind).toBe('attempt');
    expect(next(all, { maxAttempts: 2 })).toMatchObject({ reason: 'LaunchAttemptsExhausted' });
  });
  test('for as long as the policy says; then held, with what each candidate answered', () => {
    const all = ended([0, 'capacity', 'none here'], [1, 'capacity', 'none there']);
    const limit = { retryRefusedForMs: HOUR_MS };
    expect(next(all, { ...limit, nowWallMs: HOUR_MS - 1 }).kind).toBe('attempt');
    const held = next(all, { ...limit, nowWallMs: HOUR_MS });
    expect(held).toMatchObject({ kind: 'hold', reason: 'LaunchAttemptsExhausted' });
    expect(held.kind === 'hold' && held.text).toContain('type-1 in subnet-1 (az-1): none there');
    expect(held.kind === 'hold' && held.text).toContain('understudy retry db/one --reason TEXT');
  });
  test('a launch begins the series anew', () => {
    const all = ended([0, 'capacity'], [1, 'instance'], [0, 'capacity']);
    expect(next(all, { retryRefusedForMs: 1_500, nowWallMs: 2_100 }).kind).toBe('attempt');
  });
});

describe('the pauses', () => {
  const turns = (count: number, candidates: number) =>
    ended(...Array.from({ length: count * candidates }, (_, index) => [index % candidates, 'capacity'] as const));
  const pauseAfter = (count: number, candidates: number) => {
    const found = next(turns(count, candidates), {}, candidates);
    return found.kind === 'attempt' ? found.pauseMs : null;
  };

  test('double from turn to turn, up to the longest', () =>
    expect([1, 2, 3, 4, 9].map((count) => pauseAfter(count, 1))).toEqual([60_000, 120_000, 240_000, 300_000, 300_000]));
  test('are long enough that the journal gets one attempt a minute at most, however many candidates', () => {
    expect(pauseAfter(2, 3)).toBe(180_000);
    expect(pauseAfter(9, 20)).toBe(20 * 60_000);
  });
  test('what is waited for is named, with since when', () => {
    const found = next(turns(3, 2));
    expect(found).toMatchObject({ shortage: { sinceWallMs: 0 } });
    expect(found.kind === 'attempt' && found.shortage?.text).toContain('type-0 in subnet-0 (az-0): because');
  });
});

describe('a person takes the hold away', () => {
  const spent = ended([0, 'placement'], [1, 'placement']);
  test('a new round, from the first candidate', () =>
    expect(next(spent, { retryAsked: true })).toMatchObject(attempt(0, 0, 2)));
  test('in which nothing of the last one counts', () => {
    const again = { ...ended([0, 'capacity'])[0], round: 2 } as EndedAttempt;
    expect(next([...spent, again])).toMatchObject(attempt(1, 0, 2));
  });
  test('asking for a retry does not cut a round short', () =>
    expect(next(ended([0, 'capacity']), { retryAsked: true })).toMatchObject(attempt(1)));
});

describe('at the bounds', () => {
  const refusedAt = (endedAtWallMs: number, round = 1, candidateIndex = 0): EndedAttempt => ({
    ...{
      round,
      candidateIndex,
      failure: 'placement',
      text: 'no',
      endedAtWallMs,
      seriesLength: 1,
      seriesSinceWallMs: 0,
    },
  });
  const alone = (all: readonly EndedAttempt[], nowWallMs: number, count = 2) => [
    ...condemned(all, limitsOf(count, { nowWallMs })),
  ];

  test('a candidate is left alone for 15 minutes to the millisecond, whichever way the clock was set', () => {
    expect(alone([refusedAt(1_000_000)], 1_899_999)).toEqual([0]);
    expect(alone([refusedAt(1_000_000)], 1_900_000)).toEqual([]);
    expect(alone([refusedAt(1_000_000)], 100_001)).toEqual([0]);
    expect(alone([refusedAt(1_000_000)], 100_000)).toEqual([]);
  });
  test('with many candidates a minute for each, if that is longer', () => {
    expect(alone([refusedAt(0)], 1_199_999, 20)).toEqual([0]);
    expect(alone([refusedAt(0)], 1_200_000, 20)).toEqual([]);
  });
  test('what was refused in an earlier round does not count, nor what was asked again since', () => {
    expect(alone([refusedAt(0, 1), refusedAt(0, 2, 1)], 1)).toEqual([1]);
    expect(alone([refusedAt(0, 1), refusedAt(0, 1, 1), refusedAt(0, 2, 1)], 1)).toEqual([1]);
    const again: EndedAttempt = { ...refusedAt(1), failure: 'capacity' };
    expect(alone([refusedAt(0), again], 2)).toEqual([]);
    expect(alone([], 0)).toEqual([]);
  });

  test('an earlier round costs nothing in the next', () => {
    const first = ended([0, 'instance'], [1, 'instance'], [0, 'instance']);
    const second: EndedAttempt = { ...refusedAt(5_000, 2), failure: 'instance', seriesLength: 0 };
    expect(next([...first, second])).toMatchObject(attempt(1, 0, 2));
    expect(next(first, { retryAsked: true })).toMatchObject(attempt(0, 0, 2));
  });

  test('the pause is as long as the turn: with one of three condemned, after two', () => {
    const all = ended([0, 'placement'], [1, 'capacity'], [2, 'capacity'], [1, 'capacity'], [2, 'capacity']);
    // Five in the series, two usable: in the middle of a turn.
    expect(next(all, {}, 3)).toMatchObject(attempt(1, 0));
    const six = [...all, ...ended([1, 'capacity']).map((one) => ({ ...one, seriesLength: 6 }))];
    expect(next(six, {}, 3)).toMatchObject(attempt(2, 240_000));
  });
  test('a candidate that was not asked since the last launch is asked at once', () => {
    expect(next(ended([0, 'capacity'], [1, 'instance'], [0, 'capacity']))).toMatchObject(attempt(1, 0));
    expect(next(ended([1, 'capacity'], [0, 'instance'], [1, 'placement']), { nowWallMs: 1_000_000 })).toMatchObject(
      attempt(0, 0),
    );
  });
  test('... also where as many were asked as there are to ask', () =>
    expect(next(ended([0, 'instance'], [1, 'capacity'], [2, 'placement']), {}, 3)).toMatchObject(attempt(0, 0)));
  test('short pauses stay short: as many as there are candidates to ask', () => {
    const all = ended([0, 'capacity'], [1, 'capacity'], [0, 'capacity'], [1, 'capacity']);
    expect(next(all, { pauseMs: 10, pauseMaxMs: 15 })).toMatchObject(attempt(0, 20));
    expect(next(all, { pauseMs: 90_000, pauseMaxMs: 100_000 })).toMatchObject(attempt(0, 120_000));
  });

  const shortageOf = (count: number, text = 'because') => {
    const all = Array.from({ length: count }, (_, index) => [index, 'capacity', text] as const);
    const one = next(ended(...all), {}, count + 1);
    return one.kind === 'attempt' ? (one.shortage?.text ?? '') : '';
  };
  test('ten candidates are named, and the others counted', () => {
    expect(shortageOf(10)).not.toContain('more');
    expect(shortageOf(10).split('; ')).toHaveLength(10);
    expect(shortageOf(12)).toMatch(/; and 2 more$/);
    expect(shortageOf(12).split('; ')).toHaveLength(11);
    expect(shortageOf(1)).toBe('type-0 in subnet-0 (az-0): because');
  });
  test('of a long reason the first 200 characters', () =>
    expect(shortageOf(1, 'x'.repeat(500))).toBe(`type-0 in subnet-0 (az-0): ${'x'.repeat(200)}`));
  test('what is waited for is told from a key that cannot be used', () => {
    expect(next(ended([0, 'key']))).toMatchObject({ shortage: { forKey: true } });
    expect(next(ended([0, 'key'], [1, 'capacity']))).toMatchObject({ shortage: { forKey: false } });
  });
  test('an attempt that follows a launch waits for no shortage', () =>
    expect(next(ended([0, 'instance']))).toMatchObject({ shortage: null }));
});
