import { invariant } from '../invariant.ts';
import { type ErrorCode, OperationError } from '../errors.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { KvEntry, KvTxn, KvTxnResult, LeaseId, Revision, StoreAlarm } from '../ports/kv-store.ts';
import { SimKvClient, type SimKvClientOptions } from './sim-kv-client.ts';
import { SimKvState } from './sim-kv-state.ts';

export interface SimKvOptions {
  readonly clock: Clock;
  /** The server never grants less. Default 2 000, as etcd with its default election timeout. */
  readonly minimumTtlMs?: number;
  /**
   * How late the server notices that a lease is over. Default 0, the hardest case for a leader's
   * deadline. etcd needs up to 500 ms.
   */
  readonly expiryLagMs?: number;
  /** How fast the server's clock runs against ours. 1.01 = leases end 1 % early. Default 1. */
  readonly leaseClockRate?: number;
  /** How often an attached watch is told how far it is. Default 1 000. */
  readonly progressEveryMs?: number;
}

interface SimLease {
  readonly ttlMs: number;
  timer: Timer;
}

/**
 * A transaction that was applied and whose comparisons held. `client` is null for one made past
 * every client ({@link SimKv.apply}).
 */
export interface SimKvCommit {
  readonly client: string | null;
  readonly txn: KvTxn;
  readonly revision: Revision;
}

/**
 * An in-memory etcd on a {@link Clock}: revisions, leases that expire on the clock, transactions,
 * watches with replay, compaction. Each process under test gets its own {@link client}, which can
 * be cut off, slowed down or made to lose replies. It is deterministic: no real time, no randomness
 * of its own.
 */
export class SimKv {
  readonly clock: Clock;
  readonly state = new SimKvState();
  readonly minimumTtlMs: number;
  readonly progressEveryMs: number;
  /** What `serverVersions()` answers. */
  versions: readonly string[] = ['3.5.30'];
  /**
   * Refuses what etcd refuses when it cannot or may not write: transactions that put anything,
   * whatever their compares say, and new leases. Reads, deletes, keepalives and watches work. Null:
   * it refuses nothing.
   */
  refusesWrites: Extract<ErrorCode, 'STORE_NO_SPACE' | 'STORE_CORRUPT' | 'STORE_DENIED'> | null = null;
  /** How late leases end, from the next grant or renewal on. */
  expiryLagMs: number;
  /**
   * TTL with which a keepalive of a lease that is gone is answered, as by etcd before 3.5.23 and
   * 3.6.5. Null: it is answered truly.
   */
  keepaliveLieMs: number | null = null;
  readonly #leaseClockRate: number;
  readonly #leases = new Map<LeaseId, SimLease>();
  readonly #clients = new Map<string, SimKvClient>();
  readonly #commitListeners: ((commit: SimKvCommit) => void)[] = [];
  #leaseCount = 0;
  #suspended = false;

  constructor(options: SimKvOptions) {
    this.clock = options.clock;
    this.minimumTtlMs = options.minimumTtlMs ?? 2000;
    this.progressEveryMs = options.progressEveryMs ?? 1000;
    this.expiryLagMs = options.expiryLagMs ?? 0;
    this.#leaseClockRate = options.leaseClockRate ?? 1;
  }

  /**
   * A connection of its own, with its own faults. The same name gives the same client until it is
   * closed.
   */
  client(name: string, options: SimKvClientOptions = {}): SimKvClient {
    const known = this.#clients.get(name);
    if (known && !known.closed) return known;
    const client = new SimKvClient(this, name, options);
    this.#clients.set(name, client);
    return client;
  }

  /** Stops telling a closed client of changes. */
  forget(client: SimKvClient): void {
    if (this.#clients.get(client.name) === client) this.#clients.delete(client.name);
  }

  /** Called synchronously for every transaction that was applied, in order of revision. */
  onCommit(listener: (commit: SimKvCommit) => void): void {
    this.#commitListeners.push(listener);
  }

  /** No leader or no quorum: requests vanish, no lease ends, nothing changes. */
  get isSuspended(): boolean {
    return this.#suspended;
  }

  suspend(): void {
    this.#suspended = true;
    for (const { timer } of this.#leases.values()) timer.cancel();
  }

  /**
   * Ends the suspension. A new etcd leader gives every lease its whole time again (lessor
   * `Promote`).
   */
  restore(): void {
    this.#suspended = false;
    for (const leaseId of this.#leases.keys()) this.renew(leaseId);
  }

  get revision(): Revision {
    return this.state.revision;
  }

  /** The content of the store, past every fault. */
  entries(prefix = ''): readonly KvEntry[] {
    return this.state.range(prefix).entries;
  }

  compact(revision: Revision = this.state.revision): void {
    this.state.compact(revision);
  }

  leaseIds(): readonly LeaseId[] {
    return [...this.#leases.keys()];
  }

  /** What `alarms()` answers. */
  get alarms(): readonly StoreAlarm[] {
    if (this.refusesWrites === 'STORE_NO_SPACE') return ['NOSPACE'];
    return this.refusesWrites === 'STORE_CORRUPT' ? ['CORRUPT'] : [];
  }

  /**
   * Applies like {@link apply}, with the store's own refusals.
   * @throws the error that {@link refusesWrites} names.
   */
  applyFrom(client: SimKvClient, txn: KvTxn): KvTxnResult {
    if (txn.writes.some((write) => write.kind === 'put')) this.#refuseWrite(client);
    return this.apply(txn, client.name);
  }

  /** Grants like {@link grant}, with the store's own refusals. */
  grantTo(client: SimKvClient, ttlMs: number): { leaseId: LeaseId; ttlMs: number } {
    this.#refuseWrite(client);
    return this.grant(ttlMs);
  }

  #refuseWrite(client: SimKvClient): void {
    if (this.refusesWrites === null) return;
    client.fired.refusedWrite += 1;
    throw new OperationError(this.refusesWrites, 'the simulated etcd refuses writes');
  }

  /** Writes past every client and fault (an operator with etcdctl), unless a `client` is named. */
  apply(txn: KvTxn, client: string | null = null): KvTxnResult {
    const { result, change } = this.state.txn(txn, (leaseId) => this.#leases.has(leaseId));
    if (result.succeeded)
      for (const listener of this.#commitListeners) listener({ client, txn, revision: result.revision });
    if (change) for (const one of this.#clients.values()) one.storeChanged();
    return result;
  }

  grant(ttlMs: number): { leaseId: LeaseId; ttlMs: number } {
    const granted = Math.max(Math.ceil(ttlMs / 1000) * 1000, this.minimumTtlMs);
    this.#leaseCount += 1;
    // The id is larger than a double can hold exactly, as real ones are.
    const leaseId = `75878${this.#leaseCount.toString().padStart(14, '0')}`;
    this.#leases.set(leaseId, { ttlMs: granted, timer: this.#expiryTimer(leaseId, granted) });
    return { leaseId, ttlMs: granted };
  }

  renew(leaseId: LeaseId): { ttlMs: number } | null {
    const lease = this.#leases.get(leaseId);
    if (!lease) return this.keepaliveLieMs === null ? null : { ttlMs: this.keepaliveLieMs };
    lease.timer.cancel();
    lease.timer = this.#expiryTimer(leaseId, lease.ttlMs);
    return { ttlMs: lease.ttlMs };
  }

  /** Ends the lease and deletes its keys in one revision. `false`: it was gone already. */
  revoke(leaseId: LeaseId): boolean {
    const lease = this.#leases.get(leaseId);
    if (!lease) return false;
    lease.timer.cancel();
    this.#leases.delete(leaseId);
    const keys = this.entries()
      .filter((entry) => entry.leaseId === leaseId)
      .map((entry) => entry.key);
    const change = this.state.deleteKeys(keys);
    if (change) for (const client of this.#clients.values()) client.storeChanged();
    return true;
  }

  #expiryTimer(leaseId: LeaseId, ttlMs: number): Timer {
    invariant(this.#leaseClockRate > 0, `leaseClockRate ${this.#leaseClockRate} must be > 0`);
    return this.clock.setTimer(ttlMs / this.#leaseClockRate + this.expiryLagMs, () => this.revoke(leaseId));
  }
}
