import type { LeaseId } from '@understudy/shared';
import { grantPersistently, type LeaseDeps, type LeaseKeeper } from './lease-keeper.ts';
import { checkLeaseTiming, type LeaseTiming } from './lease-timing.ts';

/**
 * A lease that is granted anew whenever it is lost, for presence (`coordinators/<id>`) and
 * opinions. When the lease changes, all keys under the old one are gone or about to go. Their owner
 * publishes them again under the new one.
 */
export class Session {
  readonly #deps: LeaseDeps;
  readonly #timing: LeaseTiming;
  readonly #listeners = new Set<(leaseId: LeaseId | null) => void>();
  readonly #closing = new AbortController();
  #keeper: LeaseKeeper | null = null;
  #running: Promise<void> | null = null;

  /** @throws CONFIG_INVALID when the timing does not fit together. */
  constructor(deps: LeaseDeps, timing: LeaseTiming) {
    checkLeaseTiming(timing);
    this.#deps = deps;
    this.#timing = timing;
  }

  /** Begins to grant in the background; etcd may be down. Idempotent. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** The lease to put keys under, or null while there is none. */
  leaseId(): LeaseId | null {
    return this.#keeper && this.#keeper.remainingMs() > 0 ? this.#keeper.leaseId : null;
  }

  /**
   * Called when a put under the lease was refused because the lease is gone. Grants a new one at
   * once.
   */
  reportGone(leaseId: LeaseId): void {
    if (this.#keeper?.leaseId === leaseId) this.#keeper.reportGone();
  }

  /**
   * Called with each new lease id, and with null when it is lost. Returns the unsubscribe function.
   */
  onChange(listener: (leaseId: LeaseId | null) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Revokes the lease: presence and opinions vanish at once. Bounded by two call timeouts.
   * Idempotent.
   */
  async close(): Promise<void> {
    this.#closing.abort(new Error('session closed'));
    await this.#keeper?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const closing = this.#closing.signal;
    while (!closing.aborted) {
      const keeper = await grantPersistently(this.#deps, this.#timing, closing).catch(() => null);
      if (!keeper) return;
      await this.#hold(keeper);
    }
  }

  #hold(keeper: LeaseKeeper): Promise<void> {
    return new Promise((resolve) => {
      const lost = () => {
        this.#keeper = null;
        this.#notify(null);
        resolve();
      };
      this.#keeper = keeper;
      this.#notify(keeper.leaseId);
      if (keeper.signal.aborted) lost();
      else keeper.signal.addEventListener('abort', lost);
    });
  }

  #notify(leaseId: LeaseId | null): void {
    for (const listener of [...this.#listeners]) listener(leaseId);
  }
}
