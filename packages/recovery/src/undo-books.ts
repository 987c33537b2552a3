import {
  type GuardedPut,
  type HistoryRecord,
  HistoryRecordSchema,
  isUndo,
  parseRecord,
  type RecoveryPlan,
  type UndoPlan,
  type Unwritten,
  unwritten,
} from '@understudy/shared';
import type { Run } from './run.ts';

type Undone = UndoPlan['undo'];

const isOf = (undo: Undone, { kind, id }: HistoryRecord['leftovers'][number]): boolean =>
  undo.leftovers.some((one) => one.kind === kind && one.id === id);

/**
 * **S** (S30) The record of the recovery that is being undone: nobody collects the instance that is
 * to serve again, nor its disks, and nobody marks those as retired. It stays on the books, kept for
 * ever, so that nobody takes it for one that was forgotten.
 */
export function withoutCollecting(record: HistoryRecord, undo: Undone): Unwritten<HistoryRecord> {
  const kept = record.leftovers.map((one) => (isOf(undo, one) ? { ...one, afterWallMs: null, obstacle: null } : one));
  const owed = record.owed.filter(({ chore }) => chore.kind !== 'retire-volume');
  return { ...unwritten(record), leftovers: kept, owed };
}

/** As the books were before the undo. What the collector has seen gone meanwhile stays off them. */
const putBack = (record: HistoryRecord, undo: Undone): Unwritten<HistoryRecord> => ({
  ...unwritten(record),
  leftovers: record.leftovers.map(
    (one) => undo.leftovers.find(({ kind, id }) => kind === one.kind && id === one.id) ?? one,
  ),
});

/** The instance serves again: it is nobody's leftover. */
const takenOff = (record: HistoryRecord, undo: Undone): Unwritten<HistoryRecord> => ({
  ...unwritten(record),
  leftovers: record.leftovers.filter((one) => !isOf(undo, one)),
});

/**
 * What the transaction that closes an undo writes into the record of the recovery that it was
 * about; empty for every other recovery, and where that record is gone. Asked for anew after a
 * conflict. @throws STORE_UNAVAILABLE, RECORD_UNREADABLE
 */
export async function closedBooks(
  run: Pick<Run, 'record'> & { readonly plan: RecoveryPlan; readonly parts: Pick<Run['parts'], 'kv' | 'keys'> },
  end: 'undone' | 'as-before',
): Promise<readonly GuardedPut[]> {
  if (!isUndo(run.plan)) return [];
  const { undo } = run.plan;
  const { keys, kv } = run.parts;
  const key = keys.historyEntry(run.record.member, undo.opId);
  const entry = await kv.get(key);
  if (!entry) return [];
  const stored = parseRecord(HistoryRecordSchema, key, entry.value);
  const record = end === 'undone' ? takenOff(stored, undo) : putBack(stored, undo);
  return [{ key, expect: entry.modRevision, record }];
}
