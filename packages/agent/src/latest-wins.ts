import { backoffMs, type Clock, errorText, type Log, type Random } from '@understudy/shared';

const RETRY = { baseMs: 1_000, capMs: 60_000 };

/**
 * Applies the newest value offered, one at a time. Values overtaken while another is being applied
 * are skipped. A failed one is tried again for as long as it is the newest, with a backoff of at
 * most 60 s. The wait bounds this loop, not the count, because a workload must be withdrawn in the
 * end.
 */
export class LatestWins<T> {
  readonly #parts: { readonly clock: Clock; readonly random: Random; readonly log: Log; readonly name: string };
  readonly #apply: (value: T, isLatest: () => boolean) => Promise<void>;
  #latest: { readonly value: T } | null = null;
  #running: Promise<void> | null = null;
  #wake: AbortController = new AbortController();
  #stopped = false;
  /** Error of the last attempt. Null when it was good. */
  failure: string | null = null;

  constructor(
    parts: { readonly clock: Clock; readonly random: Random; readonly log: Log; readonly name: string },
    apply: (value: T, isLatest: () => boolean) => Promise<void>,
  ) {
    this.#parts = parts;
    this.#apply = apply;
  }

  offer(value: T): void {
    this.#latest = { value };
    this.#wake.abort();
    this.#running ??= this.#loop();
  }

  /** Resolves when the newest value is in force, or after `limitMs`. Says which. */
  async settled(limitMs: number): Promise<boolean> {
    if (!this.#running) return true;
    const stop = new AbortController();
    const limit = this.#parts.clock.sleep(limitMs, stop.signal).then(
      () => false,
      () => false,
    );
    const done = await Promise.race([this.#running.then(() => true), limit]);
    stop.abort();
    return done;
  }

  /** Ends further attempts. The one under way ends by its own deadline. */
  stop(): void {
    this.#stopped = true;
    this.#wake.abort();
  }

  async #loop(): Promise<void> {
    let attempt = 0;
    for (let target = this.#latest; target && !this.#stopped; ) {
      const isLatest = () => this.#latest === target;
      this.#wake = new AbortController();
      const failure = await this.#apply(target.value, isLatest).then(
        () => null,
        (error: unknown) => errorText(error),
      );
      this.failure = failure;
      attempt = isLatest() && failure !== null ? attempt + 1 : 0;
      if (failure !== null) await this.#pause(attempt, failure);
      if (failure === null && isLatest()) break;
      target = this.#latest;
    }
    this.#running = null;
  }

  async #pause(attempt: number, failure: string): Promise<void> {
    const { clock, random, log, name } = this.#parts;
    if (attempt === 0) return log.warn('activation.apply.overtaken', { what: name, failure });
    const waitMs = Math.round(backoffMs(attempt - 1, RETRY, random.next()));
    log.error('activation.apply.failed', { what: name, attempt, failure, retryInMs: waitMs });
    await clock.sleep(waitMs, this.#wake.signal).catch(() => undefined);
  }
}
