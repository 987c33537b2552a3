import type { OneAtATime } from './call-rates.ts';

/** A gap is never longer than this. */
const GAP_MAX_MS = 10_000;
/** Every call that the service was ready for shortens a gap that was lengthened. */
const EASES = 0.9;
/** A lane without calls for so long is forgotten, with its gap. */
const FORGOTTEN_AFTER_MS = 60_000;

/** What a service takes one at a time: whether it is ready for the next. */
export class Lane {
  readonly #rule: OneAtATime;
  #gapMs: number;
  #isOut = false;
  #readyAtMs = Number.NEGATIVE_INFINITY;

  constructor(rule: OneAtATime) {
    this.#rule = rule;
    this.#gapMs = rule.gapMs;
  }

  /** Nothing is under way, nor was lately. Such a lane may be forgotten. */
  isIdle(nowMs: number): boolean {
    return !this.#isOut && nowMs >= this.#readyAtMs + FORGOTTEN_AFTER_MS;
  }

  /** ms until the next call may leave. Infinite: one is under way, and its answer says. */
  msUntil(nowMs: number): number {
    return this.#isOut ? Number.POSITIVE_INFINITY : Math.max(0, this.#readyAtMs - nowMs);
  }

  leave(): void {
    this.#isOut = true;
  }

  /** An answer, or none: `code` is the service's own, null where it did what was asked. */
  answered(code: string | null, nowMs: number): void {
    this.#isOut = false;
    this.#gapMs =
      code === this.#rule.busyCode
        ? Math.min(GAP_MAX_MS, this.#gapMs * 2)
        : Math.max(this.#rule.gapMs, this.#gapMs * EASES);
    this.#readyAtMs = nowMs + this.#gapMs;
  }
}
