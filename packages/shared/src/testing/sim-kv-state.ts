import { OperationError } from '../errors.ts';
import { invariant } from '../invariant.ts';
import type { KvCompare, KvEntry, KvEvent, KvRange, KvTxn, KvTxnResult, KvWrite, Revision } from '../ports/kv-store.ts';

/** One committed change, in etcd's words. All its events share one revision. */
export interface SimKvChange {
  readonly revision: Revision;
  readonly events: readonly KvEvent[];
}

/** etcd's default `--max-txn-ops`. */
const OPERATIONS_PER_TXN_MAX = 128;

const revisionOf = (entry: KvEntry | undefined, compare: KvCompare): Revision =>
  'createRevision' in compare ? (entry?.createRevision ?? 0) : (entry?.modRevision ?? 0);

const wantedBy = (compare: KvCompare): Revision =>
  'createRevision' in compare ? compare.createRevision : compare.modRevision;

const malformed = (text: string): OperationError =>
  new OperationError('STORE_REJECTED', text, { upstreamCode: 'INVALID_ARGUMENT' });

const isTouchedBy = (write: KvWrite, key: string): boolean =>
  write.kind === 'deletePrefix' ? key.startsWith(write.prefix) : write.key === key;

/**
 * etcd's multi-version store without time: revisions, transactions, history, compaction. The
 * history is as long as a test makes it.
 */
export class SimKvState {
  #revision: Revision = 1;
  #compactedRevision: Revision = 0;
  readonly #entries = new Map<string, KvEntry>();
  #history: SimKvChange[] = [];

  get revision(): Revision {
    return this.#revision;
  }

  get compactedRevision(): Revision {
    return this.#compactedRevision;
  }

  get(key: string): KvEntry | null {
    return this.#entries.get(key) ?? null;
  }

  range(prefix: string): KvRange {
    const entries = [...this.#entries.values()].filter((entry) => entry.key.startsWith(prefix));
    // Sorted by code unit, as etcd sorts bytes. That is the same for the ASCII keys we use.
    entries.sort((a, b) => (a.key < b.key ? -1 : 1));
    return { entries, revision: this.#revision };
  }

  /**
   * @throws STORE_REJECTED for what etcd refuses: too many operations, one key written twice, a
   * lease that does not exist.
   */
  txn(txn: KvTxn, leaseExists: (leaseId: string) => boolean): { result: KvTxnResult; change: SimKvChange | null } {
    this.#refuseMalformed(txn);
    const succeeded = txn.compare.every(
      (compare) => revisionOf(this.#entries.get(compare.key), compare) === wantedBy(compare),
    );
    if (!succeeded) {
      const elseEntries = (txn.elseGet ?? []).map((key) => this.get(key));
      return { result: { succeeded, revision: this.#revision, elseEntries }, change: null };
    }
    for (const write of txn.writes)
      if (write.kind === 'put' && write.leaseId !== undefined && !leaseExists(write.leaseId))
        throw new OperationError('STORE_REJECTED', `requested lease ${write.leaseId} not found`, {
          upstreamCode: 'LEASE_NOT_FOUND',
        });
    const change = this.#apply(txn.writes);
    return { result: { succeeded, revision: this.#revision, elseEntries: [] }, change };
  }

  deleteKeys(keys: readonly string[]): SimKvChange | null {
    return this.#apply(keys.toSorted().map((key) => ({ kind: 'delete', key })));
  }

  /**
   * Changes from `fromRevision` to `toRevision` that touch the prefix, or `compacted` when some of
   * them are gone. `unseenFrom`: whoever asks knows already that there is none before.
   */
  changes(
    prefix: string,
    fromRevision: Revision,
    toRevision: Revision,
    unseenFrom: Revision = fromRevision,
  ): readonly SimKvChange[] | 'compacted' {
    if (fromRevision < this.#compactedRevision) return 'compacted';
    const found: SimKvChange[] = [];
    // A watch asks for the newest few of many thousands.
    for (let at = this.#firstFrom(Math.max(fromRevision, unseenFrom)); at < this.#history.length; at += 1) {
      const change = this.#history[at];
      if (!change || change.revision > toRevision) break;
      const events = change.events.filter((event) =>
        (event.kind === 'put' ? event.entry.key : event.key).startsWith(prefix),
      );
      if (events.length > 0) found.push({ revision: change.revision, events });
    }
    return found;
  }

  /** Index of the first change at or after a revision. The history is in order. */
  #firstFrom(revision: Revision): number {
    let [low, high] = [0, this.#history.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#history[middle]?.revision ?? revision) < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  compact(revision: Revision): void {
    invariant(revision <= this.#revision, `compact at ${revision}, but the store is at ${this.#revision}`);
    this.#compactedRevision = Math.max(this.#compactedRevision, revision);
    this.#history = this.#history.filter((change) => change.revision >= this.#compactedRevision);
  }

  #refuseMalformed(txn: KvTxn): void {
    const counts = [txn.compare.length, txn.writes.length, txn.elseGet?.length ?? 0];
    if (Math.max(...counts) > OPERATIONS_PER_TXN_MAX)
      throw malformed(`too many operations in txn: ${Math.max(...counts)} > 128`);
    txn.writes.forEach((write, index) => {
      if (write.kind !== 'put') return;
      const twice = txn.writes.some((other, at) => at !== index && isTouchedBy(other, write.key));
      if (twice) throw malformed(`duplicate key given in txn request: ${write.key}`);
    });
  }

  #apply(writes: readonly KvWrite[]): SimKvChange | null {
    const revision = this.#revision + 1;
    const events = writes.flatMap((write) => this.#applyOne(write, revision));
    if (events.length === 0) return null;
    this.#revision = revision;
    const change = { revision, events };
    this.#history.push(change);
    return change;
  }

  #applyOne(write: KvWrite, revision: Revision): KvEvent[] {
    if (write.kind === 'put') {
      const createRevision = this.#entries.get(write.key)?.createRevision ?? revision;
      const { key, value, leaseId = null } = write;
      const entry: KvEntry = { key, value, createRevision, modRevision: revision, leaseId };
      this.#entries.set(key, entry);
      return [{ kind: 'put', entry }];
    }
    const keys = [...this.#entries.keys()].filter((key) => isTouchedBy(write, key)).sort();
    for (const key of keys) this.#entries.delete(key);
    return keys.map((key) => ({ kind: 'delete', key, modRevision: revision }));
  }
}
