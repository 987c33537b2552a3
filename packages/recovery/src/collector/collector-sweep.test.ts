import {
  type Cloud,
  type CloudCapacityReservation,
  type HistoryRecord,
  type Leftover,
  OperationError,
  TAG,
} from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { activationRecord, historyRecord } from '@understudy/shared/testing';
import { Collector, type CollectorOptions } from './collector.ts';
import { cloudError, cloudInstance, cloudVolume, KEYS, MEMBER, NEW, RunRig } from '../run.fixtures.ts';

const ENDED = historyRecord(MEMBER, 'i-old');
const OP = ENDED.opId;
const snapshot = (snapshotId: string) => ({
  ...{ snapshotId, volumeId: 'vol-1', state: 'completed' as const, progressPercent: 100, startedAtWallMs: 0 },
  tags: { [TAG.op]: OP },
});

/** One ended recovery, and a cloud that shows what a test gives it. */
class Swept extends RunRig {
  readonly calls: string[] = [];
  readonly collector: Collector;
  readonly newTerm = this.term();

  constructor(
    shows: Partial<Cloud> = {},
    record: Partial<HistoryRecord> = {},
    options: Partial<CollectorOptions> = {},
  ) {
    super();
    const call =
      (name: string) =>
      async (...args: unknown[]) => {
        this.calls.push(`${name} ${JSON.stringify(args[0])}`);
        return [];
      };
    const given = shows as Record<string, unknown>;
    const cloud = new Proxy({} as Cloud, { get: (_, name) => given[String(name)] ?? call(String(name)) });
    this.delete(KEYS.intent(MEMBER));
    this.put(KEYS.activation(MEMBER), activationRecord(MEMBER, NEW));
    this.put(KEYS.historyEntry(MEMBER, OP), { ...ENDED, ...record });
    const { kv, keys, clock, log } = this.parts;
    this.collector = new Collector({ cloud, kv, keys, clock, log, ...options });
  }

  pass() {
    return this.clock.runUntilSettled(this.collector.collect(this.newTerm.term));
  }
  get changes(): readonly string[] {
    return this.calls.filter((one) => !one.startsWith('describe'));
  }
  get history(): HistoryRecord {
    return JSON.parse(this.kv.entries(KEYS.historyEntry(MEMBER, OP))[0]?.value ?? '{}') as HistoryRecord;
  }
}

describe('what no record accounts for', () => {
  test('of a finished recovery is removed', async () => {
    const rig = new Swept({ describeSnapshots: async () => [snapshot('snap-1')] });
    expect((await rig.pass()).removed).toEqual([{ kind: 'snapshot', id: 'snap-1' }]);
    expect(rig.changes).toEqual(['deleteSnapshot "snap-1"']);
    expect(rig.log.linesOf('collector.removed')).toHaveLength(1);
  });

  test('is kept once an intent names it, however late that comes', async () => {
    let rig: Swept | null = null;
    const describeSnapshots = async () => {
      rig?.put(KEYS.intent('db/five'), '{"from":"snap-1"}');
      return [snapshot('snap-1'), snapshot('snap-2')];
    };
    rig = new Swept({ describeSnapshots });
    const { kept } = await rig.pass();
    expect(rig.changes).toEqual(['deleteSnapshot "snap-2"']);
    expect(kept).toEqual([{ kind: 'snapshot', id: 'snap-1', why: 'an open recovery is planned with it' }]);
  });

  test('and is on the books and due is kept while an open recovery is planned with it', async () => {
    const leftovers = [{ kind: 'snapshot' as const, id: 'snap-9', afterWallMs: 0, obstacle: null }];
    const rig = new Swept({}, { leftovers });
    rig.put(KEYS.intent('db/five'), '{"from":"snap-9"}');
    expect((await rig.pass()).kept).toHaveLength(1);
    expect([rig.changes, rig.history.leftovers]).toEqual([[], leftovers]);
    rig.delete(KEYS.intent('db/five'));
    await rig.clock.advance(3_600_000);
    await rig.pass();
    expect(rig.changes).toEqual(['deleteSnapshot "snap-9"']);
  });

  test('of a preparation that has gone may be a place that was reserved', async () => {
    const place = {
      reservationId: 'cr-1',
      state: 'active',
      tags: { [TAG.op]: 'op-gone' },
    } as unknown as CloudCapacityReservation;
    const shows = { describeCapacityReservations: async () => [place], describeCapacityReservation: async () => place };
    const rig = new Swept(shows);
    const gone = [{ opId: 'op-gone', atWallMs: 5 }];
    rig.put(KEYS.preparedIn('db'), { group: 'db', begunAtWallMs: [], gone });
    await rig.pass();
    expect(rig.changes).toEqual(['cancelCapacityReservation "cr-1"']);
  });

  test('and cannot be removed is kept, with the reason; what is gone already is neither', async () => {
    const deleteSnapshot: Cloud['deleteSnapshot'] = (id) =>
      Promise.reject(
        id === 'snap-1' ? cloudError('CLOUD_CONFLICT', 'InvalidSnapshot.InUse') : cloudError('CLOUD_NOT_FOUND'),
      );
    const rig = new Swept({ deleteSnapshot, describeSnapshots: async () => [snapshot('snap-1'), snapshot('snap-2')] });
    const { removed, kept } = await rig.pass();
    expect([removed, kept]).toEqual([
      [],
      [{ kind: 'snapshot', id: 'snap-1', why: expect.stringContaining('InvalidSnapshot.InUse') }],
    ]);
  });

  test('waits for the next pass when this one has made as many calls as it may', async () => {
    const all = Array.from({ length: 60 }, (_, index) => snapshot(`snap-${index}`));
    const rig = new Swept({ describeSnapshots: async () => all });
    expect((await rig.pass()).removed).toHaveLength(50);
    const few = new Swept({ describeSnapshots: async () => all }, {}, { removalsMax: 3 });
    expect(await few.pass()).toMatchObject({ removed: { length: 3 }, kept: [] });
  });

  test('and was launched is said, and never touched; so are disks that hang on nothing', async () => {
    const rig = new Swept({
      describeInstances: async () => [cloudInstance('i-stray', { tags: { [TAG.op]: OP } })],
      describeVolumes: async () => [cloudVolume('vol-loose', { state: 'available', tags: { [TAG.op]: OP } })],
    });
    const { violations, looseVolumes } = await rig.pass();
    expect(violations).toEqual([expect.stringContaining('i-stray')]);
    expect(looseVolumes).toEqual(['vol-loose']);
    expect(rig.changes).toEqual([]);
    expect(rig.log.linesOf('collector.violation')).toHaveLength(1);
  });

  test('and cannot be read in the books is a violation', async () => {
    const rig = new Swept();
    rig.put(KEYS.historyEntry(MEMBER, 'op-x'), '{"broken":1}');
    expect((await rig.pass()).violations).toEqual([expect.stringContaining('op-x')]);
  });

  test('is looked for by our tags; a volume only where it is free', async () => {
    const asked: unknown[] = [];
    const list = (name: string) => async (filters: unknown) => {
      asked.push([name, filters]);
      return [];
    };
    const names = ['Snapshots', 'Images', 'NetworkInterfaces', 'Instances', 'Volumes'].map((name) => `describe${name}`);
    await new Swept(Object.fromEntries(names.map((name) => [name, list(name)]))).pass();
    const tagged = { 'tag-key': [TAG.op] };
    expect(asked).toEqual([
      ...names.map((name) => [name, name === 'describeVolumes' ? { ...tagged, status: ['available'] } : tagged]),
      ['describeInstances', { 'tag-key': [TAG.retiredBy] }],
    ]);
  });

  test('in a listing that fails is found by the next pass; the others are swept', async () => {
    const rig = new Swept({
      describeSnapshots: async () => [snapshot('snap-1')],
      describeImages: () => Promise.reject(cloudError('CLOUD_UNAVAILABLE')),
    });
    expect((await rig.pass()).removed).toHaveLength(1);
    expect(rig.log.linesOf('collector.scan_failed')).toHaveLength(1);
  });

  test.each([
    ['the end of the term', new OperationError('LEASE_LOST', 'x')],
    ['a mistake of ours', new TypeError('ours')],
  ])('is not looked for any more after %s', async (_name, error) => {
    await expect(new Swept({ describeImages: () => Promise.reject(error) }).pass()).rejects.toBe(error);
  });

  test('is not removed under a term that does not hold for a call', async () => {
    const rig = new Swept({ describeSnapshots: async () => [snapshot('snap-1')] });
    rig.remainingMs = 5_000;
    await expect(rig.pass()).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(rig.changes).toEqual([]);
  });
});

describe('an instance that was believed gone and is not', () => {
  const retired = cloudInstance('i-old', {
    state: 'stopped',
    tags: { [TAG.retiredBy]: OP, [TAG.retainUntil]: '2027-01-01T00:00:00.000Z' },
  });
  const shown: Cloud['describeInstances'] = async (filters) =>
    filters['tag-key']?.[0] === TAG.retiredBy ? [retired] : [];
  const left: Leftover = { kind: 'image', id: 'ami-1', afterWallMs: null, obstacle: null };

  test('is on the books again, with the retention its mark names', async () => {
    const rig = new Swept({ describeInstances: shown }, { leftovers: [left] });
    const other = historyRecord('db/another', 'i-x');
    rig.put(KEYS.historyEntry('db/another', other.opId), other);
    await rig.pass();
    const again = { kind: 'instance', id: 'i-old', afterWallMs: Date.UTC(2027, 0, 1), obstacle: null };
    expect(rig.history.leftovers).toEqual([left, again]);
    expect(rig.log.linesOf('collector.returned')).toHaveLength(1);
  });

  test('is put there by a later pass when the record was written meanwhile', async () => {
    const rig = new Swept({
      describeInstances: async (filters) => {
        const found = await shown(filters);
        if (found.length > 0) rig.put(KEYS.historyEntry(MEMBER, OP), { ...ENDED, reason: 'written meanwhile' });
        return found;
      },
    });
    await rig.pass();
    expect(rig.history).toMatchObject({ reason: 'written meanwhile', leftovers: [] });
    expect(rig.log.linesOf('collector.returned')).toEqual([]);
  });

  test('is not put there when the record has gone', async () => {
    const rig = new Swept({
      describeInstances: async (filters) => {
        const found = await shown(filters);
        if (found.length > 0) rig.delete(KEYS.historyEntry(MEMBER, OP));
        return found;
      },
    });
    await rig.pass();
    expect(rig.kv.entries(KEYS.historyEntry(MEMBER, OP))).toEqual([]);
  });
});

describe('the memory of the collector', () => {
  test('is of what is on the books: what was refused keeps its pace, what went and came back begins anew', async () => {
    const image: Leftover = { kind: 'image', id: 'ami-1', afterWallMs: 0, obstacle: null };
    let tries = 0;
    const deregisterImage = async () => {
      tries += 1;
      throw cloudError('CLOUD_DENIED', 'UnauthorizedOperation');
    };
    const rig = new Swept({ deregisterImage }, { leftovers: [image] });
    await rig.pass();
    await rig.clock.advance(1_000);
    await rig.pass();
    expect(tries).toBe(1);
    rig.put(KEYS.historyEntry(MEMBER, OP), ENDED);
    await rig.pass();
    rig.put(KEYS.historyEntry(MEMBER, OP), { ...ENDED, leftovers: [image] });
    await rig.pass();
    expect(tries).toBe(2);
  });

  test('of an absence ends with the books, too', async () => {
    const instance: Leftover = { kind: 'instance', id: 'i-old', afterWallMs: 0, obstacle: null };
    const rig = new Swept({}, { leftovers: [instance] });
    await rig.pass();
    rig.put(KEYS.historyEntry(MEMBER, OP), ENDED);
    await rig.pass();
    rig.put(KEYS.historyEntry(MEMBER, OP), { ...ENDED, leftovers: [instance] });
    await rig.clock.advance(120_000);
    expect((await rig.pass()).removed).toEqual([]);
  });

  test('of a chore that is refused lasts too', async () => {
    const chore = { kind: 'protect', instanceId: NEW, stop: true, termination: false } as const;
    let tries = 0;
    const setProtection = async () => {
      tries += 1;
      throw cloudError('CLOUD_DENIED', 'UnauthorizedOperation');
    };
    const obstacle = { code: 'c', text: 't', sinceWallMs: 0 };
    const rig = new Swept(
      { setProtection, describeInstances: async () => [cloudInstance(NEW)] },
      { owed: [{ chore, obstacle }] },
    );
    await rig.pass();
    await rig.pass();
    expect(tries).toBe(1);
  });

  test('counts absences over passes', async () => {
    const instance: Leftover = { kind: 'instance', id: 'i-old', afterWallMs: 0, obstacle: null };
    const rig = new Swept({}, { leftovers: [instance] });
    await rig.pass();
    await rig.clock.advance(120_000);
    expect((await rig.pass()).removed).toEqual([{ kind: 'instance', id: 'i-old' }]);
    expect(rig.history.leftovers).toEqual([]);
  });
});

describe('trimming the history', () => {
  const put = (rig: RunRig, count: number) => {
    for (let number = 1; number <= count; number += 1)
      rig.put(KEYS.historyEntry('db/two', `op-${number}`), {
        ...historyRecord('db/two', 'i-2'),
        opId: `op-${number}`,
        endedAtWallMs: number,
      });
  };
  const left = (rig: RunRig) => rig.kv.entries(KEYS.historyOf('db/two')).length;

  test('keeps the newest twenty of a member, as nothing else is said', async () => {
    const rig = new Swept();
    put(rig, 23);
    expect((await rig.pass()).trimmed).toBe(3);
    expect(left(rig)).toBe(20);
    expect((await rig.pass()).trimmed).toBe(0);
  });

  test('takes a hundred at once at most', async () => {
    const rig = new Swept({}, {}, { historyKept: 1 });
    put(rig, 150);
    expect([(await rig.pass()).trimmed, left(rig)]).toEqual([100, 50]);
  });

  test('that somebody else has written to meanwhile is not done', async () => {
    const rig = new Swept({}, {}, { historyKept: 1 });
    put(rig, 3);
    const { remove } = rig.newTerm.term;
    const meanwhile: typeof remove = (deletes) => {
      put(rig, 3);
      return remove.call(rig.newTerm.term, deletes);
    };
    Object.assign(rig.newTerm.term, { remove: meanwhile });
    expect([(await rig.pass()).trimmed, left(rig)]).toEqual([0, 3]);
  });

  test('is recognised as done though the answer is lost', async () => {
    const rig = new Swept({}, {}, { historyKept: 1 });
    put(rig, 3);
    const client = rig.kv.client('term-1');
    client.inject({ kind: 'loseReply', operation: 'txn' });
    expect((await rig.pass()).trimmed).toBe(2);
    expect(client.fired.loseReply).toBe(1);
  });

  test('writes nothing into the records that stay', async () => {
    const rig = new Swept({}, {}, { historyKept: 1 });
    put(rig, 2);
    const before = rig.history;
    await rig.pass();
    expect(rig.history).toEqual(before);
  });
});

test('the report of a quiet pass is empty', async () => {
  const rig = new Swept();
  expect(await rig.pass()).toEqual({
    removed: [],
    kept: [],
    looseVolumes: [],
    violations: [],
    choresDone: [],
    trimmed: 0,
  });
});
