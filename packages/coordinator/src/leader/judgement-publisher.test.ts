import {
  type GuardedDelete,
  type GuardedPut,
  type GuardedWrite,
  type JudgementRecord,
  keyspace,
  type MemberId,
  type Term,
  wallMs,
} from '@understudy/shared';
import { activationRecord, entryOf, RecordingLog, SimClock, WRITTEN } from '@understudy/shared/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { ClusterRecords } from '../store/cluster-records.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import { JudgementPublisher, planJudgements } from './judgement-publisher.ts';
import type { Judgement } from './assessor.ts';

const keys = keyspace();
const DB1: MemberId = 'prod/db1';
const NOW = wallMs(1_000_000);
let records: ClusterRecords;

beforeEach(() => {
  records = new ClusterRecords(keys.root);
});

type Said = Partial<Pick<JudgementRecord, 'verdict' | 'reasonCode' | 'reason' | 'degraded'>>;
const told = (member: MemberId, said: Said = {}, instanceId = 'i-1') =>
  ({
    member,
    instanceId,
    assessment: { verdict: 'alive', reasonCode: 'Heard', reason: 'heard by c1', degraded: false, ...said },
  }) as Judgement;
const publish = (member: MemberId, over: Partial<JudgementRecord> = {}, modRevision = 7) => {
  const record = { ...WRITTEN, member, instanceId: 'i-1', term: 3, verdict: 'alive', reasonCode: 'Heard' };
  const all = { ...record, reason: 'heard by c1', degraded: false, sinceWallMs: 5, ...over };
  records.put(entryOf(keys.judgement(member), all, modRevision));
};
const activate = (member: MemberId) =>
  records.put(entryOf(keys.activation(member), activationRecord(member, 'i-1'), 2));
const plan = (...judgements: Judgement[]) =>
  planJudgements({ judgements, records, keyOf: (member) => keys.judgement(member), nowWallMs: NOW });

describe('what a leader publishes of its judgements', () => {
  test('the first one of a member, since now', () => {
    expect(plan(told(DB1)).puts).toMatchObject([
      { record: { member: DB1, verdict: 'alive', sinceWallMs: NOW }, expect: 0 },
    ]);
  });

  test('nothing while it stays the same, whoever wrote it', () => {
    activate(DB1);
    publish(DB1);
    expect(plan(told(DB1))).toEqual({ puts: [], gone: [] });
  });

  test.each<[string, Said, string?]>([
    ['verdict', { verdict: 'suspect' }],
    ['reason code', { reasonCode: 'Degraded' }],
    ['degraded', { degraded: true }],
    ['instance', {}, 'i-2'],
  ])('another %s at once', (_, said, instanceId) => {
    publish(DB1, { writtenAtWallMs: NOW });
    expect(plan(told(DB1, said, instanceId)).puts).toMatchObject([{ expect: 7 }]);
  });

  test('since when: kept while the verdict is the same, begun anew with another verdict or instance', () => {
    publish(DB1);
    const since = (said: Said, id?: string) => plan(told(DB1, said, id)).puts[0]?.record.sinceWallMs;
    expect([since({ degraded: true }), since({ verdict: 'dead' }), since({}, 'i-2')]).toEqual([5, NOW, NOW]);
  });

  test('other words no sooner than after 30 s; durations that grow are no other words', () => {
    publish(DB1, { writtenAtWallMs: NOW - 29_999 });
    expect(plan(told(DB1, { reason: 'heard by c1, c2' })).puts).toEqual([]);
    publish(DB1, { writtenAtWallMs: NOW - 30_000 });
    expect(plan(told(DB1, { reason: 'heard by c1, c2' })).puts).toHaveLength(1);
    publish(DB1, { reason: 'failing for 59 s, limit 3 min', writtenAtWallMs: 0 });
    expect(plan(told(DB1, { reason: 'failing for 1 min 2 s, limit 3 min' })).puts).toEqual([]);
  });

  test('a member that is not judged keeps its last word while it is activated, and loses it after', () => {
    activate(DB1);
    publish(DB1, { verdict: 'dead' });
    expect(plan()).toEqual({ puts: [], gone: [] });
    records.delete(keys.activation(DB1));
    expect(plan().gone).toEqual([{ member: DB1, expect: 7 }]);
  });

  test('a record that cannot be read is left alone', () => {
    records.put(entryOf(keys.judgement(DB1), '{}', 4));
    expect(plan(told(DB1)).puts).toEqual([]);
  });
});

interface Sent {
  readonly puts: readonly GuardedPut[];
  readonly deletes?: readonly GuardedDelete[];
}

/** Commits into the mirror, unless it is told to hold back what the watch would deliver. */
class Etcd {
  revision = 10;
  readonly commits: Sent[] = [];
  deliver = true;
  readonly term = (number: number): Term =>
    ({
      number,
      coordinatorId: 'c1',
      commit: async (write: GuardedWrite) => this.#commit(write),
      remove: async (deletes: readonly GuardedDelete[]) => this.#commit({ puts: [], deletes }),
    }) as unknown as Term;

  #commit(write: Sent) {
    this.commits.push(write);
    const revision = ++this.revision;
    if (this.deliver)
      for (const { key, record } of write.puts) records.put(entryOf(key, { ...record, ...WRITTEN }, revision));
    if (this.deliver) for (const { key } of write.deletes ?? []) records.delete(key);
    return { kind: 'committed', revision } as const;
  }
}

describe('publishing', () => {
  let etcd: Etcd;
  let publisher: JudgementPublisher;
  let viewRevision: () => number;
  beforeEach(() => {
    etcd = new Etcd();
    viewRevision = () => etcd.revision;
    const view = {
      records,
      get revision() {
        return viewRevision();
      },
    } as unknown as ClusterState;
    publisher = new JudgementPublisher({ keys, view, clock: new SimClock(), log: new RecordingLog() });
  });

  test('a thousand members that fail at once are ten transactions, and none after', async () => {
    const dead = Array.from({ length: 1_000 }, (_, i) => told(`g/m${i}`, { verdict: 'dead' }));
    for (const { member } of dead) activate(member);
    for (let pass = 0; pass < 20; pass += 1) await publisher.publish(etcd.term(9), dead, () => true);
    expect(etcd.commits).toHaveLength(10);
    expect(records.judgements.size).toBe(1_000);
    expect(etcd.commits.every((one) => one.puts.length <= 101)).toBe(true);
    expect(records.judge.get('current')?.record).toMatchObject({ coordinatorId: 'c1', term: 9 });
  });

  test('a new leader that judges as its predecessor did writes one record, and only when it has judged everybody', async () => {
    activate(DB1);
    publish(DB1);
    await publisher.publish(etcd.term(9), [], () => false);
    expect(etcd.commits).toEqual([]);
    for (let pass = 0; pass < 3; pass += 1) await publisher.publish(etcd.term(9), [told(DB1)], () => true);
    expect(etcd.commits.map((one) => one.puts.map(({ key }) => key))).toEqual([[keys.judge]]);
  });

  test('nothing is planned on a view that lacks the last write', async () => {
    activate(DB1);
    etcd.deliver = false;
    viewRevision = () => 10;
    for (let pass = 0; pass < 3; pass += 1) await publisher.publish(etcd.term(9), [told(DB1)], () => true);
    expect(etcd.commits).toHaveLength(1);
  });

  test('what is gone is removed, and nothing is written for it', async () => {
    await publisher.publish(etcd.term(9), [], () => true);
    publish(DB1);
    await publisher.publish(etcd.term(9), [], () => true);
    expect(etcd.commits.at(-1)).toEqual({ puts: [], deletes: [{ key: keys.judgement(DB1), expect: 7 }] });
    expect(records.judgements.size).toBe(0);
  });
});
