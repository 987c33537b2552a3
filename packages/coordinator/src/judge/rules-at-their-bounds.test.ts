import { type PolicyChange, policyWith } from '@understudy/shared/testing';
import { DEFAULT_POLICY, monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { assess } from './assess.ts';
import { cloudFreshForMs } from './cloud-evidence.ts';
import type { MemberEvidence } from './evidence.ts';
import { guard } from './guard.ts';
import type { StartedRecovery } from './guard-input.ts';
import { budgetLevel } from './guard-rates.ts';
import { guardInput, NOW, opinion, silentEverywhere, WALL } from './judge.fixtures.ts';

const judge = (change: Partial<MemberEvidence> = {}, policy: PolicyChange = {}) =>
  assess(silentEverywhere(change), policyWith(policy), NOW);

/** All observers hear it; one check has failed for `forMs` (40 s by default). */
const failing = (forMs: number | null = 40_000): Partial<MemberEvidence> => ({
  opinions: ['c1', 'c2', 'c3'].map((observer) => opinion(observer, 'alive', 'Heard')),
  workload: {
    lastHeardAtMs: monotonicMs(NOW - 500),
    checks: [{ status: 'fail', code: 21, ageSeconds: 1, failingSinceMs: forMs === null ? null : NOW - forMs }],
  } as never,
});
const ACTING = { detect: { degradedFailsAfterMs: 60_000 } };

describe('how long a check has failed', () => {
  it('is said of a member that is heard, where the group acts on it', () => {
    expect(judge(failing(), ACTING)).toMatchObject({ degraded: true, failingForMs: 40_000 });
  });

  it('is not said where the group does not act on it, of a member nobody hears, or of one whose checks pass', () => {
    expect(judge(failing(), { detect: { degradedFailsAfterMs: 0 } }).failingForMs).toBeNull();
    const { workload } = failing();
    expect(judge({ workload: workload ?? null }, ACTING)).toMatchObject({ degraded: false, failingForMs: null });
    const { opinions } = failing();
    expect(judge({ opinions: opinions ?? [] }, ACTING)).toMatchObject({ degraded: false, failingForMs: null });
  });
});

describe('EC2 is asked out of turn', () => {
  const freshForMs = cloudFreshForMs(DEFAULT_POLICY);
  const answeredAgo = (agoMs: number) => {
    const { cloud } = silentEverywhere();
    return cloud && { ...cloud, readAtMs: monotonicMs(NOW - agoMs) };
  };
  const suspects = ['c1', 'c2', 'c3'].map((observer) => opinion(observer, 'suspect', 'Silent'));
  const heard = ['c1', 'c2', 'c3'].map((observer) => opinion(observer, 'alive', 'Heard'));
  const abstain = ['c1', 'c2', 'c3'].map((observer) => opinion(observer, 'unknown', 'OwnStall'));

  it.each([
    ['about one that is silent everywhere, once the answer is half as old as it may be', {}, freshForMs / 2 + 1, true],
    ['not before', {}, freshForMs / 2, false],
    ['about one that is suspected', { opinions: suspects }, freshForMs, true],
    ['not about one that is heard and well', { opinions: heard }, freshForMs, false],
    ['not where nobody has an opinion', { opinions: abstain }, freshForMs, false],
  ])('%s', (_what, change, agoMs, expected) => {
    expect(judge({ ...change, cloud: answeredAgo(agoMs) }).wantsCloudReading).toBe(expected);
  });

  it('about one it never spoke of', () => {
    expect(judge({ cloud: null }).wantsCloudReading).toBe(true);
  });
});

describe('the budget of recoveries', () => {
  it('fills by one every minute up to the burst, whatever order the starts are known in', () => {
    const ago = (...seconds: number[]) => seconds.map((one) => WALL - one * 1_000);
    expect(budgetLevel([], 1, 2, WALL)).toBe(2);
    expect(budgetLevel(ago(0), 1, 2, WALL)).toBe(1);
    expect(budgetLevel(ago(30), 1, 2, WALL)).toBe(1.5);
    expect(budgetLevel(ago(30), 2, 2, WALL)).toBe(2);
    expect(budgetLevel(ago(90, 30), 1, 2, WALL)).toBe(1.5);
    expect(budgetLevel(ago(30, 90), 1, 2, WALL)).toBe(1.5);
    expect(budgetLevel(ago(30, 3_600, 30), 1, 2, WALL)).toBe(0.5);
    expect(budgetLevel([WALL + 60_000], 1, 2, WALL)).toBe(1);
    expect(budgetLevel(ago(40, 40, 40, 10), 2, 4, WALL)).toBeCloseTo(4 - 3 + 1 - 1 + 1 / 3);
  });

  const started = (agoMs: number, endedAgoMs: number | null = null, member = 'x/y'): StartedRecovery =>
    ({
      member,
      group: 'x',
      az: null,
      startedAtWallMs: WALL - agoMs,
      endedAtWallMs: endedAgoMs === null ? null : WALL - endedAgoMs,
    }) as never;
  const gateOf = (name: string, change: Parameters<typeof guardInput>[0]) =>
    guard(guardInput(change)).gates.find(({ gate }) => gate === name);

  it('that is spent holds until one is there again, and not a moment longer', () => {
    const two = [started(0), started(0)];
    const limits = { ...guardInput().limits, budgetPerMinute: 2 };
    expect(gateOf('BudgetExhausted', { recoveries: two, limits })).toMatchObject({
      passes: false,
      untilWallMs: WALL + 30_000,
    });
    expect(gateOf('BudgetExhausted', { recoveries: [started(30_000), started(30_000)], limits })?.passes).toBe(true);
  });

  it('counts for a cooldown what has ended of this very member, not what is open or another’s', () => {
    const policy = policyWith({ guard: { cooldownMs: 600_000 } });
    const passes = (recovery: StartedRecovery) => gateOf('Cooldown', { policy, recoveries: [recovery] })?.passes;
    expect(passes(started(900_000, 100_000, 'db/a'))).toBe(false);
    expect(passes(started(900_000, 600_000, 'db/a'))).toBe(true);
    expect(passes(started(900_000, null, 'db/a'))).toBe(true);
    expect(passes(started(900_000, 100_000, 'db/other'))).toBe(true);
    const recoveries = [started(900_000, null, 'db/a'), started(900_000, 100_000, 'db/other')];
    expect(gateOf('Cooldown', { policy, recoveries })?.value).toBe('never recovered before');
  });

  it('flapping lasts until the oldest of the newest few is out of the window', () => {
    const policy = policyWith({ guard: { flapLimit: 2, flapWindowMs: 3_600_000, cooldownMs: 0 } });
    const ended = [1_000_000, 3_000_000, 2_000_000].map((agoMs) => started(agoMs + 1_000, agoMs, 'db/a'));
    expect(gateOf('Flapping', { policy, recoveries: ended })).toMatchObject({
      passes: false,
      untilWallMs: WALL - 2_000_000 + 3_600_000,
    });
    expect(gateOf('Flapping', { policy, recoveries: ended.slice(0, 1) })).toMatchObject({ passes: true });
  });
});
