import {
  backoffMs,
  type Clock,
  errorText,
  hasCode,
  isOperationError,
  type Keyspace,
  type KvStore,
  type Log,
  type OperationError,
  type Problem,
  problemOf,
  type Random,
  RecurringFailure,
} from '@understudy/shared';
import { checkEtcdVersions } from './etcd-version.ts';

/**
 * Waits between attempts at start: 0.5 s to 10 s, without end. A coordinator without etcd waits; it
 * does not crash.
 */
const RETRY = { baseMs: 500, capMs: 10_000 } as const;
/** Members that were down at start are asked for their version again after this time. */
const RECHECK_MS = 600_000;
/**
 * A compacted etcd keeps fewer old revisions than this. At our own pace (some 50 per recovery) they
 * are 2 000 recoveries, and a tenth of the default quota of 2 GiB.
 */
const REVISIONS_KEPT_MAX = 100_000;

/**
 * Lets nothing be written, and nobody lead, on an etcd whose version was not seen to be safe. Waits
 * for etcd at start. Looks again from time to time, because only reachable members told their
 * version.
 */
export class StoreGate {
  readonly #store: KvStore;
  readonly #keys: Keyspace;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #allowUnsafeVersion: string | undefined;
  readonly #closing = new AbortController();
  readonly #failure: RecurringFailure;
  #remark: Problem | null = null;
  #problem: Problem | null = problemOf('STORE_UNAVAILABLE', 'etcd was not reached yet');

  constructor(options: {
    readonly store: KvStore;
    readonly keys: Keyspace;
    readonly clock: Clock;
    readonly random: Random;
    readonly log: Log;
    readonly allowUnsafeVersion: string | undefined;
  }) {
    this.#store = options.store;
    this.#keys = options.keys;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#log = options.log;
    this.#failure = new RecurringFailure({ ...options, event: 'store.unreachable' });
    this.#allowUnsafeVersion = options.allowUnsafeVersion;
  }

  /** Why the gate is not passed (yet); null once it is. */
  get problem(): Problem | null {
    return this.#problem;
  }

  /** What an operator should change although nothing is wrong yet. */
  get remarks(): readonly Problem[] {
    return this.#remark ? [this.#remark] : [];
  }

  /**
   * Resolves when etcd answered with versions that are safe; `false` when closed before.
   * @throws STORE_TOO_OLD
   */
  async passed(): Promise<boolean> {
    for (let attempt = 0; !this.#closing.signal.aborted; attempt += 1) {
      if (await this.#check()) {
        this.#problem = null;
        return true;
      }
      const pauseMs = backoffMs(attempt, RETRY, this.#random.next());
      await this.#clock.sleep(pauseMs, this.#closing.signal).catch(() => undefined);
    }
    return false;
  }

  /**
   * Looks again until closed.
   * @throws STORE_TOO_OLD when a member turns out to be too old.
   */
  async watch(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      await this.#lookAtHistory();
      await this.#clock.sleep(RECHECK_MS, this.#closing.signal).catch(() => undefined);
      if (!this.#closing.signal.aborted) await this.#check();
    }
  }

  close(): void {
    this.#closing.abort(new Error('store gate closed'));
  }

  /**
   * Tells the operator when nobody compacts etcd. etcd keeps every revision until it is compacted,
   * and refuses every write once its quota is full. It may be shared, so we do not compact it
   * ourselves (docs/decisions/0004).
   */
  async #lookAtHistory(): Promise<void> {
    try {
      const nothing = `${this.#keys.root}.nothing/`;
      const { revision } = await this.#store.range(nothing);
      const old = revision - REVISIONS_KEPT_MAX;
      const text = `etcd still keeps what it held ${REVISIONS_KEPT_MAX} revisions ago: set --auto-compaction-mode and --auto-compaction-retention on its members, or its quota fills up and it refuses every write`;
      const neverCompacted = old > 0 && (await this.#store.remembers(nothing, old));
      if (neverCompacted && !this.#remark) this.#log.warn('store.not_compacted', { revision, remedy: text });
      this.#remark = neverCompacted ? problemOf('STORE_NOT_COMPACTED', text) : null;
    } catch (error) {
      this.#log.debug('store.history_unreadable', { error: errorText(error) });
    }
  }

  /**
   * The operator has said why the version does not matter. Then an unknown version does not matter
   * either.
   */
  #overridden(error: OperationError): boolean {
    if ((this.#allowUnsafeVersion?.trim() ?? '') === '') return false;
    const fields = { error: errorText(error), why: this.#allowUnsafeVersion };
    this.#log.warn('store.unknown_version', fields);
    return true;
  }

  async #check(): Promise<boolean> {
    try {
      const versions = await this.#store.serverVersions();
      const allowed = checkEtcdVersions(versions, this.#allowUnsafeVersion);
      if (allowed.length > 0) this.#log.warn('store.unsafe_version', { allowed, why: this.#allowUnsafeVersion });
      if (this.#problem) this.#log.info('store.reached', { versions });
      this.#failure.worked();
      return true;
    } catch (error) {
      if (!isOperationError(error) || hasCode(error, 'STORE_TOO_OLD')) throw error;
      if (hasCode(error, 'STORE_VERSION_UNKNOWN') && this.#overridden(error)) return true;
      this.#failure.failed(error);
      if (this.#problem) this.#problem = problemOf(error.code, errorText(error));
      return false;
    }
  }
}
