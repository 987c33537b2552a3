import { DEFAULT_POLICY, type GroupPolicy, GroupPolicySchema, monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { assess } from './assess.ts';
import type { CloudReading, MemberEvidence, ObserverOpinion } from './evidence.ts';
import { NOW, opinion, silentEverywhere, WALL } from './judge.fixtures.ts';
import { guardQuorum } from './quorum.ts';

const judge = (change: Partial<MemberEvidence> = {}, policy: GroupPolicy = DEFAULT_POLICY) =>
  assess(silentEverywhere(change), policy, NOW);
const cloud = (
  state: NonNullable<CloudReading['instance']>['state'],
  stateReasonCode: string | null = null,
  agoMs = 1_000,
): CloudReading => ({
  readAtMs: monotonicMs(NOW - agoMs),
  instance: { state, stateReasonCode, stateReasonText: null, launchedAtWallMs: WALL - 86_400_000 },
});
const itemOf = (found: ReturnType<typeof judge>, source: string) => found.evidence.find((one) => one.source === source);

describe('where nobody votes', () => {
  it('what is said by an observer that is gone is no reason', () => {
    const gone = opinion('gone', 'unknown', 'KeyRetired');
    expect(judge({ opinions: [gone, opinion('c1', 'unknown', 'OwnStall')] }).reasonCode).toBe('EveryoneAbstains');
    expect(judge({ opinions: [opinion('gone', 'unknown', 'NeverHeard')] }).reasonCode).toBe('EveryoneAbstains');
  });

  it('it was never heard only if none of them ever heard it', () => {
    const never = opinion('c1', 'unknown', 'NeverHeard');
    expect(judge({ opinions: [never, opinion('c2', 'unknown', 'NeverHeard')] }).reasonCode).toBe('NeverHeard');
    expect(judge({ opinions: [never, opinion('c2', 'unknown', 'OwnStall')] }).reasonCode).toBe('EveryoneAbstains');
  });

  it('who all hear too few are told of the lost zone that it may be; one with another trouble is not', () => {
    const few = (id: string) => opinion(id, 'unknown', 'HearsTooFew');
    expect(judge({ opinions: [few('c1'), few('c2')] }).reason).toContain('guard.lostZones');
    expect(judge({ opinions: [few('c1'), opinion('c2', 'unknown', 'OwnStall')] }).reason).not.toContain('lostZones');
  });

  it('all who had the key are named', () => {
    const retired = (...ids: readonly string[]) =>
      judge({ opinions: ids.map((id) => opinion(id, 'unknown', 'KeyRetired')) }).reason;
    expect(retired('c1')).toContain('a key that c1 no longer has:');
    expect(retired('c1', 'c3')).toContain('a key that c1, c3 no longer have:');
  });
});

describe('who is silent where', () => {
  const one = (count: number) => ['c1', 'c2', 'c3'].slice(0, count).map((id) => opinion(id, 'dead', 'ProbesFailed'));
  const inZones = (...zones: readonly string[]) =>
    zones.map((az, i) => ({ coordinatorId: `c${i + 1}`, az: `us-east-1${az}` }));

  it.each([
    [
      'one observer where two are wanted',
      1,
      inZones('b'),
      { minimumObservers: 2, minimumZones: 1 },
      'NotEnoughObservers',
    ],
    [
      'two in one zone where two zones are wanted',
      2,
      inZones('b', 'b'),
      { minimumObservers: 2, minimumZones: 2 },
      'NotEnoughZones',
    ],
    ['two in two zones', 2, inZones('a', 'b'), { minimumObservers: 2, minimumZones: 2 }, 'SilentEverywhere'],
    [
      'one where one is enough, in the member’s own zone',
      1,
      inZones('a'),
      { minimumObservers: 1, minimumZones: 1 },
      'SilentEverywhere',
    ],
  ] as const)('%s', (_, count, observers, requirement, reasonCode) => {
    expect(judge({ opinions: one(count), observers, requirement }).reasonCode).toBe(reasonCode);
  });

  it('is what live presence says, not what an opinion once said', () => {
    const moved = ['c1', 'c2'].map((id) =>
      opinion(id, 'dead', 'ProbesFailed', { az: id === 'c1' ? 'us-east-1a' : 'us-east-1b' }),
    );
    const { verdict, quorum } = judge({ opinions: moved, observers: inZones('c', 'c') });
    expect([verdict, quorum.zones]).toEqual(['suspect', ['us-east-1c']]);
    const apart = ['c1', 'c2'].map((id) => opinion(id, 'dead', 'ProbesFailed', { az: 'us-east-1c' }));
    expect(judge({ opinions: apart, observers: inZones('a', 'b') }).verdict).toBe('dead');
  });
});

describe('a word of EC2 as old as it may be', () => {
  const FRESH_MS = 6_500;
  it('still counts, and a millisecond later does not', () => {
    expect(judge({ cloud: cloud('running', null, FRESH_MS) }).verdict).toBe('dead');
    expect(judge({ cloud: cloud('running', null, FRESH_MS + 1) }).reasonCode).toBe('Ec2Stale');
  });

  it('is said to be too old only when it is', () => {
    const said = (agoMs: number) => itemOf(judge({ cloud: cloud('running', null, agoMs) }), 'ec2 state')?.text;
    expect([said(FRESH_MS), said(FRESH_MS + 1)]).toEqual(['running', 'running; too old to count']);
  });

  it('that it is off makes an answered probe another machine’s, as long as it is fresh', () => {
    const answered = ['c1', 'c2', 'c3'].map((id) => opinion(id, 'suspect', 'ProbeAnswered'));
    const off = (agoMs: number) =>
      judge({ opinions: answered, cloud: cloud('stopped', 'Server.InternalError', agoMs) }).verdict;
    expect([off(FRESH_MS), off(FRESH_MS + 1)]).toEqual(['dead', 'suspect']);
  });
});

it('an observer that hears it vetoes, whatever reason stands beside its verdict', () => {
  const odd: ObserverOpinion = opinion('c1', 'alive', 'ProbeAnswered');
  const others = ['c2', 'c3'].map((id) => opinion(id, 'dead', 'ProbesFailed'));
  const off = cloud('stopped', 'Server.InternalError');
  expect(judge({ opinions: [odd, ...others], cloud: off })).toMatchObject({ verdict: 'alive', act: false });
});

describe('status checks of EC2', () => {
  const STATUS_FRESH_MS = 120_000;
  const LIMIT = GroupPolicySchema.parse({ detect: { degradedFailsAfterMs: 60_000 } });
  const heard = ['c1', 'c2', 'c3'].map((id) => opinion(id, 'alive', 'Heard'));
  const impaired = (agoMs: number, sinceMs: number | null): Partial<MemberEvidence> => ({
    opinions: heard,
    cloudStatus: {
      readAtMs: monotonicMs(NOW - agoMs),
      status: {
        instanceId: 'i-old',
        state: 'running',
        system: 'ok',
        instance: 'ok',
        attachedEbs: 'impaired',
        events: [],
      },
      ebsImpairedSinceMs: sinceMs === null ? null : monotonicMs(sinceMs),
    },
  });

  it('count as long as they are fresh, to the millisecond, and say so', () => {
    const at = (agoMs: number) => {
      const found = judge(impaired(agoMs, NOW - 300_000), LIMIT);
      const { text, weight } = itemOf(found, 'ec2 status checks') ?? {};
      return [found.degraded, found.act, weight, text?.endsWith('; too old to count')];
    };
    expect(at(STATUS_FRESH_MS)).toEqual([true, true, 'for-dead', false]);
    expect(at(STATUS_FRESH_MS + 1)).toEqual([false, false, 'neutral', true]);
  });

  it('that are not timed degrade it, and never make it failed', () => {
    const found = judge(impaired(0, null), LIMIT);
    expect(found).toMatchObject({ reasonCode: 'Degraded', act: false, failingForMs: 0 });
    expect(found.reason).toContain('(attached EBS: impaired, not timed)');
  });
});

describe('what the agent says of its checks', () => {
  const told = (heardAgoMs: number, code: number): Partial<MemberEvidence> => ({
    opinions: ['c1', 'c2', 'c3'].map((id) => opinion(id, 'alive', 'Heard')),
    workload: {
      lastHeardAtMs: monotonicMs(NOW - heardAgoMs),
      checks: [
        { status: 'fail', code: 21, ageSeconds: 1, failingSinceMs: monotonicMs(NOW - 9_000) },
        { status: 'warn', code, ageSeconds: 1, failingSinceMs: null },
      ],
    },
  });

  it('counts for less than the suspicion time, to the millisecond, and says so', () => {
    const at = (agoMs: number) => {
      const found = judge(told(agoMs, 0));
      return [found.degraded, itemOf(found, 'agent checks')?.text.endsWith('; too old to count')];
    };
    expect([at(4_999), at(5_000)]).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  it('is shown with its code where there is one', () => {
    const second = (code: number) =>
      judge(told(0, code))
        .evidence.filter(({ source }) => source.startsWith('agent check '))
        .map(({ text }) => text)[1];
    expect(second(0)).toBe('warn');
    expect(second(21)).toMatch(/^warn, \w+$/);
  });
});

describe('what is shown of opinions', () => {
  it('one that hears it, but cannot say when, has no age', () => {
    const heard = (lastHeardWallMs: number | null) =>
      itemOf(judge({ opinions: [opinion('c1', 'alive', 'Heard', { lastHeardWallMs })] }), 'observer c1')?.ageMs;
    expect([heard(null), heard(WALL - 400), heard(WALL + 9_000)]).toEqual([null, 400, 0]);
  });

  it('the guard is told how many there are and how many are wanted, where silence is what it is judged by', () => {
    const dead = judge();
    expect(guardQuorum(dead, 'us-east-1a')).toEqual({
      met: true,
      text: '3 observers in 3 zones',
      limit: 'at least 2 in 2 zones, one outside us-east-1a',
    });
    const single = judge({ requirement: { minimumObservers: 1, minimumZones: 1 } });
    expect(guardQuorum(single, 'us-east-1a')?.limit).toBe('at least 1 in 1 zones');
    const asked = { ...judge({ opinions: [] }), act: true, reasonCode: 'OperatorAsked' as const };
    expect(guardQuorum(asked, 'us-east-1a')).toBeNull();
  });
});
