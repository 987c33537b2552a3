import {
  type ActivationRecord,
  ActivationRecordSchema,
  type HistoryRecord,
  HistoryRecordSchema,
  type HoldRecord,
  HoldRecordSchema,
  type IntentRecord,
  IntentRecordSchema,
  type Keyspace,
  type KvEntry,
  type MemberId,
  parseRecord,
} from '@understudy/shared';
import type { SimKv } from '@understudy/shared/testing';

/** What etcd says of members, read past every client and fault. Null: there is no such record. */
export class StoredRecords {
  readonly #kv: SimKv;
  readonly #keys: Keyspace;

  constructor(kv: SimKv, keys: Keyspace) {
    this.#kv = kv;
    this.#keys = keys;
  }

  activation(member: MemberId): ActivationRecord | null {
    return this.#read(this.#keys.activation(member), (e) => parseRecord(ActivationRecordSchema, e.key, e.value));
  }

  intent(member: MemberId): IntentRecord | null {
    return this.#read(this.#keys.intent(member), (e) => parseRecord(IntentRecordSchema, e.key, e.value));
  }

  hold(member: MemberId): HoldRecord | null {
    return this.#read(this.#keys.hold(member), (e) => parseRecord(HoldRecordSchema, e.key, e.value));
  }

  /** Oldest first. */
  history(member: MemberId): readonly HistoryRecord[] {
    return this.#kv
      .entries(this.#keys.historyOf(member))
      .map((entry) => parseRecord(HistoryRecordSchema, entry.key, entry.value));
  }

  #read<T>(key: string, parse: (entry: KvEntry) => T): T | null {
    const entry = this.#kv.state.get(key);
    return entry ? parse(entry) : null;
  }
}
