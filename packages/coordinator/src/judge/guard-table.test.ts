import { DEFAULT_POLICY, type MemberId, wallMs, groupOf } from '@understudy/shared';
import { exercised, type PolicyChange, policyWith } from '@understudy/shared/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guard } from './guard.ts';
import type { GuardInput, StartedRecovery } from './guard-input.ts';
import { guardInput, WALL } from './judge.fixtures.ts';

/**
 * The fleet has sixty members, twenty per zone. 12 failures are a mass, 3 of twenty a lost zone (at
 * 0.15). `db/a` is the member in question.
 */
const A = 'us-east-1a';
const B = 'us-east-1b';
const base = (): GuardInput =>
  guardInput({
    fleet: Array.from({ length: 60 }, (_, i) => ({
      member: (i === 0 ? 'db/a' : `db/m${i}`) as MemberId,
      az: `us-east-1${'abc'[i % 3] ?? 'a'}`,
      failedSinceWallMs: i === 0 ? WALL - 3_000 : null,
      heard: i !== 0,
    })),
    limits: { ...guardInput().limits, zoneRatio: 0.15 },
  });

type Change = (input: GuardInput) => GuardInput;
const set =
  (change: Partial<GuardInput>): Change =>
  (input) => ({ ...input, ...change });
const policy =
  (change: PolicyChange): Change =>
  (input) => ({ ...input, policy: policyWith(change, input.policy) });
const paused =
  (scope: string, untilWallMs: number | null): Change =>
  (input) => ({ ...input, pauses: [...input.pauses, { scope, who: 'ann', why: 'deploy 17', untilWallMs }] });
const objection =
  (reason: GuardInput['objections'][number]['reason'], text = 'something'): Change =>
  (input) => ({ ...input, objections: [...input.objections, { reason, text }] });
/** That many more members of one zone are silent too. */
const failing =
  (az: string, count: number, agoMs = 3_000): Change =>
  (input) => {
    let left = count;
    const fleet = input.fleet.map((one) =>
      one.az === az && one.member !== 'db/a' && left-- > 0
        ? { ...one, failedSinceWallMs: WALL - agoMs, heard: false }
        : one,
    );
    return { ...input, fleet };
  };
/**
 * One member of the zone that failed is heard all the same: a wrong check, or a firewall before its
 * service.
 */
const heardOf =
  (az: string): Change =>
  (input) => {
    const one = input.fleet.find((any) => any.az === az && any.failedSinceWallMs !== null && any.member !== 'db/a');
    return { ...input, fleet: input.fleet.map((any) => (any === one ? { ...any, heard: true } : any)) };
  };
const recovery =
  (member: MemberId, startedAgoMs: number, endedAgoMs: number | null, az: string | null = 'us-east-1c'): Change =>
  (input) => {
    const one: StartedRecovery = {
      ...{ member, az, group: groupOf(member), startedAtWallMs: WALL - startedAgoMs },
      endedAtWallMs: endedAgoMs === null ? null : WALL - endedAgoMs,
    };
    return { ...input, recoveries: [...input.recoveries, one] };
  };
const all =
  (...changes: readonly Change[]): Change =>
  (input) =>
    changes.reduce((so, change) => change(so), input);
/**
 * A window that began `agoMs` ago (negative: will begin) and lasts an hour. WALL is a full minute.
 */
const window = (agoMs: number): Change => {
  const began = new Date(WALL - Math.ceil(agoMs / 60_000) * 60_000);
  const cron = `${began.getUTCMinutes()} ${began.getUTCHours()} * * *`;
  return policy({ guard: { maintenanceWindows: [{ cron, durationMs: 3_600_000, timeZone: 'UTC' }] } });
};
const later =
  (byMs: number): Change =>
  (input) => ({ ...input, wallNowMs: wallMs(input.wallNowMs + byMs) });
const flaps = (...endedAgosMs: readonly number[]): Change =>
  all(...endedAgosMs.map((agoMs) => recovery('db/a', agoMs + 1_000, agoMs)));
/** As many recoveries elsewhere as moments are given, each begun that long ago. */
const starts = (...agosMs: readonly number[]): Change =>
  all(...agosMs.map((agoMs, i) => recovery(`web/w${i}`, agoMs, Math.max(0, agoMs - 1))));
const quorum = (met: boolean): Change => set({ quorum: { met, text: '2 observers in 2 zones', limit: 'at least 2' } });
const DAY = 86_400_000;
const same: Change = (input) => input;

/**
 * Gate · just below its limit · at it · beyond it. What the guard answers stands beside each: `go`,
 * or the moment the hold ends, in ms from now.
 */
const LIMITS: readonly (readonly [string, ...(readonly [Change, string])[]])[] = [
  [
    'Paused: global',
    [paused('global', WALL), 'go'],
    [paused('global', WALL + 1), '+1'],
    [paused('global', null), 'open'],
  ],
  [
    'Paused: group',
    [paused('group/web', null), 'go'],
    [paused('group/db', WALL + 9), '+9'],
    [paused('group/db', null), 'open'],
  ],
  [
    'Paused: member',
    [paused('member/db/b', null), 'go'],
    [paused('member/db/a', WALL + 9), '+9'],
    [paused('member/db/a', null), 'open'],
  ],
  [
    'RecordUnreadable',
    [same, 'go'],
    [objection('RecordUnreadable'), 'open'],
    [all(objection('RecordUnreadable'), objection('RecordUnreadable')), 'open'],
  ],
  [
    'TwoInstancesClaimMember',
    [same, 'go'],
    [objection('TwoInstancesClaimMember'), 'open'],
    [all(objection('TwoInstancesClaimMember'), objection('TwoInstancesClaimMember')), 'open'],
  ],
  [
    'ClaimAgainstActivation',
    [same, 'go'],
    [objection('ClaimAgainstActivation'), 'open'],
    [all(objection('ClaimAgainstActivation'), objection('ClaimAgainstActivation')), 'open'],
  ],
  [
    'NotReady',
    [same, 'go'],
    [objection('NotReady'), 'open'],
    [all(objection('NotReady'), objection('NotReady')), 'open'],
  ],
  [
    'ObserverUnwell',
    [set({ ownTrouble: null }), 'go'],
    [set({ ownTrouble: 'abstains: OwnStall' }), 'open'],
    [set({ ownTrouble: 'view not fresh' }), 'open'],
  ],
  ['NotEnoughObservers', [quorum(false), 'open'], [quorum(true), 'go'], [set({ quorum: null }), 'go']],
  ['Protected', [same, 'go'], [set({ protectedByTag: true }), 'open'], [set({ protectedByTag: true }), 'open']],
  [
    'MaintenanceWindow: begins',
    [all(window(0), later(-1)), 'go'],
    [window(0), '+3600000'],
    [all(window(0), later(1)), '+3600000'],
  ],
  [
    'MaintenanceWindow: ends',
    [all(window(3_600_000), later(-1)), '+0'],
    [window(3_600_000), 'go'],
    [all(window(3_600_000), later(1)), 'go'],
  ],
  [
    'BootGrace',
    [set({ launchedAtWallMs: WALL - 119_999 }), '+1'],
    [set({ launchedAtWallMs: WALL - 120_000 }), 'go'],
    [set({ launchedAtWallMs: WALL - 120_001 }), 'go'],
  ],
  [
    'BootGrace: clocks',
    [set({ launchedAtWallMs: WALL + 300_000 }), '+420000'],
    [set({ launchedAtWallMs: WALL + 300_001 }), 'go'],
    [set({ launchedAtWallMs: null }), 'go'],
  ],
  ['MassFailure', [failing(B, 10), 'go'], [failing(B, 11), 'open'], [failing(B, 12), 'open']],
  [
    'MassFailure: window',
    [failing(B, 11, 123_001), 'go'],
    [failing(B, 11, 123_000), 'open'],
    [failing(B, 11, 120_000), 'open'],
  ],
  ['ZoneFailure', [failing(A, 1), 'go'], [failing(A, 2), 'open'], [failing(A, 3), 'open']],
  ['ZoneFailure: others', [failing(B, 1), 'go'], [failing(B, 2), 'go'], [failing(B, 3), 'go']],
  [
    'Flapping',
    [flaps(7e6, 8e6), 'go'],
    [flaps(7e6, 8e6, 9e6), `+${DAY - 9e6}`],
    [flaps(7e6, 8e6, 9e6, 1e7), `+${DAY - 9e6}`],
  ],
  [
    'Flapping: window',
    [flaps(7e6, 8e6, DAY - 1), '+1'],
    [flaps(7e6, 8e6, DAY), 'go'],
    [flaps(7e6, 8e6, DAY + 1), 'go'],
  ],
  [
    'Cooldown',
    [recovery('db/a', 9e5, 599_999), '+1'],
    [recovery('db/a', 9e5, 600_000), 'go'],
    [recovery('db/a', 9e5, 600_001), 'go'],
  ],
  [
    'GroupConcurrency',
    [policy({ guard: { concurrency: 2 } }), 'go'],
    [recovery('db/b', 9e5, null), 'open'],
    [all(recovery('db/b', 9e5, null), recovery('db/c', 9e5, null)), 'open'],
  ],
  [
    'GroupConcurrency: two',
    [all(policy({ guard: { concurrency: 2 } }), recovery('db/b', 9e5, null)), 'go'],
    [all(policy({ guard: { concurrency: 2 } }), recovery('db/b', 9e5, null), recovery('db/c', 9e5, null)), 'open'],
    [all(recovery('web/b', 9e5, null)), 'go'],
  ],
  ['BudgetExhausted', [starts(59_999, 59_999), '+1'], [starts(60_000, 60_000), 'go'], [starts(1), 'go']],
  ['BudgetExhausted: burst', [starts(1), 'go'], [starts(0, 0), '+60000'], [starts(0, 0, 0), '+120000']],
];

function answerOf(change: Change): string {
  const input = change(base());
  const answer = guard(input);
  if (answer.kind === 'go') return 'go';
  return answer.untilWallMs === null ? 'open' : `+${answer.untilWallMs - WALL}`;
}

describe('every gate just below, at and beyond its limit', () => {
  it.each(
    LIMITS.flatMap(([name, ...columns]) => columns.map(([change, want], i) => [name, i - 1, want, change] as const)),
  )('%s, %i from its limit: %s', (name, _, want, change) => {
    expect(answerOf(change)).toBe(want);
    const answer = guard(change(base()));
    if (answer.kind === 'hold') expect(answer.reason).toBe(name.split(':')[0]);
  });
});

/** The gates in the order asked, each with something that makes this one refuse and no other. */
const REFUSALS: readonly (readonly [string, Change])[] = [
  ['Paused', paused('global', null)],
  ['RecordUnreadable', objection('RecordUnreadable')],
  ['TwoInstancesClaimMember', objection('TwoInstancesClaimMember')],
  ['ClaimAgainstActivation', objection('ClaimAgainstActivation')],
  ['NotReady', objection('NotReady')],
  ['ObserverUnwell', set({ ownTrouble: 'abstains' })],
  ['NotEnoughObservers', quorum(false)],
  ['Protected', set({ protectedByTag: true })],
  ['MaintenanceWindow', window(0)],
  ['BootGrace', set({ launchedAtWallMs: WALL })],
  ['MassFailure', failing(B, 11)],
  ['ZoneFailure', failing(A, 2)],
  ['Flapping', flaps(7e6, 8e6, 9e6)],
  ['Cooldown', recovery('db/a', 9e5, 100_000)],
  ['GroupConcurrency', recovery('db/b', 9e5, null)],
  ['BudgetExhausted', starts(0, 0)],
];
const ORDER = REFUSALS.map(([name]) => name);
const refusing = (input: GuardInput) =>
  guard(input)
    .gates.filter((one) => !one.passes)
    .map((one) => one.gate);

describe('order', () => {
  it('is this one, and all gates are always asked', () => {
    expect(guard(base()).gates.map((one) => one.gate)).toEqual(ORDER);
    expect(guard(base()).kind).toBe('go');
  });

  it.each(REFUSALS)('%s refuses alone', (name, change) => {
    expect(refusing(change(base()))).toEqual([name]);
  });

  const pairs = REFUSALS.flatMap(([first, one], i) =>
    REFUSALS.slice(i + 1).map(([second, two]) => [first, second, one, two] as const),
  );
  it.each(pairs)('%s is the hold before %s, whichever came first, and both are told', (first, second, one, two) => {
    for (const change of [all(one, two), all(two, one)]) {
      const answer = guard(change(base()));
      expect(answer).toMatchObject({ kind: 'hold', reason: first });
      expect(answer.gates.filter(({ passes }) => !passes).map(({ gate }) => gate)).toEqual([first, second]);
    }
  });

  it('has all 120 pairs', () => {
    expect(pairs).toHaveLength((16 * 15) / 2);
  });
});

/** Usually few changes at once. With many, some gate always refuses. */
const CHANGES = LIMITS.flatMap(([, ...columns]) => columns.map(([change]) => change));
const changes = fc.oneof(fc.subarray(CHANGES, { maxLength: 2 }), fc.subarray(CHANGES));

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const one of Object.values(value)) frozen(one);
  }
  return value;
}

describe('whatever it is asked', () => {
  it('every gate answers with value, limit and text, and says until when only where it refuses', () => {
    fc.assert(
      fc.property(changes, (some) => {
        const { gates } = guard(all(...some)(base()));
        expect([...new Set(gates.map((one) => one.gate))]).toEqual(ORDER);
        for (const { passes, value, limit, text, untilWallMs } of gates) {
          expect([value, limit, text].includes('')).toBe(false);
          if (passes) expect(untilWallMs).toBeNull();
        }
      }),
    );
  });

  it('it goes exactly when nothing refuses, and holds with the first that does', () => {
    const seen = exercised();
    fc.assert(
      fc.property(changes, (some) => {
        const answer = guard(all(...some)(base()));
        const first = answer.gates.find((one) => !one.passes);
        seen.note(answer.kind);
        seen.note('several refuse', answer.gates.filter((one) => !one.passes).length > 1 ? 1 : 0);
        expect(answer.kind === 'go').toBe(first === undefined);
        if (answer.kind === 'hold')
          expect([answer.reason, answer.text, answer.untilWallMs]).toEqual([
            first?.gate,
            first?.text,
            first?.untilWallMs,
          ]);
      }),
    );
    seen.atLeast({ go: 8, hold: 30, 'several refuse': 20 });
  });

  it('the same question has the same answer, and the question is not touched', () => {
    fc.assert(
      fc.property(changes, (some) => {
        const input = frozen(all(...some)(base()));
        expect(guard(input)).toEqual(guard(input));
      }),
    );
  });

  it('a gate that holds until a moment lets through from that moment on, if nothing else changes', () => {
    for (const [name, ...columns] of LIMITS)
      for (const [change, want] of columns) {
        if (!want.startsWith('+') || name.startsWith('BudgetExhausted: burst') || name.includes('clocks')) continue;
        const input = change(base());
        const held = guard(input);
        const waitMs = held.kind === 'hold' && held.untilWallMs !== null ? held.untilWallMs - input.wallNowMs : 0;
        expect(waitMs, name).toBeGreaterThan(0);
        const gateOf = (at: GuardInput) => guard(at).gates.find((one) => one.gate === name.split(':')[0])?.passes;
        expect([gateOf(later(waitMs - 1)(input)), gateOf(later(waitMs)(input))], name).toEqual([false, true]);
      }
  });
});

describe('a lost zone', () => {
  const RECOVER = policy({ guard: { whenZoneLost: 'recover' }, recover: { placements: [{ subnetId: 'subnet-b' }] } });
  const said = (change: Change): string => {
    const answer = guard(change(base()));
    return answer.kind === 'hold' ? answer.reason : answer.leaveAz === null ? 'go' : `leave ${answer.leaveAz}`;
  };
  /** What happened · what `hold` (the default) says · what `recover` says. */
  it.each(
    (
      [
        ['one member', same, 'go', 'go'],
        ['two of twenty', failing(A, 1), 'go', 'go'],
        ['three of twenty, the limit', failing(A, 2), 'ZoneFailure', `leave ${A}`],
        ['the whole zone, which is also a mass', failing(A, 19), 'MassFailure', `leave ${A}`],
        [
          'the whole zone, half of it recovered into others just now',
          all(
            failing(A, 9),
            ...Array.from({ length: 10 }, (_, i) => recovery(`web/x${i}`, 100_000 - i, 1_000, A)),
            set({ limits: { ...base().limits, budgetBurst: 99 } }),
          ),
          'MassFailure',
          `leave ${A}`,
        ],
        ['the zone and one member elsewhere', all(failing(A, 19), failing(B, 1)), 'MassFailure', 'MassFailure'],
        ['three of it and one elsewhere', all(failing(A, 2), failing(B, 1)), 'ZoneFailure', 'ZoneFailure'],
        [
          'the zone, and one elsewhere that failed long before',
          all(failing(A, 19), failing(B, 1, 500_000)),
          'MassFailure',
          `leave ${A}`,
        ],
        [
          'the zone, and a recovery of a member of unknown zone',
          all(failing(A, 19), recovery('web/q', 50_000, 1_000, null)),
          'MassFailure',
          'MassFailure',
        ],
        ['two zones', all(failing(A, 19), failing(B, 20)), 'MassFailure', 'MassFailure'],
        ['another zone only', failing(B, 11), 'MassFailure', 'MassFailure'],
        [
          'a mass in its zone that is not half of it',
          all(failing(A, 11), set({ limits: { ...base().limits, zoneRatio: 0.9 } })),
          'MassFailure',
          'MassFailure',
        ],
        ['three of it, of which one is still heard', all(failing(A, 2), heardOf(A)), 'ZoneFailure', 'ZoneFailure'],
        ['the whole zone, one of it still heard', all(failing(A, 19), heardOf(A)), 'MassFailure', 'MassFailure'],
        [
          'the zone, this one by its failing checks',
          all(failing(A, 19), set({ quorum: null })),
          'MassFailure',
          'MassFailure',
        ],
        ['the zone, while paused', all(failing(A, 19), paused('global', null)), 'Paused', 'Paused'],
        ['the zone, in a maintenance window', all(failing(A, 19), window(0)), 'MaintenanceWindow', 'MaintenanceWindow'],
        [
          'the zone, budget spent on it',
          all(failing(A, 17), recovery('web/x', 0, 0, A), recovery('web/y', 0, 0, A)),
          'MassFailure',
          'BudgetExhausted',
        ],
      ] as readonly (readonly [string, Change, string, string])[]
    ).map(([what, change, hold, recover]) => [what, hold, recover, change] as const),
  )('%s: hold says %s, recover says %s', (_, hold, recover, change) => {
    expect(said(change)).toBe(hold);
    expect(said(all(change, RECOVER))).toBe(recover);
  });

  it('lets through only what the default would hold for mass or zone: every other gate answers the same', () => {
    fc.assert(
      fc.property(changes, fc.integer({ min: 0, max: 19 }), fc.integer({ min: 0, max: 3 }), (some, own, others) => {
        const input = all(...some, failing(A, own), failing(B, others))(base());
        const other = (answer: ReturnType<typeof guard>) =>
          answer.gates.filter(({ gate }) => gate !== 'MassFailure' && gate !== 'ZoneFailure');
        const policyOf = policyWith({ guard: { whenZoneLost: 'recover' } }, input.policy);
        expect(other(guard({ ...input, policy: policyOf }))).toEqual(other(guard(input)));
      }),
    );
  });

  it('says in the gates why it lets through', () => {
    const { gates } = guard(all(failing(A, 19), RECOVER)(base()));
    for (const name of ['MassFailure', 'ZoneFailure'])
      expect(gates.find(({ gate }) => gate === name)).toMatchObject({
        passes: true,
        value: expect.stringContaining(`all in ${A}, and the policy recovers a lost zone`),
      });
  });
});

it('the table is about the default policy but for what a row names', () => {
  expect(base().policy).toEqual(DEFAULT_POLICY);
});
