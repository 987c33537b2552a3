import assert from 'node:assert/strict';
import { type HistoryRecord, HistoryRecordSchema, keyspace, parseRecord } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import type { Seat, StrikeTarget, Struck } from './strike.ts';

const KEYS = keyspace();

/**
 * A successor may find the permit gone by a deletion that its predecessor did not live to record.
 * It believes that only after `lagGraceMs`, 60 s (S7).
 */
const FINISHED_WITHIN_MS = 150_000;

/** Waits until another coordinator leads, says so itself, and in a later term. */
export async function successorOf(target: StrikeTarget, { seat, term }: Struck): Promise<Seat> {
  const entry = await until(
    'another leads',
    async () => {
      const found = await target.store.get(KEYS.leader);
      return found && found.createRevision !== term ? found : null;
    },
    15_000,
  );
  assert.ok(entry.createRevision > term, 'terms only grow');
  const { coordinatorId } = JSON.parse(entry.value) as { coordinatorId: string };
  assert.notEqual(coordinatorId, seat.id);
  const successor = target.seat(coordinatorId);
  await until('it says so', async () => (await successor.process.json<{ isLeader: boolean }>('/v1/status'))?.isLeader);
  return successor;
}

export async function finished(
  target: StrikeTarget,
  { member, opId }: Pick<Struck, 'member' | 'opId'>,
): Promise<HistoryRecord> {
  const key = KEYS.historyEntry(member, opId);
  const entry = await until(`${opId} of ${member} is finished`, () => target.store.get(key), FINISHED_WITHIN_MS);
  return parseRecord(HistoryRecordSchema, key, entry.value);
}
