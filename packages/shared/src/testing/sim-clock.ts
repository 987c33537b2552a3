import type { Clock, Timer } from '../ports/clock.ts';
import { type MonotonicMs, monotonicMs, type WallMs, wallMs } from '../units.ts';
import { sleepOn } from '../sleep.ts';

interface Pending {
  readonly dueAtMs: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/**
 * Runs every promise that can go on: one macrotask per round, until the timers no longer change.
 */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * A clock that only moves when told. Timers fire in order of their due time, then of their
 * creation. Between two of them all promises are drained, so that code under test runs as it would
 * with time to spare.
 */
export class SimClock implements Clock {
  #nowMs = 0;
  #wallOffsetMs: number;
  #order = 0;
  #pending: Pending[] = [];

  constructor(options: { readonly wallStartMs?: number } = {}) {
    this.#wallOffsetMs = options.wallStartMs ?? Date.UTC(2026, 0, 1);
  }

  monotonicMs(): MonotonicMs {
    return monotonicMs(this.#nowMs);
  }

  wallMs(): WallMs {
    return wallMs(this.#nowMs + this.#wallOffsetMs);
  }

  /** Steps the wall clock only. */
  stepWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const pending: Pending = {
      dueAtMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#order++,
      callback,
      cancelled: false,
    };
    const index = this.#pending.findLastIndex((other) => other.dueAtMs <= pending.dueAtMs);
    this.#pending.splice(index + 1, 0, pending);
    return {
      cancel: () => {
        pending.cancelled = true;
        const at = this.#pending.indexOf(pending);
        if (at >= 0) this.#pending.splice(at, 1);
      },
    };
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, durationMs, signal);
  }

  get pendingCount(): number {
    return this.#pending.length;
  }

  /** Runs everything due within `durationMs`, then stands at now + `durationMs`. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    await settle();
    for (;;) {
      const next = this.#pending[0];
      if (!next || next.dueAtMs > untilMs) break;
      this.#pending.shift();
      this.#nowMs = Math.max(this.#nowMs, next.dueAtMs);
      if (!next.cancelled) next.callback();
      await settle();
    }
    this.#nowMs = untilMs;
  }

  /**
   * Advances, timer by timer, until `work` settles, and returns its result. Throws when it takes
   * longer than `limitMs` of simulated time or when nothing is scheduled that could wake it.
   */
  async runUntilSettled<T>(work: Promise<T>, limitMs = 24 * 3_600_000): Promise<T> {
    let settled = false;
    const watched = work.finally(() => {
      settled = true;
    });
    watched.catch(() => undefined);
    const limitAtMs = this.#nowMs + limitMs;
    await settle();
    while (!settled) {
      const next = this.#pending[0];
      if (!next) {
        await settle();
        await settle();
        if (!settled && this.#pending.length === 0)
          throw new Error('deadlock: nothing is scheduled and the work is not finished');
        continue;
      }
      if (next.dueAtMs > limitAtMs) throw new Error(`not finished within ${limitMs} ms of simulated time`);
      await this.advance(next.dueAtMs - this.#nowMs);
    }
    return watched;
  }
}
