import {
  backoffMs,
  type Clock,
  errorText,
  hasCode,
  isOperationError,
  type Log,
  OperationError,
  placeText,
  type Random,
  type ReadSecret,
  type SecretPlace,
  secretPlaceOf,
} from '@understudy/shared';
import type { CoordinatorConfig } from '../../config.ts';

const RETRY = { baseMs: 1_000, capMs: 30_000 };
/** After a failure the text that is known is good for so long, before it is asked for again. */
const AGAIN_AFTER_MS = 60_000;
/** Ours for what the store itself says of the name. */
const REFUSALS = ['CLOUD_NOT_FOUND', 'CLOUD_REJECTED'] as const;
/** IAM's and KMS's words for a right that is missing. */
const RIGHT_MISSING = /^(?:AccessDenied|UnauthorizedOperation|DecryptionFailure)/;

/**
 * Asking again does not help. Not of this kind are credentials that are late, have ended or are
 * wrong: a host whose network comes back has none for some seconds, and gets new ones by itself.
 */
const isRefusal = (error: unknown): boolean =>
  REFUSALS.some((code) => hasCode(error, code)) ||
  (isOperationError(error) && error.code === 'CLOUD_DENIED' && RIGHT_MISSING.test(error.upstreamCode ?? ''));

export interface StoredKeysParts {
  readonly read: ReadSecret;
  /** How long what was read is taken for what is there, ms. */
  readonly refetchEveryMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface Known {
  readonly text: string;
  readonly goodUntilMs: number;
}

const refusal = (place: SecretPlace, error: unknown): OperationError =>
  new OperationError('KEY_INVALID', `cannot read ${placeText(place)}: ${errorText(error)}`, { cause: error });

/** The places of these keys that are no files. */
export const storedPlacesOf = (keys: CoordinatorConfig['keys']): readonly SecretPlace[] =>
  keys.flatMap((key) => secretPlaceOf(key) ?? []);

/**
 * Master secrets that lie in a store of AWS, in memory only. Once a text is known, a store that
 * does not answer changes nothing: heartbeats go on with it.
 */
export class StoredKeys {
  readonly #parts: StoredKeysParts;
  /** By place; one a key of the configuration, so two at most are in use. */
  readonly #known = new Map<string, Known>();
  #failing = '';

  constructor(parts: StoredKeysParts) {
    this.#parts = parts;
  }

  /**
   * All of them, before anything begins. A store that cannot be reached is waited for, without end
   * and at most 30 s apart.
   * @throws KEY_INVALID: a store refuses, naming the place
   */
  async first(places: readonly SecretPlace[]): Promise<void> {
    const { clock, random } = this.#parts;
    for (const place of places)
      for (let attempt = 0; !(await this.#tried(place)); attempt += 1)
        await clock.sleep(Math.round(backoffMs(attempt, RETRY, random.next())));
  }

  async #tried(place: SecretPlace): Promise<boolean> {
    try {
      await this.#fetch(place);
      return true;
    } catch (error) {
      if (isRefusal(error)) throw refusal(place, error);
      this.#fails(place, error);
      return false;
    }
  }

  /** What is known of it. Empty: nothing. */
  textOf(place: SecretPlace): string {
    return this.#known.get(placeText(place))?.text ?? '';
  }

  /** What was read is no key: it is read again soon. */
  doubt(): void {
    const soonMs = this.#parts.clock.monotonicMs() + AGAIN_AFTER_MS;
    for (const [place, { text, goodUntilMs }] of this.#known)
      this.#known.set(place, { text, goodUntilMs: Math.min(goodUntilMs, soonMs) });
  }

  /**
   * Reads again what has been known for long enough, or was asked for (`now`), and forgets what is
   * not among the places any more.
   * @throws KEY_INVALID: one that is not known cannot be read
   */
  async renew(places: readonly SecretPlace[], now: boolean): Promise<void> {
    const { clock } = this.#parts;
    const wanted = new Set(places.map(placeText));
    for (const place of this.#known.keys()) if (!wanted.has(place)) this.#known.delete(place);
    for (const place of places) {
      const known = this.#known.get(placeText(place));
      if (known && !now && clock.monotonicMs() < known.goodUntilMs) continue;
      try {
        await this.#fetch(place);
      } catch (error) {
        if (!known) throw refusal(place, error);
        this.#known.set(placeText(place), { ...known, goodUntilMs: clock.monotonicMs() + AGAIN_AFTER_MS });
        this.#fails(place, error);
      }
    }
  }

  async #fetch(place: SecretPlace): Promise<void> {
    const { read, clock, log, refetchEveryMs } = this.#parts;
    const text = await read(place);
    this.#known.set(placeText(place), { text, goodUntilMs: clock.monotonicMs() + refetchEveryMs });
    if (this.#failing !== '') log.info('keys.fetched', { ...place });
    this.#failing = '';
  }

  /** Once a kind of trouble. */
  #fails(place: SecretPlace, error: unknown): void {
    const text = errorText(error);
    if (text !== this.#failing) this.#parts.log.warn('keys.fetch_failed', { ...place, error: text });
    this.#failing = text;
  }
}
