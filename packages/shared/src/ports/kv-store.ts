/**
 * What we need of etcd, and nothing more. The etcd adapter (coordinator) and `SimKv` (testing)
 * implement it; both pass one contract suite.
 *
 * Errors: reads throw `STORE_UNAVAILABLE`, `STORE_REJECTED` or `STORE_DENIED`. `txn` and
 * `grantLease` also throw `STORE_NO_SPACE` and `STORE_CORRUPT` (certainly not applied). They and
 * `revokeLease` throw `STORE_OUTCOME_UNKNOWN` when the request may have been applied. Nothing is
 * ever retried inside.
 */

/** etcd store revision; > 0, checked to be a safe integer. */
export type Revision = number;
/** etcd lease id in decimal: 64 bits do not fit a number. */
export type LeaseId = string;

export interface KvEntry {
  readonly key: string;
  readonly value: string;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** `null` when the key has no lease. */
  readonly leaseId: LeaseId | null;
}

/** `modRevision: 0` (or `createRevision: 0`) means that the key is absent. */
export type KvCompare =
  | { readonly key: string; readonly createRevision: Revision }
  | { readonly key: string; readonly modRevision: Revision };

export type KvWrite =
  | { readonly kind: 'put'; readonly key: string; readonly value: string; readonly leaseId?: LeaseId }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'deletePrefix'; readonly prefix: string };

export interface KvTxn {
  /** All must hold. An empty list always succeeds. */
  readonly compare: readonly KvCompare[];
  readonly writes: readonly KvWrite[];
  /**
   * Keys read in the else-branch, in the same transaction, so that the loser sees what it lost to.
   */
  readonly elseGet?: readonly string[];
}

export interface KvTxnResult {
  readonly succeeded: boolean;
  /**
   * Store revision after the transaction. When it succeeded and wrote, it is the new keys'
   * modRevision.
   */
  readonly revision: Revision;
  /** One per `elseGet` key, in order. Empty when `succeeded`. */
  readonly elseEntries: readonly (KvEntry | null)[];
}

export interface KvRange {
  readonly entries: readonly KvEntry[];
  /** The store revision at which the list is true. Watch from `revision + 1`. */
  readonly revision: Revision;
}

export type KvEvent =
  | { readonly kind: 'put'; readonly entry: KvEntry }
  | { readonly kind: 'delete'; readonly key: string; readonly modRevision: Revision };

export interface KvWatchHandlers {
  /**
   * Delivers events in revision order, none lost, none twice. `revision` = highest mod_revision in
   * the batch.
   */
  onEvents(events: readonly KvEvent[], revision: Revision): void;
  /**
   * The history from the asked revision is gone, and the watch has ended: list again, then watch
   * from there.
   */
  onCompacted(): void;
  /**
   * The connection broke. The watch reconnects by itself and resumes without a gap. This is for
   * metrics and freshness only.
   */
  onDisconnected?(error: unknown): void;
  /**
   * The watch is (again) attached and current as of `revision`, by a progress notification or the
   * first answer after a (re)connect.
   */
  onProgress?(revision: Revision): void;
}

export interface KvWatch {
  /** Idempotent, never waits for the server. No handler is called afterwards. */
  cancel(): void;
}

/** Why etcd as a whole refuses writes (`etcdctl alarm list`). */
export type StoreAlarm = 'NOSPACE' | 'CORRUPT';

/**
 * Reads only. The rooms of the leader and recovery get no more than that, so that they can write
 * only through their `Term`.
 */
export interface KvReads {
  get(key: string): Promise<KvEntry | null>;
  /** Linearizable. Sorted by key. */
  range(prefix: string): Promise<KvRange>;
}

export interface KvStore extends KvReads {
  txn(txn: KvTxn): Promise<KvTxnResult>;
  /** The server may grant more than was asked; the granted value counts. */
  grantLease(ttlMs: number): Promise<{ leaseId: LeaseId; ttlMs: number }>;
  /**
   * `null`: the lease is gone, for certain. Throws `STORE_UNAVAILABLE` when there was no answer.
   */
  keepAlive(leaseId: LeaseId): Promise<{ ttlMs: number } | null>;
  /** Revoking a lease that is gone is a success. */
  revokeLease(leaseId: LeaseId): Promise<void>;
  /** Delivers events from `fromRevision` on (inclusive), for keys under `prefix`. */
  watch(prefix: string, fromRevision: Revision, handlers: KvWatchHandlers): KvWatch;
  /**
   * True when the store can still show what the key (one we may read) held at this revision.
   * `false`: compacted away.
   */
  remembers(key: string, revision: Revision): Promise<boolean>;
  /**
   * Server versions of the reachable members, e.g. `3.5.30`.
   * @throws STORE_VERSION_UNKNOWN when they answer and do not tell it.
   */
  serverVersions(): Promise<readonly string[]>;
  /** Alarms that are raised, each once. `null`: we may not ask. */
  alarms(): Promise<readonly StoreAlarm[] | null>;
  /** Bounded in time even when the server is gone. Idempotent. */
  close(): Promise<void>;
}
