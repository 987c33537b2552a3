import { type Clock, type MonotonicMs, monotonicMs, type Timer, type WallMs, wallMs } from '@understudy/shared';
import { sleepOn } from '@understudy/shared/testing';
import { drainPromises } from './drain-promises.ts';
import { EventHeap, type Pending } from './event-heap.ts';

/** 2026-01-01, so that a run never depends on the day it is made. */
const WALL_START_MS = Date.UTC(2026, 0, 1);
/**
 * Real time of one slice; between two the process may breathe (timers of a test runner, Ctrl-C).
 */
const SLICE_MS = 50;
const EVENTS_PER_LOOK = 256;
/** How exact {@link SimKernel.until} is. */
const LOOK_EVERY_MS = 100;

/**
 * The heart of the simulation: one heap of events, one time that jumps from event to event. After
 * every event all promises are drained, so that code runs as it would on a machine with time to
 * spare, and nothing of it depends on the real clock.
 */
export class SimKernel implements Clock {
  readonly #heap = new EventHeap();
  #nowMs = 0;
  #order = 0;
  #eventCount = 0;
  #failure: { readonly error: unknown } | null = null;

  monotonicMs(): MonotonicMs {
    return monotonicMs(this.#nowMs);
  }

  wallMs(): WallMs {
    return wallMs(WALL_START_MS + this.#nowMs);
  }

  /** Events that have happened. */
  get eventCount(): number {
    return this.#eventCount;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const pending: Pending = {
      dueAtMs: this.#nowMs + (delayMs > 0 ? delayMs : 0),
      order: this.#order++,
      run: callback,
      cancelled: false,
    };
    this.#heap.push(pending);
    return {
      cancel: () => {
        pending.cancelled = true;
      },
    };
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, durationMs, signal);
  }

  /**
   * Ends {@link runUntil} with this error: something in the simulated cluster broke outside every
   * promise chain.
   */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /**
   * Lets everything happen that is due by then, or until `stop` says so (asked after each event).
   */
  async runUntil(untilMs: number, stop: () => boolean = () => false): Promise<void> {
    for (;;) {
      const ended = await new Promise<boolean>((resolve, reject) => {
        // A macrotask of its own: promises can only be drained while none of them is on the stack.
        setImmediate(() => {
          try {
            resolve(this.#slice(untilMs, stop));
          } catch (error) {
            reject(error);
          }
        });
      });
      if (this.#failure) throw this.#failure.error;
      if (ended) return;
    }
  }

  /** Lets everything happen that is due within `durationMs`, then stands at now + `durationMs`. */
  async advance(durationMs: number): Promise<void> {
    await this.runUntil(this.#nowMs + durationMs);
  }

  /**
   * Advances until `work` settles, and returns its result.
   * @throws Error when it takes longer than `limitMs` of simulated time
   */
  async runUntilSettled<T>(work: Promise<T>, limitMs = 24 * 3_600_000): Promise<T> {
    let settled = false;
    const note = () => {
      settled = true;
    };
    work.then(note, note);
    await this.runUntil(this.#nowMs + limitMs, () => settled);
    if (!settled) throw new Error(`not finished within ${limitMs} ms of simulated time`);
    return work;
  }

  /**
   * Advances until `fact` holds; it is looked at every 100 ms. Returns how long that took.
   * @throws Error with `what` when it does not hold within `limitMs`
   */
  async until(what: string, fact: () => boolean, limitMs = 600_000): Promise<number> {
    const fromMs = this.#nowMs;
    while (!fact()) {
      if (this.#nowMs - fromMs > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
      await this.advance(LOOK_EVERY_MS);
    }
    return this.#nowMs - fromMs;
  }

  /** `true`: nothing more is due, or `stop` said so. */
  #slice(untilMs: number, stop: () => boolean): boolean {
    const startedAt = performance.now();
    drainPromises();
    for (let count = 1; ; count += 1) {
      if (this.#failure || stop()) return true;
      const next = this.#heap.peek();
      if (next === undefined || next.dueAtMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, untilMs);
        return true;
      }
      this.#heap.pop();
      if (!next.cancelled) this.#happen(next);
      if (count % EVENTS_PER_LOOK === 0 && performance.now() - startedAt > SLICE_MS) return false;
    }
  }

  #happen(pending: Pending): void {
    this.#nowMs = Math.max(this.#nowMs, pending.dueAtMs);
    this.#eventCount += 1;
    pending.run();
    drainPromises();
  }
}
