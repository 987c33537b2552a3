import { GroupPolicySchema, type WhatIfMember, type WhatIfScenario } from '@understudy/shared';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pausesInForceFixture } from './paused.fixtures.ts';
import type { WhatIfSnapshot } from './snapshot.ts';
import { snapshotFixture, ZONES } from './what-if.fixtures.ts';
import { unknownIn, whatIfNow } from './what-if.ts';

const RECOVERS = GroupPolicySchema.parse({
  guard: { whenZoneLost: 'recover', bootGraceMs: 0 },
  recover: { placements: [{ subnetId: 'subnet-b' }] },
});
const LOST: WhatIfScenario = { kind: 'zone-lost', name: ZONES[0] };
const begun = (members: readonly WhatIfMember[]) => members.filter(({ order }) => order !== null);
const holdsIn = (members: readonly WhatIfMember[]) => [
  ...new Set(members.map(({ outcome, reason }) => `${outcome} ${reason}`)),
];

describe('a zone is lost', () => {
  test('its members are recovered outside of it, one after the other, at the pace of the budget', () => {
    const view = whatIfNow(snapshotFixture({ counts: [4, 6, 6], policy: RECOVERS }), LOST);
    expect(view.members.map(({ outcome, places }) => [outcome, ...places])).toEqual(
      Array.from({ length: 4 }, () => ['recovered', ZONES[1]]),
    );
    // The leader went with it: 10 s of its lease, and an election, are longer than the detection.
    // Two at once, then one a minute.
    const starts = view.members.map(({ startsAfterMs }) => Math.round((startsAfterMs ?? 0) / 1_000));
    expect(starts).toEqual([11, 11, 71, 131]);
    expect(view.members.map(({ waitedFor }) => waitedFor)).toEqual([[], [], ['BudgetExhausted'], ['BudgetExhausted']]);
    expect(view.members[0]?.servesAfterMs).toBe(11_000 + 100_000);
    expect(view.leader).toEqual({ now: 'c1', isLost: true, next: ['c2', 'c3'], afterMs: 11_000 });
    expect(view.observers).toEqual({ lost: ['c1'], left: ['c2', 'c3'], abstain: null });
    expect(view.unwatched).toEqual([]);
  });

  test('the zone stays lost for the last of them, as those that are back are elsewhere by then', () => {
    const view = whatIfNow(snapshotFixture({ counts: [12, 14, 14], policy: RECOVERS }), LOST);
    expect(holdsIn(view.members)).toEqual(['recovered Recovered']);
    expect(view.members.at(-1)?.startsAfterMs).toBeGreaterThan(600_000);
  });

  test('a policy that holds a lost zone holds them all, and says so by the guard’s own reason', () => {
    const view = whatIfNow(snapshotFixture({ counts: [4, 6, 6] }), LOST);
    expect(holdsIn(view.members)).toEqual(['held MassFailure']);
    expect(view.rates).toEqual([]);
  });

  test('fewer than make a mass are begun where they are, and do not get through in a lost zone', () => {
    const view = whatIfNow(snapshotFixture({ counts: [2, 6, 6] }), LOST);
    expect(holdsIn(view.members)).toEqual(['stuck NoPlacementOutsideZone']);
    expect(begun(view.members)).toHaveLength(2);
    expect(view.verdict).toContain('2 recoveries cannot get through');
  });

  test('with more than half of the fleet in it nobody trusts its ears; a person’s word helps', () => {
    const deaf = whatIfNow(snapshotFixture({ counts: [9, 2, 2], policy: RECOVERS }), LOST);
    expect(deaf.observers.abstain).toContain('4 of 13');
    expect(holdsIn(deaf.members)).toEqual(['held EveryoneAbstains']);
    const called = snapshotFixture({ counts: [9, 2, 2], policy: RECOVERS }, { calledLost: [ZONES[0]] });
    expect(begun(whatIfNow(called, LOST).members)).toHaveLength(9);
  });

  test('what stands in the way of one member now stands in its way then', () => {
    const base = snapshotFixture({ counts: [4, 6, 6], policy: RECOVERS });
    const [first, second, ...others] = base.subjects;
    if (!first || !second) throw new Error('four are in it');
    const paused = { ...first, guard: { ...first.guard, pauses: pausesInForceFixture(first.evidence.member) } };
    const unseen = { ...second, plan: null };
    const view = whatIfNow({ ...base, subjects: [paused, unseen, ...others] }, LOST);
    const of = (member: string) => view.members.find((one) => one.member === member);
    expect(of(first.evidence.member)).toMatchObject({ outcome: 'held', reason: 'Paused' });
    expect(of(second.evidence.member)).toMatchObject({ outcome: 'held', reason: 'PlanUnknown' });
    expect(begun(view.members)).toHaveLength(2);
  });

  test('rate limits delay what they delay, by the limiter’s arithmetic', () => {
    const policy = { ...RECOVERS, guard: { ...RECOVERS.guard, concurrency: 9 } };
    const base = snapshotFixture(
      { counts: [4, 6, 6], policy },
      { limitOf: (action) => (action === 'CreateTags' ? { burst: 1, refillPerSecond: 0.1 } : null) },
    );
    const view = whatIfNow(base, LOST);
    expect(view.rates).toMatchObject([{ action: 'CreateTags', calls: 8, burst: 1 }]);
    // Two tags a recovery: the first has one at once, and the second after 10 s.
    expect(view.members.map(({ rateWaitMs }) => rateWaitMs)).toEqual(
      [10_000, 30_000, 0, 0].map((ms, at) => (at < 2 ? ms : expect.any(Number))),
    );
    expect(view.members[0]?.servesAfterMs).toBe(11_000 + 100_000 + 10_000);
  });
});

describe('a member, and a coordinator', () => {
  test('one member is recovered after its detection; others are as they were', () => {
    const view = whatIfNow(snapshotFixture({ counts: [4, 6, 6] }), { kind: 'member', name: 'g0/m' });
    expect(view.members).toMatchObject([{ member: 'g0/m', outcome: 'recovered', order: 1, startsAfterMs: 8_000 }]);
    expect(view.leader).toMatchObject({ isLost: false, afterMs: 0 });
  });

  test('one is recovered at a time where the group allows one', () => {
    const base = snapshotFixture({ counts: [4, 6, 6], policy: RECOVERS, groupOf: () => 'g' });
    const named = base.subjects.map((one, at) => ({
      ...one,
      evidence: { ...one.evidence, member: `g/m${at}` as const },
      guard: { ...one.guard, member: `g/m${at}` as const },
    }));
    const fleet = base.fleet.map((one, at) => ({ ...one, member: `g/m${at}` as const }));
    const view = whatIfNow({ ...base, subjects: named, fleet }, LOST);
    const times = begun(view.members).map(
      ({ startsAfterMs, servesAfterMs }) => [startsAfterMs ?? 0, servesAfterMs ?? 0] as const,
    );
    for (const [at, [startsMs]] of times.entries())
      if (at > 0) expect(startsMs).toBeGreaterThanOrEqual(times[at - 1]?.[1] ?? 0);
    expect(times).toHaveLength(4);
  });

  test('without one coordinator of three all are still judged; without two, nobody is', () => {
    const base = snapshotFixture({ counts: [2, 2, 2] });
    const one = whatIfNow(base, { kind: 'coordinator', name: 'c1' });
    expect([one.members, one.unwatched, one.leader.next]).toEqual([[], [], ['c2', 'c3']]);
    const two = base.coordinators.slice(0, 2);
    const other = whatIfNow({ ...base, coordinators: two }, { kind: 'coordinator', name: 'c1' });
    expect(other.unwatched.map(({ az, members, reason }) => [az, members, reason])).toEqual(
      ZONES.map((az) => [az, 2, 'NotEnoughObservers']),
    );
    const none = whatIfNow({ ...base, coordinators: two.slice(0, 1) }, { kind: 'coordinator', name: 'c1' });
    expect(none.leader).toMatchObject({ isLost: true, next: [], afterMs: null });
    const drained = two.map((each) => ({ ...each, isDrained: each.coordinatorId === 'c2' }));
    const left = whatIfNow({ ...base, coordinators: drained }, { kind: 'coordinator', name: 'c1' });
    expect(left.leader.next).toEqual(['c2']);
  });

  test('a name that nobody has is said to be none', () => {
    const base = snapshotFixture({ counts: [1, 1, 1] });
    expect(unknownIn(base, { kind: 'zone-lost', name: 'us-east-1z' })).toContain('us-east-1a, us-east-1b, us-east-1c');
    expect(unknownIn(base, { kind: 'member', name: 'g/none' })).toContain('g/none');
    expect(unknownIn(base, { kind: 'coordinator', name: 'c9' })).toContain('c9');
    expect(unknownIn(base, LOST)).toBeNull();
  });
});

/** Whoever writes into it throws. */
function deeplyFrozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deeplyFrozen(inner);
  }
  return value;
}

const scenarios: fc.Arbitrary<WhatIfScenario> = fc.oneof(
  fc.record({ kind: fc.constant('zone-lost' as const), name: fc.constantFrom(...ZONES) }),
  fc.record({ kind: fc.constant('member' as const), name: fc.constantFrom('g0/m', 'g1/m') }),
  fc.record({ kind: fc.constant('coordinator' as const), name: fc.constantFrom('c1', 'c2', 'c3') }),
);
const few = fc.integer({ min: 0, max: 6 });

test('of any fleet: nothing is written, the answer is the same twice, nobody is told twice, and the budget is kept', () => {
  fc.assert(
    fc.property(few, few, few, fc.boolean(), scenarios, (a, b, c, recovers, scenario) => {
      const snapshot: WhatIfSnapshot = deeplyFrozen(
        snapshotFixture({ counts: [a, b, c], ...(recovers && { policy: RECOVERS }) }),
      );
      const before = JSON.stringify(snapshot);
      const view = whatIfNow(snapshot, scenario);
      expect(JSON.stringify(snapshot)).toBe(before);
      expect(whatIfNow(snapshot, scenario)).toEqual(view);
      expect(new Set(view.members.map(({ member }) => member)).size).toBe(view.members.length);
      expect(view.truncated).toBe(false);
      const starts = begun(view.members).map(({ startsAfterMs }) => startsAfterMs ?? 0);
      expect(starts).toEqual(starts.toSorted((x, y) => x - y));
      // Burst 2, then one a minute.
      for (const [at, startMs] of starts.entries())
        if (at >= 2) expect(startMs - (starts[at - 2] ?? 0)).toBeGreaterThanOrEqual(60_000 - 1);
    }),
    { numRuns: 100 },
  );
});
