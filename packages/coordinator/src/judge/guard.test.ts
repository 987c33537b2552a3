import { type MemberId, wallMs, groupOf } from '@understudy/shared';
import { exercised, policyWith } from '@understudy/shared/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guard } from './guard.ts';
import type { GuardInput, StartedRecovery } from './guard-input.ts';
import { budgetLevel } from './guard-rates.ts';
import { fleet, guardInput, WALL } from './judge.fixtures.ts';

const ask = (change: Partial<GuardInput> = {}) => guard(guardInput(change));
const refusal = (change: Partial<GuardInput>) => {
  const answer = ask(change);
  return answer.kind === 'hold' ? answer : null;
};
const recovered = (member: MemberId, agoMs: number, tookMs: number | null = 30_000): StartedRecovery => ({
  member,
  group: groupOf(member),
  az: 'us-east-1b',
  startedAtWallMs: WALL - agoMs,
  endedAtWallMs: tookMs === null ? null : WALL - agoMs + tookMs,
});
const pause = { who: 'ann', why: 'deploy 17', untilWallMs: null };

describe('each gate', () => {
  it('one failure of ten, nothing special: go, with every gate answered', () => {
    const answer = ask();
    expect(answer.kind).toBe('go');
    expect(answer.gates.map(({ gate }) => gate)).toEqual([
      'Paused',
      'RecordUnreadable',
      'TwoInstancesClaimMember',
      'ClaimAgainstActivation',
      'NotReady',
      'ObserverUnwell',
      'NotEnoughObservers',
      'Protected',
      'MaintenanceWindow',
      'BootGrace',
      'MassFailure',
      'ZoneFailure',
      'Flapping',
      'Cooldown',
      'GroupConcurrency',
      'BudgetExhausted',
    ]);
  });

  it('each gate says what is and what is wanted, whether it passes or not', () => {
    const { gates } = ask({ recoveries: [recovered('db/a', 700_000, 200_000)] });
    for (const one of gates) expect([one.value, one.limit].includes('')).toBe(false);
    expect(gates.find(({ gate }) => gate === 'MassFailure')).toMatchObject({
      value: '1 of 10 members failed within 2 min 0 s',
      limit: 'below 3',
    });
    expect(gates.find(({ gate }) => gate === 'Cooldown')).toMatchObject({
      passes: false,
      value: 'last recovery ended 8 min 20 s ago',
      limit: 'at least 10 min 0 s after the last one',
    });
  });

  it.each(['global', 'group/db', 'member/db/a'])('pause of %s says who and why', (scope) => {
    expect(refusal({ pauses: [{ scope, ...pause }] })).toMatchObject({
      reason: 'Paused',
      text: `${scope} paused by ann: deploy 17`,
    });
  });

  it('pauses of others and pauses that have run out do not hold', () => {
    const others = ['group/web', 'member/db/b', 'member/db/aa', 'group/d'].map((scope) => ({ scope, ...pause }));
    expect(ask({ pauses: [...others, { scope: 'global', ...pause, untilWallMs: WALL - 1 }] }).kind).toBe('go');
    expect(refusal({ pauses: [{ scope: 'global', ...pause, untilWallMs: WALL + 1 }] })?.untilWallMs).toBe(WALL + 1);
  });

  it.each([
    ['ObserverUnwell', { ownTrouble: 'abstains: OwnStall' }],
    ['NotEnoughObservers', { quorum: { met: false, text: '1 of at least 2 observers', limit: 'at least 2' } }],
    ['Protected', { protectedByTag: true }],
    ['NotReady', { objections: [{ reason: 'NotReady', text: 'no volumes' }] }],
    ['TwoInstancesClaimMember', { objections: [{ reason: 'TwoInstancesClaimMember', text: 'i-1 and i-2' }] }],
  ] as const)('%s holds', (reason, change) => {
    expect(refusal(change as Partial<GuardInput>)?.reason).toBe(reason);
  });

  it('boot grace holds until it is over, with both numbers', () => {
    expect(refusal({ launchedAtWallMs: WALL - 50_000 })).toMatchObject({
      reason: 'BootGrace',
      text: 'started 50.0 s ago, boot grace 2 min 0 s',
      untilWallMs: WALL + 70_000,
    });
    expect(ask({ launchedAtWallMs: WALL - 120_000 }).kind).toBe('go');
    expect(refusal({ launchedAtWallMs: WALL + 300_000 })?.reason).toBe('BootGrace');
  });

  it('a launch hours in our future proves our clock wrong, not the instance young', () => {
    expect(ask({ launchedAtWallMs: WALL + 7_200_000 }).kind).toBe('go');
    const said = (launchedAtWallMs: number | null) =>
      ask({ launchedAtWallMs }).gates.find(({ gate }) => gate === 'BootGrace')?.value;
    expect(said(WALL + 7_200_000)).toBe('launched in the future of our clock, 2 h 0 min');
    expect(said(null)).toBe('launch time unknown');
  });

  it('open recoveries of the group count against its concurrency, those of other groups do not', () => {
    expect(refusal({ recoveries: [recovered('db/b', 300_000, null)] })).toMatchObject({
      reason: 'GroupConcurrency',
      text: '1 recoveries open in group db, 1 allowed',
    });
    expect(ask({ recoveries: [recovered('web/b', 300_000, null)] }).kind).toBe('go');
  });

  it('cooldown runs from completion, of this member only', () => {
    expect(refusal({ recoveries: [recovered('db/a', 700_000, 200_000)] })).toMatchObject({
      reason: 'Cooldown',
      text: 'last recovery ended 8 min 20 s ago, cooldown 10 min 0 s',
      untilWallMs: WALL + 100_000,
    });
    expect(ask({ recoveries: [recovered('db/a', 700_000, 50_000), recovered('db/b', 200_000)] }).kind).toBe('go');
  });

  it('three recoveries within a day are flapping, two are not', () => {
    const ages = [5_000_000, 10_000_000, 80_000_000];
    expect(refusal({ recoveries: ages.map((age) => recovered('db/a', age)) })).toMatchObject({
      reason: 'Flapping',
      untilWallMs: WALL - 80_000_000 + 30_000 + 86_400_000,
    });
    expect(ask({ recoveries: ages.slice(1).map((age) => recovered('db/a', age)) }).kind).toBe('go');
  });
});

describe('mass failure', () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 2],
    [6, 2],
    [100, 6],
  ])('of %i members, %i failed: no mass', (count, failed) => {
    expect(ask({ fleet: fleet(count, failed) }).kind).toBe('go');
  });

  it.each([
    [3, 3],
    [4, 3],
    [10, 3],
    [100, 20],
    [1_000, 200],
  ])('of %i members, %i failed: hold, with both numbers', (count, failed) => {
    const answer = refusal({ fleet: fleet(count, failed) });
    expect(answer?.reason).toBe('MassFailure');
    expect(answer?.text).toMatch(
      new RegExp(`^${failed} of ${count} members failed within 2 min 0 s, \\d+ are a mass$`),
    );
  });

  it('stays a mass as long as they stay silent: the hold does not lapse with the window', () => {
    expect(refusal({ fleet: fleet(10, 5, 3_600_000) })?.reason).toBe('MassFailure');
  });

  it('failures far apart in time are no mass', () => {
    const apart = fleet(10, 5).map((one, i) =>
      one.failedSinceWallMs === null || i === 0 ? one : { ...one, failedSinceWallMs: WALL - i * 400_000 },
    );
    expect(ask({ fleet: apart }).kind).toBe('go');
  });

  it('recoveries begun within the window still count', () => {
    const recoveries = [recovered('db/m7', 100_000), recovered('db/m8', 110_000)];
    expect(refusal({ recoveries })?.reason).toBe('MassFailure');
  });

  it('half of one zone, at least three, holds its members although the fleet is large', () => {
    const large = fleet(60, 0).map((one) =>
      one.az === 'us-east-1a' ? { ...one, failedSinceWallMs: WALL - 1_000, heard: false } : one,
    );
    const limits = { ...guardInput().limits, massRatio: 0.9 };
    expect(refusal({ fleet: large, limits })).toMatchObject({
      reason: 'ZoneFailure',
      text: '20 of 20 members in us-east-1a failed within 2 min 0 s, 10 are a lost zone',
    });
    expect(ask({ fleet: large, limits, az: 'us-east-1b', member: 'db/m1' }).kind).toBe('go');
  });
});

describe('budget', () => {
  it('burst 2, then one per minute, replayed from what is recorded', () => {
    const starts = (...agosMs: number[]) => agosMs.map((ago, i) => recovered(`web/m${i}` as MemberId, ago, 10));
    const limits = { ...guardInput().limits, massMinimum: 99, zoneMinimum: 99 };
    const budget = (...agosMs: number[]) => ask({ limits, recoveries: starts(...agosMs) });
    expect(budget(1_000).kind).toBe('go');
    expect(budget(1_000, 1_000)).toMatchObject({ reason: 'BudgetExhausted', untilWallMs: WALL + 59_000 });
    expect(budget(60_000, 60_000).kind).toBe('go');
    expect(budget(60_000, 60_000, 1_000)).toMatchObject({ reason: 'BudgetExhausted' });
  });

  it('a start in the future, by another leader’s clock, counts as now', () => {
    expect(budgetLevel([WALL + 1e9], 1, 2, WALL)).toBe(1);
  });

  it('whoever asks only when it has a token never exceeds burst + rate × time', () => {
    const seen = exercised();
    const gap = fc.oneof(fc.integer({ min: 0, max: 90_000 }), fc.integer({ min: 0, max: 5_000 }));
    const steps = fc.array(gap, { minLength: 10, maxLength: 60, size: 'max' });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), (gaps, perMinute, burst) => {
        const starts: number[] = [];
        let nowMs = WALL;
        for (const gap of gaps) {
          nowMs += gap;
          const starting = budgetLevel(starts, perMinute, burst, nowMs) >= 1 - 1e-9;
          if (starting) starts.push(nowMs);
          seen.note(starting ? 'started' : 'refused');
        }
        for (const [i, first] of starts.entries())
          for (let j = i; j < starts.length; j++)
            expect(j - i + 1).toBeLessThanOrEqual(
              burst + (((starts[j] as number) - first) * perMinute) / 60_000 + 1e-6,
            );
      }),
    );
    seen.atLeast({ started: 1_000, refused: 500 });
  });
});

it('of several refusals the first in the documented order is the hold, and all are told', () => {
  const answer = ask({
    protectedByTag: true,
    ownTrouble: 'abstains',
    pauses: [{ scope: 'global', ...pause }],
    objections: [
      { reason: 'NotReady', text: 'a' },
      { reason: 'RecordUnreadable', text: 'b' },
    ],
    policy: policyWith({ guard: { bootGraceMs: 0 } }),
    wallNowMs: wallMs(WALL),
  });
  expect(answer).toMatchObject({ kind: 'hold', reason: 'Paused' });
  expect(answer.gates.filter(({ passes }) => !passes).map(({ gate }) => gate)).toEqual([
    'Paused',
    'RecordUnreadable',
    'NotReady',
    'ObserverUnwell',
    'Protected',
  ]);
});
