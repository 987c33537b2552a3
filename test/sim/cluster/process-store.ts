import type {
  KvEntry,
  KvRange,
  KvStore,
  KvTxn,
  KvTxnResult,
  KvWatch,
  KvWatchHandlers,
  LeaseId,
  StoreAlarm,
} from '@understudy/shared';
import type { PausePoints } from './pause-points.ts';

/**
 * The store as one coordinator reaches it: every request passes a point where the process can be
 * stopped.
 */
export class ProcessStore implements KvStore {
  readonly #store: KvStore;
  readonly #points: PausePoints;
  readonly #onSend: (txn: KvTxn) => void;

  constructor(store: KvStore, points: PausePoints, onSend: (txn: KvTxn) => void) {
    this.#store = store;
    this.#points = points;
    this.#onSend = onSend;
  }

  get(key: string): Promise<KvEntry | null> {
    return this.#points.pass('kv.get', () => this.#store.get(key));
  }
  range(prefix: string): Promise<KvRange> {
    return this.#points.pass('kv.range', () => this.#store.range(prefix));
  }
  txn(txn: KvTxn): Promise<KvTxnResult> {
    this.#onSend(txn);
    return this.#points.pass('kv.txn', () => this.#store.txn(txn));
  }
  grantLease(ttlMs: number): Promise<{ leaseId: LeaseId; ttlMs: number }> {
    return this.#points.pass('kv.grantLease', () => this.#store.grantLease(ttlMs));
  }
  keepAlive(leaseId: LeaseId): Promise<{ ttlMs: number } | null> {
    return this.#points.pass('kv.keepAlive', () => this.#store.keepAlive(leaseId));
  }
  revokeLease(leaseId: LeaseId): Promise<void> {
    return this.#points.pass('kv.revokeLease', () => this.#store.revokeLease(leaseId));
  }
  watch(prefix: string, fromRevision: number, handlers: KvWatchHandlers): KvWatch {
    return this.#store.watch(prefix, fromRevision, handlers);
  }
  serverVersions(): Promise<readonly string[]> {
    return this.#points.pass('kv.serverVersions', () => this.#store.serverVersions());
  }
  alarms(): Promise<readonly StoreAlarm[] | null> {
    return this.#points.pass('kv.alarms', () => this.#store.alarms());
  }
  remembers(key: string, revision: number): Promise<boolean> {
    return this.#points.pass('kv.remembers', () => this.#store.remembers(key, revision));
  }
  close(): Promise<void> {
    return this.#store.close();
  }
}
