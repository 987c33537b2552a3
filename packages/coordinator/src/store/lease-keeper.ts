import {
  backoffMs,
  type Clock,
  errorText,
  type KvStore,
  laterBy,
  type LeaseId,
  type Log,
  type MonotonicMs,
  OperationError,
  type Random,
  RecurringFailure,
  type Timer,
} from '@understudy/shared';
import { STORE_BACKOFF } from './store-backoff.ts';
import { type LeaseTiming, usableLeaseMs } from './lease-timing.ts';

export interface LeaseDeps {
  readonly store: KvStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** A failed keepalive is repeated sooner than the next regular one. */
const KEEPALIVE_RETRY = { baseMs: 50, capMs: 500 } as const;

/**
 * One etcd lease and our own, earlier deadline for it: `validUntil = t_send(last good keepalive) +
 * granted TTL · 0.99 − margin`, on the monotonic clock. etcd counts from when it received that
 * keepalive, which is later, so we stop before the lease can end.
 *
 * A lost lease stays lost: a keeper that finds its deadline passed (after a pause, say) never comes
 * back with the same lease. It revokes the lease, best effort. A caller that needs a lease grants a
 * new one.
 */
export class LeaseKeeper {
  readonly leaseId: LeaseId;
  /** TTL as granted by etcd. */
  readonly ttlMs: number;
  readonly #deps: LeaseDeps;
  readonly #timing: LeaseTiming;
  readonly #lost = new AbortController();
  readonly #stopRevoking = new AbortController();
  #validUntilMs: MonotonicMs;
  #expiry: Timer;
  #revoked: Promise<void> = Promise.resolve();

  private constructor(
    deps: LeaseDeps,
    timing: LeaseTiming,
    lease: { readonly leaseId: LeaseId; readonly ttlMs: number; readonly validUntilMs: MonotonicMs },
  ) {
    this.#deps = deps;
    this.#timing = timing;
    this.leaseId = lease.leaseId;
    this.ttlMs = lease.ttlMs;
    this.#validUntilMs = lease.validUntilMs;
    this.#expiry = this.#armExpiry();
    void this.#keepAlive();
  }

  /**
   * Grants a lease and starts keeping it.
   * @throws what the store throws; LEASE_LOST when the answer came after the lease's own deadline
   * (we were paused).
   */
  static async grant(deps: LeaseDeps, timing: LeaseTiming): Promise<LeaseKeeper> {
    const sentAtMs = deps.clock.monotonicMs();
    const { leaseId, ttlMs } = await deps.store.grantLease(timing.ttlMs);
    const validUntilMs = laterBy(sentAtMs, usableLeaseMs(ttlMs, timing.marginMs));
    const keeper = new LeaseKeeper(deps, timing, { leaseId, ttlMs, validUntilMs });
    if (keeper.remainingMs() > 0) return keeper;
    throw new OperationError('LEASE_LOST', `the grant of lease ${leaseId} took longer than the lease lasts`);
  }

  /** Aborted with LEASE_LOST as soon as we stop believing in the lease. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** Our own deadline, as of the last good keepalive. */
  get validUntilMs(): MonotonicMs {
    return this.#validUntilMs;
  }

  /**
   * True when something that takes up to `neededMs` may still begin. Synchronous. When the deadline
   * has passed, the lease ends on the spot.
   */
  holdsFor(neededMs: number): boolean {
    return this.remainingMs() > neededMs;
  }

  /** Time until our own deadline; 0 once lost. */
  remainingMs(): number {
    if (this.#lost.signal.aborted) return 0;
    const remainingMs = this.#validUntilMs - this.#deps.clock.monotonicMs();
    if (remainingMs > 0) return remainingMs;
    this.#lose('our own deadline passed');
    return 0;
  }

  /** Called when etcd has refused a put because the lease is gone. */
  reportGone(): void {
    this.#lose('etcd no longer knows the lease');
  }

  /**
   * Stops believing at once, then revokes; never takes longer than two call timeouts. Idempotent.
   */
  async close(): Promise<void> {
    this.#lose('closed');
    const limit = new AbortController();
    const waited = this.#deps.clock.sleep(2 * this.#timing.callTimeoutMs, limit.signal).catch(() => undefined);
    await Promise.race([this.#revoked, waited]);
    limit.abort();
    this.#stopRevoking.abort();
  }

  #lose(reason: string): void {
    if (this.#lost.signal.aborted) return;
    this.#expiry.cancel();
    this.#revoked = this.#revoke();
    this.#deps.log.debug('lease.ended', { leaseId: this.leaseId, reason });
    this.#lost.abort(new OperationError('LEASE_LOST', `lease ${this.leaseId}: ${reason}`));
  }

  #armExpiry(): Timer {
    const inMs = this.#validUntilMs - this.#deps.clock.monotonicMs();
    // The timer may be early by a fraction of a millisecond. It is then armed again for the rest.
    return this.#deps.clock.setTimer(Math.max(1, Math.ceil(inMs)), () => {
      if (this.remainingMs() > 0) this.#expiry = this.#armExpiry();
    });
  }

  async #keepAlive(): Promise<void> {
    let delayMs = this.#timing.keepaliveMs;
    let failures = 0;
    while (await this.#sleptWhileHeld(delayMs)) {
      const sentAtMs = this.#deps.clock.monotonicMs();
      try {
        const reply = await this.#deps.store.keepAlive(this.leaseId);
        if (reply === null) this.#lose('etcd no longer knows the lease');
        else this.#extend(sentAtMs, reply.ttlMs);
        failures = 0;
        delayMs = Math.max(0, this.#timing.keepaliveMs - (this.#deps.clock.monotonicMs() - sentAtMs));
      } catch (error) {
        this.#deps.log.warn('lease.keepalive.failed', { leaseId: this.leaseId, error: errorText(error) });
        delayMs = backoffMs(failures, KEEPALIVE_RETRY, this.#deps.random.next());
        failures += 1;
      }
    }
  }

  async #sleptWhileHeld(delayMs: number): Promise<boolean> {
    await this.#deps.clock.sleep(delayMs, this.signal).catch(() => undefined);
    return this.remainingMs() > 0;
  }

  /**
   * Extends the deadline only while we still believe: an answer that arrives after the deadline
   * revives nothing. etcd's TTL counts, even where it is less than before.
   */
  #extend(sentAtMs: MonotonicMs, ttlMs: number): void {
    if (this.remainingMs() === 0) return;
    this.#validUntilMs = laterBy(sentAtMs, usableLeaseMs(ttlMs, this.#timing.marginMs));
    this.#expiry.cancel();
    this.#expiry = this.#armExpiry();
  }

  /**
   * Best effort, tried for as long as the lease can still live. Without it a successor has to wait
   * for the TTL.
   */
  async #revoke(): Promise<void> {
    const { store, clock, random } = this.#deps;
    const untilMs = laterBy(clock.monotonicMs(), this.ttlMs);
    for (let attempt = 0; clock.monotonicMs() < untilMs; attempt += 1) {
      try {
        await store.revokeLease(this.leaseId);
        return;
      } catch {
        if (this.#stopRevoking.signal.aborted) return;
        await clock
          .sleep(backoffMs(attempt, STORE_BACKOFF, random.next()), this.#stopRevoking.signal)
          .catch(() => undefined);
      }
    }
  }
}

/**
 * Grants until it works or `signal` aborts (then rejects with its reason). Backs off 50 ms to 1 s.
 */
export async function grantPersistently(
  deps: LeaseDeps,
  timing: LeaseTiming,
  signal: AbortSignal,
): Promise<LeaseKeeper> {
  const failure = new RecurringFailure({ ...deps, event: 'lease.grant.failed' });
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      const keeper = await LeaseKeeper.grant(deps, timing);
      failure.worked();
      if (!signal.aborted) return keeper;
      await keeper.close();
    } catch (error) {
      failure.failed(error);
      await deps.clock.sleep(backoffMs(attempt, STORE_BACKOFF, deps.random.next()), signal);
    }
  }
}
