import type { KvCompare, KvEntry, Revision } from './kv-store.ts';

/**
 * A put whose key is compared, in the same transaction, with the revision the writer last saw (0 =
 * absent).
 */
export interface GuardedPut {
  readonly key: string;
  /**
   * The record without `schemaVersion`, `writeId`, `writtenBy`, `writtenAtWallMs`, which the writer
   * stamps.
   */
  readonly record: object;
  readonly expect: Revision;
}

export interface GuardedDelete {
  readonly key: string;
  readonly expect: Revision;
}

export interface GuardedWrite {
  /** At least one put. A lost reply is recognised by reading back the first put's `writeId`. */
  readonly puts: readonly [GuardedPut, ...GuardedPut[]];
  readonly deletes?: readonly GuardedDelete[];
  /** Prefixes deleted without compare, in the same transaction (finished journals). */
  readonly deletePrefixes?: readonly string[];
  /** Further conditions, e.g. the activation's modRevision. */
  readonly also?: readonly KvCompare[];
}

export type CommitOutcome =
  /** `revision` is the new modRevision of every put key. */
  | { readonly kind: 'committed'; readonly revision: Revision }
  /**
   * A compare other than the term failed. `entries`: what the compared keys hold now, in order
   * puts, deletes, also.
   */
  | { readonly kind: 'conflict'; readonly entries: readonly (KvEntry | null)[] };

/**
 * One spell of leadership, and the only way to write as leader. `LeaderTerm` (coordinator) is the
 * implementation; the rooms of the leader and recovery ask for one. `number` is the create-revision
 * of the `leader` key (the fencing token).
 */
export interface Term {
  readonly number: number;
  readonly coordinatorId: string;
  /**
   * Aborted (with LEASE_LOST) as soon as this coordinator stops believing, which is before a
   * successor can start.
   */
  readonly signal: AbortSignal;
  /**
   * True when work that takes up to `neededMs` may still begin, by our own deadline on the
   * monotonic clock. Synchronous; ask right before every effect.
   */
  holdsFor(neededMs: number): boolean;
  remainingMs(): number;
  /**
   * One transaction that compares the leader key's create-revision with `number`, every put's and
   * delete's modRevision, and `also`. A lost reply is resolved by reading back. Never repeats a
   * write blindly.
   * @throws LEASE_LOST when the term is over; STORE_UNAVAILABLE when it was certainly not sent;
   * STORE_OUTCOME_UNKNOWN when even reading back failed.
   */
  commit(write: GuardedWrite): Promise<CommitOutcome>;
  /**
   * Deletes in one transaction that compares the leader key's create-revision with `number` and
   * every key's modRevision. It writes nothing else.
   *
   * `committed` says that none of the keys exists any more, and not who removed them. `revision` is
   * a store revision at which that was so. A deletion leaves no nonce behind, so a lost reply
   * cannot tell our deletion from another's. It need not: a key that was seen at one revision and
   * is absent now can never be at that revision again, so our transaction, should it still be under
   * way, can only fail. The keys are read in the same transaction as the leader key, so the answer
   * is given only while the term is ours. Afterwards it is LEASE_LOST, whatever the state of the
   * keys.
   *
   * A key that was written again since, or that still exists while another one is gone, is a
   * `conflict`: nothing of this transaction was done, or the key was made anew after it. When all
   * keys still exist at the revisions seen, the transaction may yet arrive, so the same one goes
   * again, as with {@link commit}.
   * @throws as {@link commit}
   */
  remove(deletes: readonly [GuardedDelete, ...GuardedDelete[]]): Promise<CommitOutcome>;
}
