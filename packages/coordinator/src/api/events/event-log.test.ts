import { EVENT_KINDS, EventSchema, keyspace, type KvEntry } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import type { StoreStep } from '../../store/watch-cache.ts';
import { parseEventId } from './event-id.ts';
import { EventLog, type EventListener, KEPT_WRITES_MAX } from './event-log.ts';
import { eventsOfStep } from './events-of-step.ts';

const KEYS = keyspace('/t/v1/');
const MEMBER = 'prod/db1';
const BASE = { schemaVersion: 1, writeId: 'w', writtenBy: 'c1', writtenAtWallMs: 1_000 };
const HELD = { ...BASE, member: MEMBER, text: '3 of 4 failed', sinceWallMs: 1, untilWallMs: null, opId: null };
const JUDGED = {
  ...{ ...BASE, member: MEMBER, instanceId: 'i-1', term: 7, reasonCode: 'Silent', reason: 'nobody hears it' },
  ...{ degraded: false, sinceWallMs: 1 },
};
const STEP = {
  ...{ ...BASE, opId: 'op-1', step: 'fence', term: 7, startedAtWallMs: 1, endedAtWallMs: null },
  ...{ request: null, result: null, error: null },
};
const LEADER = { ...BASE, coordinatorId: 'c1', az: 'a', httpUrl: 'http://c1' };

const entry = (key: string, record: object | null, modRevision: number): KvEntry | null =>
  record && { key, value: JSON.stringify(record), createRevision: 1, modRevision, leaseId: null };
const step = (key: string, before: object | null, after: object | null, revision = 9): StoreStep => ({
  ...{ key, before: entry(key, before, revision - 1), after: entry(key, after, revision), revision },
});
const told = (one: StoreStep) => eventsOfStep(one, 0, KEYS.root, () => MEMBER);

describe('a write to etcd tells of', () => {
  test.each<[string, StoreStep, object]>([
    [
      'a verdict that changed',
      step(KEYS.judgement(MEMBER), { ...JUDGED, verdict: 'alive' }, { ...JUDGED, verdict: 'dead' }),
      { kind: 'member.dead', severity: 'critical', group: 'prod', member: MEMBER, atWallMs: 1_000, id: '9.0.0' },
    ],
    ['a hold that begins', step(KEYS.hold(MEMBER), null, { ...HELD, reason: 'MassFailure' }), { kind: 'hold.begun' }],
    [
      'a hold with other words',
      step(KEYS.hold(MEMBER), { ...HELD, reason: 'MassFailure' }, { ...HELD, reason: 'MassFailure', text: '4 of 4' }),
      { kind: 'hold.changed', why: '4 of 4' },
    ],
    [
      'a hold that ends, which nobody wrote when',
      step(KEYS.hold(MEMBER), { ...HELD, reason: 'MassFailure' }, null),
      { kind: 'hold.ended', atWallMs: null },
    ],
    [
      'a step of a recovery, with its member',
      step(KEYS.journalStep('op-1', 'fence'), null, { ...STEP, state: 'started' }),
      { kind: 'recovery.step', member: MEMBER, opId: 'op-1', what: 'step fence began' },
    ],
    [
      'a step that failed, and why',
      step(
        KEYS.journalStep('op-1', 'fence'),
        { ...STEP, state: 'started' },
        { ...STEP, state: 'failed', error: { code: 'X', text: 'EC2 says no' } },
      ),
      { kind: 'recovery.step', severity: 'warning', what: 'step fence failed', why: 'EC2 says no' },
    ],
    ['a leader', step(KEYS.leader, null, LEADER), { kind: 'leader.changed', what: 'c1 leads' }],
    ['a leader that is gone', step(KEYS.leader, LEADER, null), { kind: 'leader.lost', severity: 'warning' }],
    ['a policy', step(KEYS.group('prod'), null, { ...BASE }), { kind: 'policy.changed', group: 'prod' }],
    [
      'a pause',
      step(KEYS.pause('group/prod'), null, {
        ...{ ...BASE, scope: 'group/prod', who: 'ann', why: 'kernel', sinceWallMs: 1, untilWallMs: 3_600_001 },
      }),
      { kind: 'pause.begun', group: 'prod', what: 'ann paused group prod for 1 h 0 min' },
    ],
  ])('%s', (_, one, expected) => {
    const events = told(one);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject(expected);
    expect(EventSchema.parse(events[0])).toEqual(events[0]);
  });

  test.each<[string, StoreStep]>([
    ['an opinion', step(KEYS.opinion(MEMBER, 'c1'), null, {})],
    ['a record that nobody can read', step(KEYS.hold(MEMBER), null, { nonsense: true })],
    [
      'the same verdict again',
      step(KEYS.judgement(MEMBER), { ...JUDGED, verdict: 'dead' }, { ...JUDGED, verdict: 'dead' }),
    ],
    [
      'the same step again',
      step(KEYS.journalStep('op-1', 'fence'), { ...STEP, state: 'done' }, { ...STEP, state: 'done' }),
    ],
    ['another root', step('/other/v1/leader', null, LEADER)],
  ])('nothing: %s', (_, one) => expect(told(one)).toEqual([]));

  test('every kind has a name of its own', () => expect(new Set(EVENT_KINDS).size).toBe(EVENT_KINDS.length));
});

const verdicts = (revision: number, verdict: string, before = 'alive') =>
  step(KEYS.judgement(MEMBER), { ...JUDGED, verdict: before }, { ...JUDGED, verdict }, revision);

describe('the log of events', () => {
  const logOf = (...batches: readonly (readonly StoreStep[])[]) => {
    const log = new EventLog(KEYS.root, () => MEMBER);
    log.began(5);
    for (const batch of batches) log.changed(batch);
    return log;
  };
  const ids = (log: EventLog, after: string | null, limit = 100) =>
    log.page(after === null ? null : parseEventId(after), limit).events.map(({ id }) => id);

  const BATCHES = [[verdicts(6, 'suspect')], [verdicts(7, 'dead', 'suspect'), step(KEYS.leader, null, LEADER, 7)]];

  test('goes on at another coordinator where it was left at one, whatever the batches were', () => {
    const [one, other] = [logOf(...BATCHES), logOf(BATCHES.flat())];
    expect(ids(one, null)).toEqual(['6.0.0', '7.0.0', '7.1.0']);
    expect(one.page(null, 100)).toEqual(other.page(null, 100));
    expect(ids(other, '7.0.0')).toEqual(['7.1.0']);
    expect(ids(other, one.page(null, 2).cursor)).toEqual(['7.1.0']);
    expect(ids(other, one.cursor)).toEqual([]);
  });

  test('counts writes that tell nothing, so that numbers are the same wherever they are counted', () => {
    const quiet = step(KEYS.opinion(MEMBER, 'c1'), null, {}, 7);
    expect(ids(logOf([quiet, step(KEYS.leader, null, LEADER, 7)]), null)).toEqual(['7.1.0']);
  });

  test('a page has a limit, and says that there is more', () => {
    const page = logOf(...BATCHES).page(null, 2);
    expect([page.events.length, page.more, page.cursor]).toEqual([2, true, '7.0.0']);
  });

  test('what was asked for and is not kept is a reset, never silence', () => {
    const log = logOf(...BATCHES);
    expect(log.page(parseEventId('4.0.0'), 100).reset).toBe(true);
    expect(log.page(parseEventId('6.0.0'), 100).reset).toBe(false);
    for (let revision = 8; revision < 8 + KEPT_WRITES_MAX; revision++) log.changed([verdicts(revision, 'dead')]);
    expect(log.page(parseEventId('6.0.0'), 100).reset).toBe(true);
    expect(ids(log, null, 10_000)).toHaveLength(KEPT_WRITES_MAX);
  });

  test('a reader that is ahead of this coordinator waits, and is not told twice', () => {
    const log = logOf(BATCHES[0] ?? []);
    const page = log.page(parseEventId('7.0.0'), 100);
    expect([page.events, page.reset, page.cursor]).toEqual([[], false, '7.0.0']);
    log.changed(BATCHES[1] ?? []);
    expect(ids(log, page.cursor)).toEqual(['7.1.0']);
  });

  test('after a new list from etcd, which may have missed writes, all readers are told to read anew', () => {
    const news: Parameters<EventListener>[0][] = [];
    const log = logOf(BATCHES[0] ?? []);
    const stop = log.onNews((one) => news.push(one));
    log.changed([verdicts(8, 'dead')]);
    log.began(20);
    stop();
    log.changed([verdicts(21, 'dead')]);
    expect(news.map(({ events, reset }) => [events.length, reset])).toEqual([
      [1, false],
      [0, true],
    ]);
    expect(log.page(parseEventId('8.0.0'), 100).reset).toBe(true);
    expect(ids(log, '20.999999.0')).toEqual(['21.0.0']);
  });
});
