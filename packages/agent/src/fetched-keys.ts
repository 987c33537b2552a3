import { backoffMs, type Clock, errorText, type Log, type Random, type Timer } from '@understudy/shared';
import { fetchRemedy, type FetchOutcome, parseFetchedKey, type RemoteKey } from './core/fetched-key.ts';
import type { AgentKey } from './core/key-ring.ts';

/** Keeps the fetched key for the next start of the agent, in memory: gone with the machine. */
export interface FetchedKeyCache {
  read(): Promise<AgentKey | null>;
  write(key: AgentKey): Promise<void>;
}

interface FetchedKeysParts {
  readonly remote: RemoteKey;
  /** The id of a key whose text names none. */
  readonly configuredId: number;
  readonly fetch: () => Promise<FetchOutcome>;
  readonly cache: FetchedKeyCache;
  readonly refetchEveryMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const RETRY = { baseMs: 2_000, capMs: 60_000 };
/** A fleet that started together does not ask together. */
const SPREAD_RATIO = 0.2;

/**
 * The member's key from outside the instance: fetched at the start, until that works, and again now
 * and then. A changed one goes into the cache file, where the key ring looks for new keys.
 */
export class FetchedKeys {
  readonly #parts: FetchedKeysParts;
  #timer: Timer | null = null;
  #fetching: Promise<AgentKey | null> | null = null;
  #stopped = false;

  constructor(parts: FetchedKeysParts) {
    this.#parts = parts;
  }

  /**
   * Tries until it works, at most 60 s apart. A key that was kept will do meanwhile: a disk that is
   * older than a rotation has one that nobody accepts any more, so the tries go on beside it.
   */
  async first(): Promise<AgentKey> {
    const kept = await this.#parts.cache.read().catch(() => null);
    const fetched = this.#untilFetched();
    return kept ?? (await fetched);
  }

  async #untilFetched(): Promise<AgentKey> {
    const { clock, random } = this.#parts;
    for (let attempt = 0; ; attempt++) {
      const key = await this.fetch();
      if (key) return key;
      await clock.sleep(Math.round(backoffMs(attempt, RETRY, random.next())));
      // Whoever has ended waits for nothing.
      if (this.#stopped) return await new Promise<never>(() => undefined);
    }
  }

  /** Fetches again, now and then, from now on. */
  start(): void {
    const { clock, random, refetchEveryMs } = this.#parts;
    const spread = 1 + SPREAD_RATIO * (2 * random.next() - 1);
    this.#timer = clock.setTimer(refetchEveryMs * spread, () => {
      if (this.#stopped) return;
      this.start();
      void this.fetch();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Null: it was refused, which is logged with a remedy. One at a time. */
  fetch(): Promise<AgentKey | null> {
    this.#fetching ??= this.#fetchOnce().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #fetchOnce(): Promise<AgentKey | null> {
    const { fetch, remote, configuredId, cache, log } = this.#parts;
    const outcome = await fetch();
    const from = { source: remote.source, reference: remote.reference };
    if (outcome.kind === 'refused') {
      const { name, detail } = outcome;
      log.error('key.fetch.failed', { ...from, error: name, detail, remedy: fetchRemedy(remote, outcome) });
      return null;
    }
    try {
      const key = parseFetchedKey(outcome.text, configuredId, `${remote.source} ${remote.reference}`);
      const kept = await cache.read().catch(() => null);
      if (kept?.id === key.id && kept.hex === key.hex) return key;
      log.info('key.fetched', { ...from, keyId: key.id });
      await cache.write(key).catch((error: unknown) => log.warn('key.fetched.unkept', { error: errorText(error) }));
      return key;
    } catch (error) {
      log.error('key.fetch.failed', {
        ...from,
        error: 'KEY_INVALID',
        detail: errorText(error),
        remedy: 'put a key there: understudy keys derive',
      });
      return null;
    }
  }
}
