import { auditIdOf, type GuardedDelete, keyspace, type Term } from '@understudy/shared';
import { entryOf, RecordingLog, SimClock, WRITTEN } from '@understudy/shared/testing';
import { expect, test } from 'vitest';
import { ClusterRecords } from '../../store/cluster-records.ts';
import type { ClusterState } from '../../store/cluster-state.ts';
import { AuditRetentionJob } from './audit-retention.ts';

const keys = keyspace();
const DAY_MS = 86_400_000;

function scene(isFresh = true) {
  const records = new ClusterRecords(keys.root);
  const clock = new SimClock();
  const removed: string[] = [];
  const remove = (deletes: readonly GuardedDelete[]) => {
    removed.push(...deletes.map(({ key }) => key));
    return Promise.resolve({ kind: 'committed', revision: 1 });
  };
  const view = { records, isFresh: () => isFresh } as unknown as ClusterState;
  const job = new AuditRetentionJob({ ...{ everyMs: 60_000, view, keys, clock }, log: new RecordingLog() });
  const audit = (term: number, count: number) => {
    const auditId = auditIdOf(term, count);
    const record = { ...WRITTEN, auditId, atWallMs: 1, kind: 'pause', about: 'global', who: 'ann', from: 'x' };
    const all = { ...record, reason: 'y', requestId: 'r', text: 't', before: null, after: null };
    records.put(entryOf(keys.auditEntry(auditId), all, 7));
  };
  const answer = (number: number, atWallMs: number) => {
    const answerId = number.toString(16).padStart(32, '0');
    const record = { ...WRITTEN, answerId, atWallMs, requestHash: 'h', auditId: 'a', result: {} };
    records.put(entryOf(keys.answer(answerId), record, 10 + number));
    return keys.answer(answerId);
  };
  const run = () => job.run({ remove } as unknown as Term);
  return { records, clock, removed, run, audit, answer };
}

test('the newest 2 000 audit records are kept, whatever the terms and clocks', async () => {
  const { removed, run, audit } = scene();
  for (let count = 1; count <= 1_999; count += 1) audit(9, count);
  audit(10, 1);
  await run();
  expect(removed).toEqual([]);
  audit(8, 7);
  audit(8, 100_000);
  await run();
  expect(removed).toEqual([keys.auditEntry(auditIdOf(8, 7)), keys.auditEntry(auditIdOf(8, 100_000))]);
});

test('an answer is kept for a day, and no more than the newest 1 000', async () => {
  const { removed, run, answer, clock } = scene();
  const first = answer(1, clock.wallMs());
  await clock.advance(DAY_MS);
  await run();
  expect(removed).toEqual([]);
  await clock.advance(1);
  await run();
  expect(removed).toEqual([first]);
  removed.length = 0;
  for (let number = 2; number <= 1_002; number += 1) answer(number, clock.wallMs());
  await run();
  expect(removed).toEqual([first, keys.answer('2'.padStart(32, '0'))].toReversed());
});

test('nothing is removed on a view that is not fresh', async () => {
  const { removed, run, answer, clock } = scene(false);
  answer(1, clock.wallMs());
  await clock.advance(2 * DAY_MS);
  await run();
  expect(removed).toEqual([]);
});
