import { DEFAULT_POLICY, monotonicMs } from '@understudy/shared';
import { exercised } from '@understudy/shared/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assess } from './assess.ts';
import type { ObserverOpinion } from './evidence.ts';
import { NOW, opinion, silentEverywhere } from './judge.fixtures.ts';

const RANK = { alive: 0, unknown: 1, left: 1, suspect: 2, dead: 3 } as const;
const IDS = ['c1', 'c2', 'c3'] as const;
const judge = (change: Parameters<typeof silentEverywhere>[0]) => assess(silentEverywhere(change), DEFAULT_POLICY, NOW);

const vote = fc.constantFrom<ObserverOpinion['verdict']>('alive', 'suspect', 'dead', 'unknown', 'left');
const votes = fc.tuple(vote, vote, vote);
const opinionsOf = (verdicts: readonly ObserverOpinion['verdict'][]) =>
  verdicts.map((verdict, i) => opinion(IDS[i] ?? 'c1', verdict, verdict === 'unknown' ? 'OwnStall' : 'ProbesFailed'));
const states = fc.constantFrom('pending', 'running', 'stopping', 'stopped', 'shutting-down', 'terminated' as const);
const codes = fc.constantFrom(
  null,
  'Server.InternalError',
  'Server.SpotInstanceTermination',
  'Client.UserInitiatedShutdown',
  'Client.InstanceInitiatedShutdown',
  'Client.Anything',
);
const clouds = fc.option(
  fc.record({
    readAtMs: fc.integer({ min: 900_000, max: 1_000_000 }).map(monotonicMs),
    instance: fc.option(
      fc.record({
        state: states,
        stateReasonCode: codes,
        stateReasonText: fc.constant(null),
        launchedAtWallMs: fc.integer({ min: 0, max: 200_000 }).map((ago) => 1_767_225_600_000 - ago),
      }),
    ),
  }),
);

describe('boot grace by a clock that differs from that of EC2', () => {
  const launched = (inMs: number) => {
    const instance = { state: 'running' as const, stateReasonCode: null, stateReasonText: null };
    const launchedAtWallMs = 1_767_225_600_000 + inMs;
    return judge({ cloud: { readAtMs: NOW, instance: { ...instance, launchedAtWallMs } } });
  };

  it('lasts while both may be right', () => {
    expect(launched(60_000).verdict).toBe('suspect');
  });

  it('is not measured by one that is hours behind', () => {
    expect(launched(7_200_000).verdict).toBe('dead');
  });
});

describe('for all evidence', () => {
  it('an alive opinion of a live observer vetoes dead and left, whatever everybody else and EC2 say', () => {
    const seen = exercised();
    fc.assert(
      fc.property(votes, fc.integer({ min: 0, max: 2 }), clouds, (verdicts, who, cloud) => {
        const changed = verdicts.map((verdict, i) => (i === who ? 'alive' : verdict));
        const { verdict, act } = judge({ opinions: opinionsOf(changed), cloud });
        expect(verdict).toBe('alive');
        expect(act).toBe(false);
        if (verdicts.filter((one) => one === 'dead' || one === 'suspect').length >= 2) seen.note('against silence');
      }),
    );
    seen.atLeast({ 'against silence': 10 });
  });

  it('abstainers never matter: with them or without them the verdict is the same', () => {
    const abstainer = fc.constantFrom(
      opinion('c3', 'unknown', 'WarmingUp'),
      opinion('c3', 'left', 'Goodbye'),
      opinion('c3', 'dead', 'ProbesFailed', { instanceId: 'i-older' }),
      opinion('c3', 'alive', 'Heard', { instanceId: 'i-older' }),
      opinion('gone', 'dead', 'ProbesFailed'),
      opinion('gone', 'alive', 'Heard'),
    );
    const seen = exercised();
    fc.assert(
      fc.property(fc.tuple(vote, vote), abstainer, clouds, (verdicts, extra, cloud) => {
        const base = opinionsOf(verdicts);
        fc.pre(verdicts.some((verdict) => verdict !== 'unknown' && verdict !== 'left'));
        const without = judge({ opinions: base, cloud });
        const withIt = judge({ opinions: [...base, extra], cloud });
        expect([withIt.verdict, withIt.reasonCode, withIt.act]).toEqual([
          without.verdict,
          without.reasonCode,
          without.act,
        ]);
        seen.note(without.verdict);
      }),
    );
    seen.atLeast({ alive: 10, suspect: 10 });
  });

  it('more silence never makes it better', () => {
    const ladder: readonly ObserverOpinion['verdict'][] = ['alive', 'suspect', 'dead'];
    const levels = fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2));
    const seen = exercised();
    fc.assert(
      fc.property(levels, fc.nat(2), (from, who) => {
        seen.note(from[who] === 2 ? 'silent already' : 'more silence');
        const to = from.map((level, i) => (i === who ? Math.min(2, level + 1) : level));
        const verdictOf = (all: readonly number[]) =>
          judge({ opinions: opinionsOf(all.map((level) => ladder[level] ?? 'dead')) }).verdict;
        expect(RANK[verdictOf(to)]).toBeGreaterThanOrEqual(RANK[verdictOf(from)]);
      }),
    );
    seen.atLeast({ 'more silence': 40 });
  });

  it('dead needs two silent observers in two zones, one of them not the member’s, and a fresh EC2 answer that it runs or failed', () => {
    const seen = exercised();
    // Most observers are silent and EC2 has mostly answered. Otherwise hardly any member would be
    // dead.
    const silent = fc.oneof({ weight: 5, arbitrary: fc.constant('dead' as const) }, { weight: 1, arbitrary: vote });
    const manyLive = fc.oneof(fc.constant([...IDS]), fc.subarray([...IDS]));
    const lately = fc
      .tuple(clouds, fc.nat(9_000))
      .map(([cloud, agoMs]) => cloud && { ...cloud, readAtMs: monotonicMs(NOW - agoMs) });
    const answered = fc.oneof({ weight: 5, arbitrary: lately }, { weight: 1, arbitrary: clouds });
    fc.assert(
      fc.property(fc.tuple(silent, silent, silent), answered, manyLive, (verdicts, cloud, liveIds) => {
        const evidence = silentEverywhere();
        const observers = evidence.observers.filter(({ coordinatorId }) => liveIds.includes(coordinatorId as never));
        const { verdict, act, quorum } = judge({ opinions: opinionsOf(verdicts), cloud, observers });
        if (act) expect(verdict).toBe('dead');
        seen.note(verdict);
        if (verdict !== 'dead') return;
        expect(quorum.silent.length).toBeGreaterThanOrEqual(2);
        expect(quorum.zones.length).toBeGreaterThanOrEqual(2);
        expect(quorum.zones.some((az) => az !== 'us-east-1a')).toBe(true);
        expect(quorum.hearing).toEqual([]);
        expect(cloud).not.toBeNull();
        expect(NOW - (cloud?.readAtMs ?? 0)).toBeLessThanOrEqual(6_500);
        expect(['Client.UserInitiatedShutdown', 'Client.Anything']).not.toContain(
          cloud?.instance?.state === 'running' ? null : cloud?.instance?.stateReasonCode,
        );
      }),
      { numRuns: 1_000 },
    );
    seen.atLeast({ dead: 30, suspect: 80, alive: 30 });
  });

  it('says why in one sentence, shows every opinion, and says when to look again', () => {
    fc.assert(
      fc.property(votes, clouds, (verdicts, cloud) => {
        const assessment = judge({ opinions: opinionsOf(verdicts), cloud });
        expect(assessment.reason).toMatch(/^[^.].*\.$/);
        expect(assessment.evidence.filter(({ source }) => source.startsWith('observer '))).toHaveLength(3);
        expect(assessment.recheckInMs).toBeGreaterThan(0);
        expect(assessment.wouldChange.length).toBeGreaterThan(0);
      }),
    );
  });
});

it('asks for a fresh word from EC2 while it is silent and the last one is old, not while it is heard', () => {
  const cloud = { ...silentEverywhere().cloud, readAtMs: monotonicMs(NOW - 6_000), instance: null };
  expect(judge({ opinions: opinionsOf(['suspect', 'suspect', 'dead']), cloud }).wantsCloudReading).toBe(true);
  expect(judge({ opinions: opinionsOf(['alive', 'dead', 'dead']), cloud }).wantsCloudReading).toBe(false);
  expect(judge({}).wantsCloudReading).toBe(false);
});
