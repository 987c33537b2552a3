import { BLOCKER_KINDS, GroupPolicySchema, type PlanSummary, READINESS_VERDICTS } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { gate } from '../judge/guard-input.ts';
import type { MemberFacts } from './facts.ts';
import { judgeReadiness, readinessView } from './judge-readiness.ts';
import { kindOfProblem } from './problem-kinds.ts';
import { factsFixture, forecastFixture, LOOKED_AT_MS, NOW_MS, planFixture, rungFixture } from './readiness.fixtures.ts';
import { REMEDIES } from './remedies.ts';
import { fleetWaits } from './sources/guard.ts';

const judged = (change: Partial<MemberFacts> = {}) => judgeReadiness(factsFixture(change));
const withPlan = (change: Partial<PlanSummary>, more: Partial<MemberFacts> = {}) =>
  judged({ plan: planFixture(change), ...more });
const codes = ({ blockers }: ReturnType<typeof judged>) => blockers.map(({ kind, code, stops }) => [kind, code, stops]);
const policyWith = (objectives: object) => GroupPolicySchema.parse({ objectives });
const heldBy = (name: Parameters<typeof gate>[0]): MemberFacts['guard'] => {
  const refusing = gate(name, false, { value: 'so it is', limit: 'otherwise' });
  return { kind: 'hold', reason: name, text: 'so it is', untilWallMs: null, gates: [refusing] };
};

describe('the verdict', () => {
  test('is ready only when everything was looked at, lately, and nothing is in the way', () => {
    expect(judged()).toMatchObject({ verdict: 'ready', blockers: [], missed: [] });
    expect(judged().facts.map(({ fact, state }) => `${fact} ${state}`)).toEqual([
      ...['plan known', 'permissions known', 'subnets known', 'guard known', 'agent known'],
    ]);
  });

  test('what is not known is not ready, whatever it is', () => {
    for (const change of [{ plan: null }, { guard: null }, { judged: null }])
      expect(judged(change).verdict, JSON.stringify(change)).toBe('unknown');
  });

  test('a plan that was looked at too long ago is not gone by, and says when it was', () => {
    const found = judged({ planFreshForMs: 59_999 });
    expect(found.verdict).toBe('unknown');
    expect(found.facts[0]).toMatchObject({ fact: 'plan', state: 'old', lookedAtWallMs: LOOKED_AT_MS });
    expect(judged({ planFreshForMs: 60_000 }).verdict).toBe('ready');
  });

  test('calls that EC2 was not asked about yet leave it unproven, unless nobody is to ask', () => {
    const permissions = { allowed: 7, unknown: 2, denied: [], refused: [], cannotBeAsked: [] };
    expect(withPlan({ permissions }).verdict).toBe('unproven');
    expect(withPlan({ permissions }, { asksPermissions: false }).verdict).toBe('ready');
  });

  test('a denied permission, no plan, a pause, a hold and an agent that was never heard stop it', () => {
    const missing = { code: 'PermissionMissing', text: 'EC2 would deny RunInstances' };
    expect(codes(withPlan({ problems: [missing] }))).toEqual([['permission', 'PermissionMissing', true]]);
    const gone = [{ code: 'SpotInstance', text: 'no' }];
    const rungs = [rungFixture('snapshot-and-replace', forecastFixture(1), { problems: gone, said: 'skipped' })];
    const noPlan = withPlan({ strategy: null, worst: null, forecast: null, problems: gone, rungs });
    expect(codes(noPlan)).toEqual([
      ['no-plan', 'NoPlan', true],
      ['plan', 'SpotInstance', true],
    ]);
    expect([noPlan.rtoMs, noPlan.rpoMs]).toEqual([null, null]);
    expect(codes(judged({ guard: heldBy('Paused') }))).toEqual([['paused', 'Paused', true]]);
    expect(codes(judged({ guard: heldBy('Protected') }))).toEqual([['held', 'Protected', true]]);
    expect(codes(judged({ hold: { reason: 'NeverHeard', text: 'no', sinceWallMs: 0 } }))).toEqual([
      ['held', 'NeverHeard', true],
    ]);
    const silent = { verdict: 'unknown', reasonCode: 'NeverHeard', reason: 'never heard' };
    expect(codes(judged({ judged: silent }))).toEqual([['agent', 'NeverHeard', true]]);
    for (const one of [noPlan, judged({ judged: silent }), judged({ guard: heldBy('Paused') })])
      expect(one.verdict).toBe('blocked');
  });

  test('what only makes it late or other than wanted is a risk', () => {
    expect(judged({ guard: heldBy('Cooldown') })).toMatchObject({ verdict: 'at-risk', blockers: [{ stops: false }] });
    expect(withPlan({ problems: [{ code: 'KeyPairGone', text: 'gone' }] }).verdict).toBe('at-risk');
  });

  test('gates about the fleet are not asked here, and say nothing of it', () => {
    for (const name of ['MassFailure', 'ZoneFailure', 'BudgetExhausted'] as const) {
      const found = judged({ guard: heldBy(name) });
      expect([found.verdict, found.blockers]).toEqual(['ready', []]);
      expect(found.facts.find(({ fact }) => fact === 'guard')?.text).toContain('nothing of its own');
    }
  });

  test('a spent budget is told once of all, and not where it is not', () => {
    const [spent, free] = [heldBy('BudgetExhausted'), factsFixture().guard];
    if (!spent || !free) throw new Error('both are answers');
    const told = [{ code: 'BudgetExhausted', text: 'so it is', untilWallMs: null }];
    expect(readinessView([judged({ guard: spent })], fleetWaits([free, spent, spent]))).toMatchObject({
      ...{ counts: { ready: 1 }, ofFleet: told },
    });
    expect(fleetWaits([free])).toEqual([]);
  });

  test('the hold of a member that waits for the budget makes it late, and does not stop it', () => {
    const held = judged({ hold: { reason: 'BudgetExhausted', text: 'it waits', sinceWallMs: 0 } });
    expect([held.verdict, codes(held)]).toEqual(['at-risk', [['held', 'BudgetExhausted', false]]]);
  });

  test('a full subnet stops it where there is no other place', () => {
    const full = { subnetId: 'subnet-a', freeAddresses: 0 };
    expect(withPlan({ subnets: [full] })).toMatchObject({ verdict: 'blocked', blockers: [{ kind: 'subnet' }] });
    expect(withPlan({ subnets: [full, { subnetId: 'subnet-b', freeAddresses: 1 }] }).verdict).toBe('at-risk');
  });

  test('one that is being recovered is neither ready nor to be looked at', () => {
    expect(judged({ isRecovering: true, guard: null, judged: null }).verdict).toBe('recovering');
  });

  test('every blocker has a remedy of its kind, and every kind is one of the few', () => {
    expect(Object.keys(REMEDIES).sort()).toEqual([...BLOCKER_KINDS].sort());
    expect(kindOfProblem('KmsKeyUnusable')).toBe('key');
    expect(kindOfProblem('SomethingNew')).toBe('plan');
  });
});

describe('what is predicted', () => {
  test('the time counts from the failure: detection and the plan on a bad day', () => {
    expect(judged()).toMatchObject({
      rtoMs: 8_000 + 1_300 + 100_000,
      rto: { typicalMs: 8_000 + 50_000, detection: { typicalMs: 8_000, slowMs: 9_300 } },
      rtoLastWayMs: 109_300,
    });
  });

  test('by the last way, every way before it has had its time', () => {
    const rungs = [
      rungFixture('reboot', forecastFixture(40_000)),
      rungFixture('stop-start', forecastFixture(60_000), { said: 'skipped' }),
      rungFixture('snapshot-and-replace', forecastFixture(200_000, NOW_MS - 5_000), { said: 'later' }),
    ];
    const found = withPlan({ strategy: 'reboot', forecast: forecastFixture(40_000), rungs });
    expect([found.rtoMs, found.rtoLastWayMs]).toEqual([49_300, 9_300 + 300_000 + 200_000]);
    // Also what a later way would lose is lost at most.
    expect(found.rpoMs).toBe(5_000);
  });

  test('the loss grows with the time since the snapshots, and is everything where there are none', () => {
    expect(judged()).toMatchObject({ rpoMs: 0, rpoDisksLostMs: 3_600_000, losesEverythingWithDisks: false });
    expect(judged({ nowWallMs: NOW_MS + 1_000 }).rpoDisksLostMs).toBe(3_601_000);
    const none = withPlan({ disks: { count: 1, snapshotsAtWallMs: null } });
    expect([none.rpoDisksLostMs, none.losesEverythingWithDisks]).toEqual([null, true]);
    const { disks, ...older } = planFixture();
    expect(disks).toBeDefined();
    const unknown = judged({ plan: older });
    expect([unknown.rpoDisksLostMs, unknown.losesEverythingWithDisks]).toEqual([null, false]);
  });
});

describe('objectives', () => {
  test('are missed beforehand, with both numbers and a remedy', () => {
    const found = judged({ policy: policyWith({ rtoMs: '1m', rpoMs: '10m' }) });
    expect(found.verdict).toBe('at-risk');
    expect(found.missed).toMatchObject([
      { objective: 'rtoMs', wantedMs: 60_000, predictedMs: 109_300 },
      { objective: 'rpoMs', wantedMs: 600_000, predictedMs: 3_600_000 },
    ]);
    for (const { text, remedy } of found.missed) expect([text.length > 20, remedy.length > 20]).toEqual([true, true]);
  });

  test('are kept at exactly what is wanted, and what is not known misses nothing', () => {
    expect(judged({ policy: policyWith({ rtoMs: 109_300, rpoMs: 3_600_000 }) }).verdict).toBe('ready');
    expect(judged({ policy: policyWith({ rtoMs: 1_000 }), plan: null }).missed).toEqual([]);
  });

  test('no snapshot at all misses every objective of loss', () => {
    const policy = policyWith({ rpoMs: '7d' });
    const found = withPlan({ disks: { count: 1, snapshotsAtWallMs: null } }, { policy });
    expect(found.missed).toMatchObject([{ objective: 'rpoMs', predictedMs: null }]);
  });

  test('a policy without them is the policy it was', () => {
    expect(Object.keys(GroupPolicySchema.parse({}))).not.toContain('objectives');
    expect(judged().objectives).toBeNull();
    expect(GroupPolicySchema.safeParse({ objectives: { rtoMs: 0 } }).success).toBe(false);
  });
});

test('the worst come first: by verdict, then what takes longest, then by name', () => {
  const slow = planFixture({ forecast: forecastFixture(900_000) });
  const members = [
    judged({ member: 'prod/fine' }),
    judged({ member: 'prod/slow', plan: slow }),
    judged({ member: 'prod/unknown', plan: null }),
    judged({ member: 'prod/paused', guard: heldBy('Paused') }),
    judged({ member: 'prod/also-fine' }),
  ];
  const view = readinessView(members);
  expect(view.members.map(({ member }) => member)).toEqual([
    ...['prod/paused', 'prod/unknown', 'prod/slow', 'prod/also-fine', 'prod/fine'],
  ]);
  expect(Object.keys(view.counts)).toEqual([...READINESS_VERDICTS]);
  expect(view.counts).toMatchObject({ blocked: 1, unknown: 1, ready: 3, 'at-risk': 0 });
});
