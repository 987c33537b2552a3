import {
  commitGuarded,
  type CommitOutcome,
  invariant,
  type KvCompare,
  type KvStore,
  type LeaseId,
  newWriteId,
  type PreparedCommit,
  type Revision,
  type StampDeps,
  stampRecord,
} from '@understudy/shared';

export interface RecordWriterDeps extends StampDeps {
  readonly store: KvStore;
}

export interface RecordPut {
  readonly key: string;
  /** The record without `schemaVersion`, `writeId`, `writtenBy`, `writtenAtWallMs`. */
  readonly record: object;
  /** Lease under which the record is put: {@link Session.leaseId}. */
  readonly leaseId?: LeaseId;
  /** Compared beside the key itself. */
  readonly also?: readonly KvCompare[];
}

/**
 * Writes records that need no leadership: a coordinator's own presence and opinions, a group an
 * operator applies. It compares and swaps, but no term guards it: never use it for what only a
 * leader may decide.
 */
export class RecordWriter {
  readonly #deps: RecordWriterDeps;

  constructor(deps: RecordWriterDeps) {
    this.#deps = deps;
  }

  /**
   * Puts the record if the key still is at `expect` (0 = absent).
   * @throws STORE_UNAVAILABLE (certainly not written), STORE_OUTCOME_UNKNOWN, STORE_REJECTED
   * (`upstreamCode` LEASE_NOT_FOUND: the lease is gone).
   */
  write(put: RecordPut & { readonly expect: Revision }): Promise<CommitOutcome> {
    const writeId = newWriteId(this.#deps.random);
    const { record, also = [], ...place } = put;
    const value = stampRecord(record, writeId, this.#deps);
    return this.#commit({ ...EMPTY, writeId, puts: [{ ...place, value }], also });
  }

  async #commit(commit: PreparedCommit): Promise<CommitOutcome> {
    const outcome = await commitGuarded(this.#deps.store, commit, () => true);
    invariant(outcome.kind !== 'guardFailed', 'a write without a guard cannot fail it');
    return outcome;
  }
}

const EMPTY = { puts: [], deletes: [], deletePrefixes: [], also: [], guard: null } as const;
