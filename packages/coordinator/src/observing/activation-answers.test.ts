import { instanceHashOf, keyspace, type MemberId, monotonicMs, opIdOf, type ServePromise } from '@understudy/shared';
import { beforeEach, describe, expect, test } from 'vitest';
import { ActivationAnswers } from './activation-answers.ts';
import { ClusterRecords } from '../store/cluster-records.ts';
import { activationRecord, entryOf, historyRecord, intentRecord, memberRecord } from '@understudy/shared/testing';

const keys = keyspace();
const DB1: MemberId = 'prod/db1';
const TTL_MS = 10_000;
const NOW_MS = 500_000;
const LONG_AGO_MS = 1_000;
let records: ClusterRecords;
let ageMs: number | null;
let blocked: boolean;
let term: number;
let answers: ActivationAnswers;

beforeEach(() => {
  records = new ClusterRecords(keys.root);
  ageMs = 1_000;
  blocked = false;
  term = 42;
  answers = new ActivationAnswers({
    view: {
      get records() {
        return records;
      },
      contactAgeMs: () => ageMs,
      provenAtMs: () => (ageMs === null ? null : monotonicMs(NOW_MS - ageMs)),
      cannotAnswer: () => blocked,
    },
    leadership: { knownTerm: () => term },
    leaseTtlMs: TTL_MS,
  });
});
const answer = (instanceId: string, bootHeardAtMs = LONG_AGO_MS, promise: ServePromise | null = null) =>
  answers.answer(DB1, instanceHashOf(instanceId), monotonicMs(bootHeardAtMs), promise);
const activate = (instanceId: string, incarnation = 1) =>
  records.put(entryOf(keys.activation(DB1), activationRecord(DB1, instanceId, incarnation), 5));
const intend = (oldInstanceId: string) => records.put(entryOf(keys.intent(DB1), intentRecord(DB1, oldInstanceId), 6));

describe('what an ack says about the right to serve', () => {
  test('the activated instance is active, for what is left of two leases', () => {
    activate('i-1');
    expect(answer('i-1')).toEqual({
      activation: 'active',
      incarnation: 1,
      holdsForMs: 19_000,
      term: 42,
      leaderLive: true,
    });
  });

  test('from the intent on the old instance is fenced although the activation still names it', () => {
    activate('i-1');
    intend('i-1');
    expect(answer('i-1')).toMatchObject({ activation: 'fenced', incarnation: 1 });
    expect(answer('i-2')).toMatchObject({ activation: 'standby' });
  });

  test('an instance that is to come back itself stays the one that may serve, and no other may', () => {
    activate('i-1');
    for (const strategy of ['reboot', 'stop-start']) {
      const record = intentRecord(DB1, 'i-1');
      const inPlace = { ...record, plan: { ...record.plan, strategy } };
      records.put(entryOf(keys.intent(DB1), inPlace, 6));
      expect([answer('i-1'), answer('i-2')]).toMatchObject([{ activation: 'active' }, { activation: 'standby' }]);
    }
  });

  test('the present instance of an undo is fenced, the retired one stands by, until the undo activates it', () => {
    activate('i-2', 2);
    const record = { ...intentRecord(DB1, 'i-2'), oldIncarnation: 2 };
    const undo = {
      opId: 'op-0',
      instanceId: 'i-1',
      networkInterfaceId: 'eni-1',
      subnetId: 'subnet-1',
      az: 'us-east-1a',
    };
    const more = { servedSinceWallMs: 0, ordinal: 1, volumeIds: [], leftovers: [] };
    const plan = { ...record.plan, strategy: 'undo', undo: { ...undo, ...more } };
    records.put(entryOf(keys.intent(DB1), { ...record, plan }, 6));
    expect([answer('i-2'), answer('i-1')]).toMatchObject([
      { activation: 'fenced', incarnation: 2 },
      { activation: 'standby', incarnation: 2 },
    ]);
    activate('i-1', 3);
    expect([answer('i-2'), answer('i-1')]).toMatchObject([{ activation: 'fenced' }, { activation: 'active' }]);
  });

  test('each answer is ranked by the newest revision it rests on', () => {
    term = 3;
    activate('i-1');
    expect(answer('i-1')).toMatchObject({ activation: 'active', term: 5 });
    intend('i-1');
    expect([answer('i-1'), answer('i-2')]).toMatchObject([{ activation: 'fenced', term: 6 }, { term: 5 }]);
    records.delete(keys.intent(DB1));
    records.put(entryOf(keys.activation(DB1), activationRecord(DB1, 'i-1', 1), 7));
    expect(answer('i-1')).toMatchObject({ activation: 'active', term: 7 });
    term = 0;
    expect(answer('i-1')).toMatchObject({ activation: 'active', term: 7, leaderLive: false });
  });

  test('after the recovery the replacement is active, the predecessor fenced', () => {
    activate('i-2', 2);
    records.put(entryOf(keys.historyEntry(DB1, opIdOf('i-1')), historyRecord(DB1, 'i-1'), 8));
    expect(answer('i-2')).toMatchObject({ activation: 'active', incarnation: 2 });
    expect(answer('i-1')).toMatchObject({ activation: 'fenced', incarnation: 2 });
  });

  test('an earlier predecessor is fenced also while another recovery is open', () => {
    activate('i-2', 2);
    records.put(entryOf(keys.historyEntry(DB1, opIdOf('i-1')), historyRecord(DB1, 'i-1'), 8));
    intend('i-2');
    expect(answer('i-1')).toMatchObject({ activation: 'fenced' });
  });

  test('the replacement of an open recovery waits, whoever was replaced before', () => {
    activate('i-2', 2);
    records.put(entryOf(keys.historyEntry(DB1, opIdOf('i-1')), historyRecord(DB1, 'i-1'), 8));
    intend('i-2');
    expect(answer('i-3')).toMatchObject({ activation: 'standby', incarnation: 2 });
  });

  test('a recovery that was given up fences nobody: where nobody is activated, its instance waits to be', () => {
    const givenUp = historyRecord(DB1, 'i-1', { outcome: 'abandoned' });
    records.put(entryOf(keys.historyEntry(DB1, opIdOf('i-1')), givenUp, 8));
    expect(answer('i-1')).toMatchObject({ activation: 'standby', incarnation: 0 });
  });

  test('an instance nobody activated is fenced when another is, and waits when nobody is', () => {
    expect(answer('i-9')).toMatchObject({ activation: 'standby', incarnation: 0 });
    activate('i-1');
    expect(answer('i-9')).toMatchObject({ activation: 'fenced' });
  });

  test.each<[string, () => void]>([
    ['the view was never current', () => (ageMs = null)],
    ['the view is as old as two leases', () => (ageMs = 2 * TTL_MS)],
    ['a record of the member is unreadable', () => (blocked = true)],
  ])('nothing is said when %s', (_, spoil) => {
    activate('i-1');
    expect([answer('i-1').activation, answer('i-2').activation]).toEqual(['active', 'fenced']);
    spoil();
    for (const instance of ['i-1', 'i-2'])
      expect(answer(instance)).toMatchObject({ activation: 'unknown', holdsForMs: 0, leaderLive: false });
  });

  test.each([
    [900, 'active'],
    [1_000, 'active'],
    [1_001, 'unknown'],
    [2_000, 'unknown'],
  ] as const)('a boot heard 1 000 ms ago, a view proven %i ms ago: %s', (provenAgoMs, activation) => {
    activate('i-1');
    ageMs = provenAgoMs;
    expect(answer('i-1', NOW_MS - 1_000).activation).toBe(activation);
  });

  test('nothing at all is said with the view older than the boot: no incarnation, no time, no live leader', () => {
    activate('i-1');
    expect(answer('i-1', NOW_MS)).toEqual({
      activation: 'unknown',
      incarnation: 0,
      holdsForMs: 0,
      term: 42,
      leaderLive: false,
    });
  });

  test('what forbids to serve needs no view newer than the boot', () => {
    expect(answer('i-2', NOW_MS).activation).toBe('standby');
    activate('i-1');
    expect(answer('i-2', NOW_MS).activation).toBe('fenced');
    intend('i-1');
    expect(answer('i-1', NOW_MS).activation).toBe('fenced');
  });

  test('no leader known: the activation stands, the leader does not live', () => {
    activate('i-1');
    term = 0;
    expect(answer('i-1')).toMatchObject({ activation: 'active', leaderLive: false, term: 5 });
  });
});

describe('a member with a serve contract', () => {
  const KEPT = { stopWithinSeconds: 60, watchdog: true };
  const agree = (answersHoldMs = 20_000) => {
    const serveContract = { id: 'a', stopWithinMs: 60_000, requireWatchdog: true, answersHoldMs };
    records.put(entryOf(keys.member(DB1), memberRecord(DB1, { serveContract }), 7));
  };

  test('active is said only to an agent that promises as much', () => {
    activate('i-1');
    agree();
    const kept = { activation: 'active', holdsForMs: 19_000, term: 42, leaderLive: true };
    expect(answer('i-1', LONG_AGO_MS, KEPT)).toMatchObject(kept);
    for (const promise of [null, { ...KEPT, watchdog: false }, { ...KEPT, stopWithinSeconds: 61 }])
      expect(answer('i-1', LONG_AGO_MS, promise)).toMatchObject({ activation: 'unknown', holdsForMs: 0 });
  });

  test('and holds no longer than was agreed, whatever this coordinator is configured with', () => {
    activate('i-1');
    agree(15_000);
    expect(answer('i-1', LONG_AGO_MS, KEPT)).toMatchObject({ activation: 'active', holdsForMs: 14_000 });
    ageMs = 15_000;
    expect(answer('i-1', LONG_AGO_MS, KEPT).activation).toBe('unknown');
  });

  test('no leader known: the activation stands, the leader does not live', () => {
    activate('i-1');
    agree();
    term = 0;
    expect(answer('i-1', LONG_AGO_MS, KEPT)).toMatchObject({ activation: 'active', leaderLive: false });
  });

  test('what forbids to serve is said whatever is promised', () => {
    activate('i-1');
    agree();
    expect(answer('i-2').activation).toBe('fenced');
    intend('i-1');
    expect(answer('i-1').activation).toBe('fenced');
  });
});
