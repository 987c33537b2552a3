import { DEFAULT_POLICY, keyspace, type MemberId, opIdOf } from '@understudy/shared';
import { beforeEach, describe, expect, test } from 'vitest';
import { ClusterRecords } from './cluster-records.ts';
import {
  activationRecord,
  entryOf,
  historyRecord,
  holdRecord,
  intentRecord,
  memberRecord,
  opinionRecord,
  requestRecord,
  WRITTEN,
} from '@understudy/shared/testing';

const keys = keyspace('/t/v1/');
const DB1: MemberId = 'prod/db1';
let records: ClusterRecords;
beforeEach(() => {
  records = new ClusterRecords(keys.root);
});

describe('ClusterMirror', () => {
  test('each area lands in its table with its revision and leaves it again', () => {
    const stored: readonly [string, object, () => number][] = [
      [keys.member(DB1), memberRecord(DB1), () => records.members.size],
      [keys.activation(DB1), activationRecord(DB1, 'i-1'), () => records.activations.size],
      [keys.intent(DB1), intentRecord(DB1, 'i-1'), () => records.intents.size],
      [keys.hold(DB1), holdRecord(DB1), () => records.holds.size],
      [keys.request(DB1), requestRecord(DB1, 'op-1'), () => records.requests.size],
      [keys.opinion(DB1, 'c2'), opinionRecord(DB1, 'c2'), () => records.opinions.get(DB1)?.size ?? 0],
      [keys.historyEntry(DB1, opIdOf('i-0')), historyRecord(DB1, 'i-0'), () => records.history.get(DB1)?.size ?? 0],
      [keys.group('prod'), { ...WRITTEN, group: 'prod', policy: {} }, () => records.groups.size],
      [
        keys.policy('prod'),
        { ...WRITTEN, group: 'prod', policy: DEFAULT_POLICY, groupRevision: 2 },
        () => records.policies.size,
      ],
      [
        keys.pause('group/prod'),
        { ...WRITTEN, scope: 'group/prod', who: 'a', why: 'b', sinceWallMs: 1, untilWallMs: null },
        () => records.pauses.size,
      ],
    ];
    for (const [key, record, size] of stored) {
      records.put(entryOf(key, record, 5));
      expect([key, size()]).toEqual([key, 1]);
      records.delete(key);
      expect([key, size()]).toEqual([key, 0]);
    }
    expect(records.unreadable.size).toBe(0);
    expect(records.opinions.size + records.history.size).toBe(0);
  });

  test.each<[string, string, object | string]>([
    ['no JSON', 'activations/prod/db1', '{'],
    ['a missing field', 'members/prod/db1', { ...WRITTEN, member: DB1 }],
    ['a newer schema', 'activations/prod/db1', { ...activationRecord(DB1, 'i-1'), schemaVersion: 2 }],
    ["another member's record", 'intents/prod/db1', intentRecord('prod/db2', 'i-1')],
    ['an opinion that does not parse', 'opinions/prod/db1/c2', { verdict: 'alive' }],
    ['a pause of this member', 'pauses/member/prod/db1', {}],
  ])('%s is kept as unreadable, names the member and blocks it', (_, path, record) => {
    records.put(entryOf(`${keys.root}${path}`, record, 9));
    expect([...records.unreadable.values()]).toMatchObject([{ member: DB1, blocks: true }]);
  });

  test('a good value that turns bad is no longer shown, and a corrected one is', () => {
    records.put(entryOf(keys.activation(DB1), activationRecord(DB1, 'i-1'), 3));
    records.put(entryOf(keys.activation(DB1), 'nonsense', 4));
    expect([records.activations.size, records.unreadable.size]).toEqual([0, 1]);
    records.put(entryOf(keys.activation(DB1), activationRecord(DB1, 'i-2'), 5));
    expect(records.unreadable.size).toBe(0);
    expect(records.activations.get(DB1)).toMatchObject({ modRevision: 5, record: { instanceId: 'i-2' } });
  });

  test('an unreadable pause of everything concerns everybody, an unreadable group its group', () => {
    records.put(entryOf(keys.pause('global'), '{}', 1));
    records.put(entryOf(keys.group('prod'), '{}', 2));
    records.put(entryOf(keys.journalStep('op-1', 'fence'), '{}', 3));
    expect([...records.unreadable.values()]).toMatchObject([
      { member: null, group: null, opId: null, blocks: true },
      { group: 'prod', blocks: true },
      { opId: 'op-1', blocks: true },
    ]);
  });

  test.each([
    ['members', keys.member(DB1), true],
    ['activations', keys.activation(DB1), true],
    ['intents', keys.intent(DB1), true],
    ['history', keys.historyEntry(DB1, 'op-1'), true],
    ['holds', keys.hold(DB1), false],
    ['opinions', keys.opinion(DB1, 'c2'), false],
    ['pauses of the member', keys.pause(`member/${DB1}`), false],
    ['pauses of everything', keys.pause('global'), false],
    ['groups', keys.group('prod'), false],
  ])('unreadable %s say which instance may serve, or do not', (_, key, bearsOnActivation) => {
    records.put(entryOf(key, '{}', 1));
    expect([...records.unreadable.values()]).toMatchObject([{ key, bearsOnActivation }]);
  });

  test("a coordinator's unreadable presence is shown and blocks nobody", () => {
    records.put(entryOf(keys.coordinator('c9'), '{}', 1));
    expect([...records.unreadable.values()]).toMatchObject([{ key: keys.coordinator('c9'), blocks: false }]);
  });

  test('keys that are not ours are no business of ours', () => {
    records.put(entryOf('/other/members/prod/db1', '{}', 1));
    records.put(entryOf(keys.leader, 'whatever', 2));
    records.put(entryOf(`${keys.root}experiments/x`, 'whatever', 3));
    expect(records.unreadable.size).toBe(0);
  });
});
