import { type Clock, errorText, isOperationError, type Kms, type Log, type MonotonicMs } from '@understudy/shared';
import { type KeyFacts, type KeyStanding, standingOf } from '../core/volume-keys.ts';

/**
 * KMS that did not answer is not asked again for so long: where it cannot be reached, nobody waits
 * for it more than once a minute.
 */
const REST_MS = 60_000;

export interface KeyLooksOptions {
  /** null: nobody is asked. */
  readonly kms: Kms | null;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Looks at keys. Never fails: what KMS does not tell is not known. One per process, shared by all
 * who ask.
 */
export class KeyLooks {
  readonly #options: KeyLooksOptions;
  /** Since when KMS does not answer, and why; null: it does. */
  #silent: { readonly sinceMs: MonotonicMs; readonly why: string } | null = null;

  constructor(options: KeyLooksOptions) {
    this.#options = options;
  }

  /** At most as many calls as there are names; empty where nobody is asked. */
  async look(names: readonly string[], signal?: AbortSignal): Promise<KeyFacts> {
    const { kms } = this.#options;
    if (kms === null) return new Map();
    return new Map(await Promise.all(names.map(async (name) => [name, await this.#one(kms, name, signal)] as const)));
  }

  async #one(kms: Kms, name: string, signal: AbortSignal | undefined): Promise<KeyStanding> {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#silent && nowMs - this.#silent.sinceMs < REST_MS) return { kind: 'unknown', why: this.#silent.why };
    try {
      const key = await kms.describeKey(name, signal ? { signal } : {});
      this.#answered();
      return standingOf(name, key);
    } catch (error) {
      if (!isOperationError(error)) throw error;
      const why = errorText(error);
      if (error.code === 'CLOUD_DENIED')
        return {
          kind: 'unknown',
          why: `the coordinator's role may not ask (kms:DescribeKey; understudy iam-policy): ${why}`,
        };
      if (error.code !== 'CLOUD_REJECTED' && signal?.aborted !== true) this.#unanswered(why);
      return { kind: 'unknown', why };
    }
  }

  #answered(): void {
    if (this.#silent) this.#options.log.info('kms.answers_again');
    this.#silent = null;
  }

  #unanswered(why: string): void {
    if (!this.#silent) this.#options.log.warn('kms.unanswered', { why, askedAgainInMs: REST_MS });
    this.#silent = { sinceMs: this.#options.clock.monotonicMs(), why };
  }
}
