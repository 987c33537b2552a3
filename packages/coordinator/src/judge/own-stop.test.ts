import { LATE_CALL_MS } from '@understudy/recovery';
import { TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { historyRecord } from '@understudy/shared/testing';
import type { Assessment } from './evidence.ts';
import { type OwnStopFacts, ownStopOf, weighOwnStop } from './own-stop.ts';

const AT = Date.parse('2026-11-28T06:00:00.000Z');
const facts = (over: Partial<OwnStopFacts> = {}): OwnStopFacts => ({
  instanceId: 'i-1',
  tags: {},
  launchedAtWallMs: AT - 1_000_000,
  history: [],
  journalOpId: null,
  lastHeardWallMs: AT - 10_000,
  ...over,
});
/** Tags of the run that began 1 000 s before. */
const tags = { [TAG.fencedBy]: 'op-1', [TAG.fencedRun]: new Date(AT - 1_000_000).toISOString() };
const abandoned = historyRecord('g/m', 'i-1', { outcome: 'abandoned', newInstanceId: null, endedAtWallMs: AT });
const stopped = { ...abandoned, fencedBy: 'stopped' as const, oldLaunchedAtWallMs: AT - 1_000_000 };

const step = (name: string, endedMsBefore: number) => ({
  ...{ step: name, state: 'done' as const, startedAtWallMs: AT - 400_000 },
  endedAtWallMs: AT - endedMsBefore,
});

describe('ownStopOf: was it we who stopped it?', () => {
  test('the mark of a retired instance proves nothing: anybody can write it, and it may land late', () => {
    expect(ownStopOf(facts({ history: [], tags: { [TAG.retiredBy]: 'op-0123456789abcdef' } }))).toBeNull();
  });

  test.each<[string, Partial<OwnStopFacts>, object | null]>([
    ['no trace of us', {}, null],
    ['EC2 was not read', { tags: null }, null],
    ['its tag, of the run it is stopped from', { tags }, { opId: 'op-1', abandoned: false }],
    ['a tag without a time', { tags: { [TAG.fencedBy]: 'op-1' } }, { opId: 'op-1', abandoned: false }],
    ['started since, by EC2', { tags, launchedAtWallMs: AT - 999_999 }, null],
    [
      'its tag, and heard later by a clock that is ahead, or was marked by one that was behind',
      { tags, lastHeardWallMs: AT + 10_000_000 },
      { opId: 'op-1', abandoned: false },
    ],
    [
      'neither a launch nor a heartbeat known',
      { tags, launchedAtWallMs: null, lastHeardWallMs: null },
      { opId: 'op-1', abandoned: false },
    ],
    ['a journal without an intent', { journalOpId: 'op-2' }, { opId: 'op-2', abandoned: false }],
    ['an abandoned recovery of it', { history: [abandoned] }, { opId: abandoned.opId, abandoned: true }],
    ['started after it was abandoned', { history: [abandoned], tags, launchedAtWallMs: AT + 1 }, null],
    [
      'abandoned under a clock that was set back to before its launch',
      { history: [{ ...stopped, endedAtWallMs: AT - 2_000_000 }] },
      { opId: abandoned.opId, abandoned: true },
    ],
    [
      'abandoned once stopped, and heard later by a clock that is ahead',
      { history: [stopped], lastHeardWallMs: AT + 1 },
      { opId: abandoned.opId, abandoned: true },
    ],
    ['abandoned once stopped, and started since', { history: [stopped], launchedAtWallMs: AT - 999_999 }, null],
    [
      'abandoned untouched, and heard since',
      { history: [{ ...abandoned, fencedBy: null }], lastHeardWallMs: AT + 1 },
      null,
    ],
    [
      'abandoned untouched, and last heard at that very time',
      { history: [{ ...abandoned, fencedBy: null }], lastHeardWallMs: AT },
      { opId: abandoned.opId, abandoned: true },
    ],
    [
      'abandoned untouched, and started since by EC2, heard or not',
      { history: [{ ...abandoned, fencedBy: null }], launchedAtWallMs: AT + 1, lastHeardWallMs: null },
      null,
    ],
    ['an abandoned recovery of another', { history: [{ ...abandoned, oldInstanceId: 'i-0' }] }, null],
    [
      'one in place that left it stopped',
      { history: [{ ...stopped, outcome: 'not-mended' }] },
      { opId: abandoned.opId, abandoned: false, goesOn: true },
    ],
    [
      'one in place that left it stopped, and it was started since',
      { history: [{ ...stopped, outcome: 'not-mended' }], launchedAtWallMs: AT },
      null,
    ],
    [
      'one that rebooted it: it has stopped nothing',
      { history: [{ ...abandoned, outcome: 'not-mended', fencedBy: null }] },
      null,
    ],
    [
      'one that mended it, with a stop in doubt, and it fell silent while that could land',
      {
        history: [{ ...stopped, outcome: 'mended', lateCalls: ['stop'] }],
        ...{ launchedAtWallMs: AT - 1_000, lastHeardWallMs: AT + LATE_CALL_MS },
      },
      { opId: abandoned.opId, abandoned: false, inDoubt: true },
    ],
    [
      'the same, and it fell silent later: an operator has stopped it',
      {
        history: [{ ...stopped, outcome: 'mended', lateCalls: ['stop'] }],
        ...{ launchedAtWallMs: AT - 1_000, lastHeardWallMs: AT + LATE_CALL_MS + 1 },
      },
      null,
    ],
    [
      'the same, and it fell silent when no stop of its fence could land any more: an operator has stopped it',
      {
        history: [
          { ...stopped, outcome: 'mended', lateCalls: ['stop'], steps: [step('fence', 300_000), step('mend', 0)] },
        ],
        ...{ launchedAtWallMs: AT - 1_000, lastHeardWallMs: AT - 300_000 + LATE_CALL_MS + 1 },
      },
      null,
    ],
    [
      'one that mended it, with every stop answered',
      { history: [{ ...stopped, outcome: 'mended' }], launchedAtWallMs: AT - 1_000 },
      null,
    ],
    [
      'one in place, and one after it that was abandoned: the later',
      {
        history: [
          { ...stopped, outcome: 'not-mended', ordinal: 0 },
          { ...stopped, opId: 'op-9', ordinal: 1 },
        ],
      },
      { opId: 'op-9', abandoned: true },
    ],
    [
      'one that waited out its lease: the stop that it asked for landed later',
      { history: [{ ...stopped, outcome: 'not-mended', fencedBy: 'lease' }] },
      { opId: abandoned.opId, abandoned: false, goesOn: true },
    ],
    [
      'one that waited out its lease, and it was heard when no stop could land any more',
      {
        history: [{ ...stopped, outcome: 'not-mended', fencedBy: 'lease', lateCalls: ['stop'] }],
        lastHeardWallMs: AT + LATE_CALL_MS + 1,
      },
      null,
    ],
    [
      'one that started it in vain: that start is its own',
      {
        history: [{ ...stopped, outcome: 'not-mended', lastLaunchedAtWallMs: AT - 500 }],
        launchedAtWallMs: AT - 500,
      },
      { opId: abandoned.opId, abandoned: false, goesOn: true },
    ],
    [
      'one that started it in vain, and it was started since',
      {
        history: [{ ...stopped, outcome: 'not-mended', lastLaunchedAtWallMs: AT - 500 }],
        launchedAtWallMs: AT - 499,
      },
      null,
    ],
    [
      'one with a stop in doubt, and one after it that mended it',
      {
        history: [
          { ...stopped, outcome: 'not-mended', lateCalls: ['stop'] },
          { ...stopped, opId: 'op-9', outcome: 'mended', ordinal: 1 },
        ],
        ...{ launchedAtWallMs: AT + 1, lastHeardWallMs: AT + 2 },
      },
      { opId: abandoned.opId, abandoned: false, inDoubt: true },
    ],
    [
      'an abandoned one with a stop in doubt, and it was started since: that is for a person',
      { history: [{ ...stopped, lateCalls: ['stop'] }], launchedAtWallMs: AT + 1 },
      { opId: abandoned.opId, abandoned: false },
    ],
    [
      'the one that made it from a seed, whose stop is in doubt',
      { history: [historyRecord('g/m', 'i-0', { newInstanceId: 'i-1', endedAtWallMs: AT, lateCalls: ['stop'] })] },
      { opId: historyRecord('g/m', 'i-0', {}).opId, abandoned: false, inDoubt: true },
    ],
    [
      'the one that made it after a lease of its predecessor',
      { history: [historyRecord('g/m', 'i-0', { newInstanceId: 'i-1', endedAtWallMs: AT, fencedBy: 'lease' })] },
      null,
    ],
    ['a recovery that replaced it', { history: [historyRecord('g/m', 'i-1', { endedAtWallMs: AT })] }, null],
    [
      'two abandoned ones: the later',
      { history: [{ ...abandoned, opId: 'op-0', endedAtWallMs: AT - 1 }, abandoned] },
      { opId: abandoned.opId, abandoned: true },
    ],
    [
      'the later one first',
      { history: [abandoned, { ...abandoned, opId: 'op-0', endedAtWallMs: AT - 1 }] },
      { opId: abandoned.opId, abandoned: true },
    ],
  ])('%s', (_, over, want) => expect(ownStopOf(facts(over))).toEqual(want));
});

const assessment = (over: Partial<Assessment>): Assessment =>
  ({
    verdict: 'left',
    act: false,
    reasonCode: 'OperatorStopped',
    reason: 'r',
    recheckInMs: 5_000,
    ...over,
  }) as Assessment;

describe('a member that our own recovery has left stopped', () => {
  const left = { opId: 'op-1', abandoned: false, goesOn: true } as const;
  const quorum = (silentEverywhere: boolean, met: boolean) => ({ silentEverywhere, met }) as Assessment['quorum'];

  test('is dead as soon as all who vote are silent, and are enough; not before (S10)', () => {
    const weighed = (silent: boolean, met: boolean) =>
      weighOwnStop(assessment({ quorum: quorum(silent, met) }), left, null);
    expect(weighed(true, true)).toMatchObject({ verdict: 'dead', act: true, reasonCode: 'NotMended' });
    for (const [silent, met] of [
      [false, false],
      [true, false],
      [false, true],
    ] as const)
      expect(weighed(silent, met)).toMatchObject({ verdict: 'suspect', act: false });
  });

  test('is not judged by it while it runs, or is heard', () => {
    const running = assessment({ verdict: 'suspect', reasonCode: 'SilentEverywhere' });
    expect(weighOwnStop(running, left, null)).toBe(running);
    const alive = assessment({ verdict: 'alive', reasonCode: 'Heard' });
    expect(weighOwnStop(alive, left, null)).toBe(alive);
  });
});

describe('weighOwnStop', () => {
  const own = { opId: 'op-1', abandoned: false };
  test.each(['OperatorStopped', 'OperatorHibernated', 'OsShutdown', 'StoppedUnexplained'] as const)(
    '%s with our own trace is a visible hold, never left, and never acted on by itself',
    (reasonCode) =>
      expect(weighOwnStop(assessment({ reasonCode }), own, null)).toMatchObject({
        verdict: 'unknown',
        act: false,
        reasonCode: 'StoppedByOwnFence',
      }),
  );

  test('where a person may have stopped it, it waits for one, and both are said', () => {
    const held = weighOwnStop(assessment({}), { opId: 'op-1', abandoned: false, inDoubt: true }, null);
    expect(held).toMatchObject({ verdict: 'unknown', act: false, reasonCode: 'StoppedByOwnFence' });
    expect(held.reason).toMatch(/op-1 may have landed late, or a person has stopped it/);
  });

  test('asked for, it is recovered', () =>
    expect(weighOwnStop(assessment({}), own, 'ann')).toMatchObject({
      verdict: 'dead',
      act: true,
      reasonCode: 'OperatorAsked',
    }));

  test('an abandoned member that is dead waits for a person', () => {
    const dead = assessment({ verdict: 'dead', act: true, reasonCode: 'SilentEverywhere' });
    const given = { opId: 'op-1', abandoned: true };
    expect(weighOwnStop(dead, given, null)).toMatchObject({ verdict: 'dead', act: false, reasonCode: 'Abandoned' });
    expect(weighOwnStop(dead, given, 'ann')).toMatchObject({ act: true, reasonCode: 'SilentEverywhere' });
    expect(weighOwnStop(dead, own, null)).toBe(dead);
  });

  test('whoever is heard is judged as ever, also where its recovery was abandoned and its checks fail for too long', () => {
    const alive = assessment({ verdict: 'alive', reasonCode: 'Heard' });
    expect(weighOwnStop(alive, own, 'ann')).toBe(alive);
    const failing = assessment({ verdict: 'alive', act: true, reasonCode: 'DegradedTooLong' });
    expect(weighOwnStop(failing, { opId: 'op-1', abandoned: true }, null)).toBe(failing);
  });

  test('where no stop of ours is known, the stop is whoever’s EC2 says', () => {
    const left = assessment({});
    expect(weighOwnStop(left, null, 'ann')).toBe(left);
  });

  test('it says the ways out, and asked for, it is looked at within a second', () => {
    expect(weighOwnStop(assessment({}), own, null).wouldChange.join()).toMatch(/is started.*understudy recover/);
    const recheck = (recheckInMs: number) => weighOwnStop(assessment({ recheckInMs }), own, 'ann').recheckInMs;
    expect([recheck(5_000), recheck(250)]).toEqual([1_000, 250]);
  });
});
