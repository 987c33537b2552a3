import {
  type ActivationRecord,
  ActivationRecordSchema,
  errorText,
  type HistoryRecord,
  HistoryRecordSchema,
  IntentRecordSchema,
  type Keyspace,
  type KvEntry,
  type KvReads,
  type MemberId,
  parseRecord,
  PreparedRecordSchema,
  type Revision,
} from '@understudy/shared';
import type * as z from 'zod';
import type { KnownRecoveries } from '../core/collect.ts';

export interface HistoryEntry {
  readonly key: string;
  readonly record: HistoryRecord;
  readonly modRevision: Revision;
}

export interface Books {
  readonly entries: readonly HistoryEntry[];
  readonly known: KnownRecoveries;
  /** Records that cannot be read, in words. */
  readonly unreadable: readonly string[];
}

/** What etcd says of recoveries, ended and open. @throws STORE_UNAVAILABLE */
export async function readBooks(kv: KvReads, keys: Keyspace): Promise<Books> {
  const unreadable: string[] = [];
  const read = <T>(schema: z.ZodType<T>, entry: KvEntry): T[] => {
    try {
      return [parseRecord(schema, entry.key, entry.value)];
    } catch (error) {
      unreadable.push(errorText(error));
      return [];
    }
  };
  // Preparations are read before the intents that take them over: one is seen in either place.
  const [preparations, prepared] = await Promise.all([kv.range(keys.preparations), kv.range(keys.prepared)]);
  // Intents are read before the history: a recovery that closes in between is then seen as open,
  // which is the careful mistake.
  const intents = await kv.range(keys.intents);
  const gone = prepared.entries.flatMap((entry) => read(PreparedRecordSchema, entry));
  const [history, activations] = await Promise.all([kv.range(keys.history), kv.range(keys.activations)]);
  const entries = history.entries.flatMap((entry) =>
    read(HistoryRecordSchema, entry).map((record) => ({ key: entry.key, record, modRevision: entry.modRevision })),
  );
  const active = activations.entries.flatMap((entry) =>
    read(ActivationRecordSchema, entry).map((record): [MemberId, ActivationRecord] => [record.member, record]),
  );
  return {
    entries,
    known: {
      finished: new Map(entries.map(({ record }) => [record.opId, record])),
      open: new Set([
        // By its key: also what cannot be read is no recovery's leftover.
        ...preparations.entries.map(({ key }) => key.slice(keys.preparations.length)),
        ...intents.entries.flatMap((entry) => read(IntentRecordSchema, entry).map((record) => record.opId)),
      ]),
      activations: new Map(active),
      gone: new Set(gone.flatMap((record) => (record.gone ?? []).map(({ opId }) => opId))),
    },
    unreadable,
  };
}

/**
 * Snapshots, images and interfaces that open recoveries are planned with now.
 * @throws STORE_UNAVAILABLE
 */
export const readNeeded = async (kv: KvReads, keys: Keyspace): Promise<ReadonlySet<string>> =>
  namedInIntents((await kv.range(keys.intents)).entries);

/** What snapshots, images and interfaces intents name, readable or not. */
const namedInIntents = (intents: readonly Pick<KvEntry, 'value'>[]): ReadonlySet<string> =>
  new Set(intents.flatMap(({ value }) => value.match(/\b(?:ami|eni|snap)-[\w-]+/g) ?? []));
