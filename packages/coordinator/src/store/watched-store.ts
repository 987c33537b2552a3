import {
  type Clock,
  type ErrorCode,
  errorText,
  isOperationError,
  type KvEntry,
  type KvRange,
  type KvStore,
  type KvTxn,
  type KvTxnResult,
  type KvWatch,
  type KvWatchHandlers,
  type LeaseId,
  type MonotonicMs,
  type Revision,
  type StoreAlarm,
} from '@understudy/shared';

/** A refusal that etcd gave for certain, for a cause that repeating does not cure. */
export interface StoreRefusal {
  readonly code: ErrorCode;
  /** The area (`<root>opinions/`), `*` for every write, or `read <prefix>`. */
  readonly place: string;
  readonly text: string;
  readonly sinceMs: MonotonicMs;
}

/** Causes that concern every write alike. */
const OF_ALL_WRITES: readonly ErrorCode[] = ['STORE_NO_SPACE', 'STORE_CORRUPT'];
const REFUSAL_CODES: readonly ErrorCode[] = [...OF_ALL_WRITES, 'STORE_DENIED', 'STORE_REJECTED'];
const LEASE_GONE = 'LEASE_NOT_FOUND';

/**
 * Passes calls on to the store and notes what its answers tell: whether it takes writes, and what
 * it refuses. It changes no call. Everything a coordinator asks of etcd goes through one of these,
 * so that ordinary writes prove that writes work.
 */
export class WatchedStore implements KvStore {
  readonly #store: KvStore;
  readonly #clock: Clock;
  readonly #root: string;
  /**
   * Refusals by cause. The key is an area below the root for what the role does not allow, `*` for
   * what concerns every write, and `read <prefix>` for reads. There are as many as there are areas.
   */
  readonly #refusals = new Map<string, StoreRefusal>();
  readonly #refused = new Map<ErrorCode, number>();
  #provenAtMs: MonotonicMs;
  #lastFailure: string | null = null;

  constructor(options: { readonly store: KvStore; readonly clock: Clock; readonly root: string }) {
    const { store, clock, root } = options;
    this.#store = store;
    this.#clock = clock;
    this.#root = root;
    this.#provenAtMs = clock.monotonicMs();
  }

  /** Present refusals, the longest refused first. */
  get refusals(): readonly StoreRefusal[] {
    return [...this.#refusals.values()].sort((a, b) => a.sinceMs - b.sinceMs);
  }

  /**
   * True when writes are refused for a cause that concerns all of them. Only a write that was taken
   * takes this back.
   */
  get refusesAllWrites(): boolean {
    return this.#refusals.has(EVERY_WRITE);
  }

  /**
   * Our monotonic time of the last write, or rehearsal of one, that etcd took. Before the first it
   * is the time of the start.
   */
  get writeProvenAtMs(): MonotonicMs {
    return this.#provenAtMs;
  }

  /** Text of the last write that failed without a clear answer. Null since a write was taken. */
  get lastFailure(): string | null {
    return this.#lastFailure;
  }

  /** Refused calls since the start, by code. */
  get refusedCounts(): ReadonlyMap<ErrorCode, number> {
    return this.#refused;
  }

  async txn(txn: KvTxn): Promise<KvTxnResult> {
    const puts = txn.writes.filter((write) => write.kind === 'put').map((write) => write.key);
    try {
      const result = await this.#store.txn(txn);
      if (puts.length > 0 && result.succeeded) this.#took(puts);
      return result;
    } catch (error) {
      const written = txn.writes.map((write) => (write.kind === 'deletePrefix' ? write.prefix : write.key));
      this.#failed(
        error,
        written.map((key) => this.#areaOf(key)),
      );
      throw error;
    }
  }

  async grantLease(ttlMs: number): Promise<{ leaseId: LeaseId; ttlMs: number }> {
    try {
      const granted = await this.#store.grantLease(ttlMs);
      this.#took([]);
      return granted;
    } catch (error) {
      this.#failed(error, []);
      throw error;
    }
  }

  /**
   * Sends a transaction that writes nothing, because its compare cannot hold. etcd refuses it all
   * the same where it would refuse the puts in it: it checks permission, quota and alarms before it
   * compares. What it accepts was committed by a quorum. A refusal is noted as if the puts had been
   * written. `denied`: at least one of several keys may not be written. etcd does not say which, so
   * the caller asks again, one by one.
   */
  async rehearse(compareKey: string, keys: readonly string[]): Promise<'taken' | 'denied' | 'failed'> {
    const compare = [{ key: compareKey, modRevision: NEVER }];
    try {
      await this.#store.txn({ compare, writes: keys.map((key) => ({ kind: 'put', key, value: '' })) });
    } catch (error) {
      const denied = refusalCode(error) === 'STORE_DENIED';
      const areas = keys.map((key) => this.#areaOf(key));
      if (keys.length === 1 || !denied) this.#failed(error, areas);
      return denied ? 'denied' : 'failed';
    }
    this.#provenAtMs = this.#clock.monotonicMs();
    this.#lastFailure = null;
    for (const key of keys) this.#refusals.delete(this.#areaOf(key));
    return 'taken';
  }

  get(key: string): Promise<KvEntry | null> {
    return this.#read(key, this.#store.get(key));
  }

  range(prefix: string): Promise<KvRange> {
    return this.#read(prefix, this.#store.range(prefix));
  }

  keepAlive(leaseId: LeaseId): Promise<{ ttlMs: number } | null> {
    return this.#store.keepAlive(leaseId);
  }

  revokeLease(leaseId: LeaseId): Promise<void> {
    return this.#store.revokeLease(leaseId);
  }

  watch(prefix: string, fromRevision: Revision, handlers: KvWatchHandlers): KvWatch {
    return this.#store.watch(prefix, fromRevision, handlers);
  }

  remembers(key: string, revision: Revision): Promise<boolean> {
    return this.#store.remembers(key, revision);
  }

  serverVersions(): Promise<readonly string[]> {
    return this.#store.serverVersions();
  }

  alarms(): Promise<readonly StoreAlarm[] | null> {
    return this.#store.alarms();
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #read<T>(key: string, work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      this.#refusals.delete(`read ${key}`);
      return result;
    } catch (error) {
      const code = refusalCode(error);
      if (code !== null) this.#refuse(`read ${key}`, code, `read ${key}: ${errorText(error)}`);
      throw error;
    }
  }

  #took(keys: readonly string[]): void {
    this.#provenAtMs = this.#clock.monotonicMs();
    this.#lastFailure = null;
    this.#refusals.delete(EVERY_WRITE);
    for (const key of keys) this.#refusals.delete(this.#areaOf(key));
  }

  #failed(error: unknown, areas: readonly string[]): void {
    const code = refusalCode(error);
    if (code === null) {
      if (isOperationError(error) && error.upstreamCode !== LEASE_GONE) this.#lastFailure = errorText(error);
      return;
    }
    if (OF_ALL_WRITES.includes(code) || areas.length === 0) this.#refuse(EVERY_WRITE, code, errorText(error));
    else for (const area of new Set(areas)) this.#refuse(area, code, `write ${area}: ${errorText(error)}`);
  }

  /** The part of a key that a role is given for: `<root>opinions/g/m/c1` → `<root>opinions/`. */
  #areaOf(key: string): string {
    const [area = '', ...rest] = key.slice(this.#root.length).split('/');
    return rest.length > 0 ? `${this.#root}${area}/` : key;
  }

  #refuse(place: string, code: ErrorCode, text: string): void {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1);
    const before = this.#refusals.get(place);
    const sinceMs = before?.code === code ? before.sinceMs : this.#clock.monotonicMs();
    this.#refusals.set(place, { code, place, text, sinceMs });
  }
}

const EVERY_WRITE = '*';
/** No key ever gets this old. */
const NEVER: Revision = Number.MAX_SAFE_INTEGER;

/** Null: no refusal, or one that says nothing about the store (a lease that has ended). */
function refusalCode(error: unknown): ErrorCode | null {
  if (!isOperationError(error) || error.upstreamCode === LEASE_GONE) return null;
  return REFUSAL_CODES.includes(error.code) ? error.code : null;
}
