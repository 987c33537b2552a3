import {
  type Clock,
  errorText,
  hasCode,
  isOperationError,
  type KvStore,
  type Log,
  type Random,
} from '@understudy/shared';
import type { Problem } from '../adapters/http/api-source.ts';
import { backoffMs } from './backoff.ts';
import { checkEtcdVersions } from './etcd-version.ts';

/** Between attempts at start: 0.5 s to 10 s, for as long as it takes; a coordinator without etcd waits, it does not crash. */
const RETRY = { minMs: 500, maxMs: 10_000 } as const;
/** Members that were down at start are asked for their version later. */
const RECHECK_MS = 600_000;

/**
 * Nothing is written to, and nobody leads on, an etcd whose version was not seen to be safe. Waits for etcd at start; looks again from time to
 * time, because only members that were reachable told their version.
 */
export class StoreGate {
  readonly #store: KvStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #allowUnsafeVersion: string | undefined;
  readonly #closing = new AbortController();
  #problem: Problem | null = { code: 'STORE_UNAVAILABLE', text: 'etcd was not reached yet' };

  constructor(options: {
    readonly store: KvStore;
    readonly clock: Clock;
    readonly random: Random;
    readonly log: Log;
    readonly allowUnsafeVersion: string | undefined;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#log = options.log;
    this.#allowUnsafeVersion = options.allowUnsafeVersion;
  }

  /** Why the gate is not passed (yet); null once it is. */
  get problem(): Problem | null {
    return this.#problem;
  }

  /** Resolves when etcd answered with versions that are safe; `false` when closed before. @throws STORE_TOO_OLD */
  async passed(): Promise<boolean> {
    for (let attempt = 0; !this.#closing.signal.aborted; attempt += 1) {
      if (await this.#check()) {
        this.#problem = null;
        return true;
      }
      const pauseMs = backoffMs(Math.min(attempt, 10), this.#random, RETRY);
      await this.#clock.sleep(pauseMs, this.#closing.signal).catch(() => undefined);
    }
    return false;
  }

  /** Looks again until closed. @throws STORE_TOO_OLD when a member turns out to be too old. */
  async watch(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      await this.#clock.sleep(RECHECK_MS, this.#closing.signal).catch(() => undefined);
      if (!this.#closing.signal.aborted) await this.#check();
    }
  }

  close(): void {
    this.#closing.abort(new Error('store gate closed'));
  }

  async #check(): Promise<boolean> {
    try {
      const versions = await this.#store.serverVersions();
      const allowed = checkEtcdVersions(versions, this.#allowUnsafeVersion);
      if (allowed.length > 0) this.#log.warn('store.unsafe_version', { allowed, why: this.#allowUnsafeVersion });
      if (this.#problem) this.#log.info('store.reached', { versions });
      return true;
    } catch (error) {
      if (!isOperationError(error) || hasCode(error, 'STORE_TOO_OLD')) throw error;
      const text = errorText(error);
      if (this.#problem?.text !== text)
        this.#log.warn('store.unreachable', { code: error.code, error: text, remedy: error.explain() });
      if (this.#problem) this.#problem = { code: error.code, text };
      return false;
    }
  }
}
