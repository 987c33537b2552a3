import {
  type GuardedDelete,
  type OperatorRequestRecord,
  OperatorRequestRecordSchema,
  parseRecord,
} from '@understudy/shared';
import { type HoldPlace, readHold } from './hold.ts';

export interface StoredRequest {
  readonly record: OperatorRequestRecord;
  readonly modRevision: number;
}

/**
 * What an operator has asked of this very recovery; null: nothing. One about another recovery, or
 * that cannot be read, is not ours to act on.
 */
export async function readRequest(place: HoldPlace, opId: string): Promise<StoredRequest | null> {
  const entry = await place.kv.get(place.keys.request(place.member));
  if (!entry) return null;
  try {
    const record = parseRecord(OperatorRequestRecordSchema, entry.key, entry.value);
    return record.opId === opId ? { record, modRevision: entry.modRevision } : null;
  } catch {
    return null;
  }
}

/**
 * What goes with a recovery that is closed, beside its intent and journal: its own hold, and what
 * was asked of it.
 */
export async function ownRecordsOf(place: HoldPlace, opId: string): Promise<readonly GuardedDelete[]> {
  const [hold, request] = await Promise.all([readHold(place, opId), readRequest(place, opId)]);
  return [
    ...(hold.own ? [{ key: place.keys.hold(place.member), expect: hold.modRevision }] : []),
    ...(request ? [{ key: place.keys.request(place.member), expect: request.modRevision }] : []),
  ];
}
