import type { CalledOff, LateStarts } from '@understudy/recovery';
import { type HistoryRecord, keyspace, type MemberId, opIdOf, type Term } from '@understudy/shared';
import { activationRecord, entryOf, historyRecord, SimClock } from '@understudy/shared/testing';
import { beforeEach, expect, test } from 'vitest';
import { ClusterRecords } from '../../store/cluster-records.ts';
import type { ClusterState } from '../../store/cluster-state.ts';
import { LateStartsJob } from './late-starts.ts';

const keys = keyspace();
const ONE: MemberId = 'db/one';
const TWO: MemberId = 'db/two';
let records: ClusterRecords;
let looked: readonly CalledOff[];

const lateStart = (more: object = {}): Partial<HistoryRecord> => ({
  ...{ outcome: 'mended', strategy: 'undo', lateStart: { instanceId: 'i-old', untilWallMs: 900_000, ...more } },
});
const put = (record: HistoryRecord): void => records.put(entryOf(keys.historyEntry(ONE, opIdOf('i-new')), record, 8));

const job = (): LateStartsJob => {
  const lateStarts = { look: (_: Term, open: readonly CalledOff[]) => Promise.resolve(void (looked = open)) };
  const view = { records, isFresh: () => true } as unknown as ClusterState;
  return new LateStartsJob({
    ...{ everyMs: 1, lateStarts: lateStarts as unknown as LateStarts, view, keys, clock: new SimClock() },
  });
};

beforeEach(() => {
  records = new ClusterRecords(keys.root);
  looked = [];
  records.put(entryOf(keys.activation(ONE), activationRecord(ONE, 'i-new', 2), 5));
});

test('what is owed is looked at, and what is settled is not', async () => {
  put(historyRecord(ONE, 'i-new', lateStart()));
  await job().run({} as Term);
  expect(looked).toMatchObject([{ modRevision: 8, activation: { modRevision: 5 }, isInCharge: false }]);
  put(historyRecord(ONE, 'i-new', lateStart({ settledAtWallMs: 1 })));
  await job().run({} as Term);
  expect(looked).toEqual([]);
});

test('a retired instance that another member has in charge is told as that', async () => {
  put(historyRecord(ONE, 'i-new', lateStart()));
  records.put(entryOf(keys.activation(TWO), activationRecord(TWO, 'i-old', 1), 6));
  await job().run({} as Term);
  expect(looked).toMatchObject([{ isInCharge: true }]);
});
