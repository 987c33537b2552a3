import type { Clock, Timer } from '../ports/clock.ts';
import type { MonotonicMs, WallMs } from '../units.ts';
import { sleepOn } from '../sleep.ts';

/**
 * One process's view of a clock. While paused (SIGSTOP, a long collection, a suspended VM) time
 * goes on but nothing of that process runs. On `resume` everything that became due runs at once, in
 * order. The wall clock can be stepped for this process alone.
 */
export class PausableClock implements Clock {
  readonly #base: Clock;
  #paused = false;
  #wallStepMs = 0;
  #due: { readonly callback: () => void; cancelled: boolean }[] = [];
  /** How many callbacks ever had to wait for `resume`. */
  heldBackCount = 0;

  constructor(base: Clock) {
    this.#base = base;
  }

  monotonicMs(): MonotonicMs {
    return this.#base.monotonicMs();
  }

  wallMs(): WallMs {
    return (this.#base.wallMs() + this.#wallStepMs) as WallMs;
  }

  stepWall(byMs: number): void {
    this.#wallStepMs += byMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const held = { callback, cancelled: false };
    const timer = this.#base.setTimer(delayMs, () => {
      if (!this.#paused) {
        callback();
        return;
      }
      this.heldBackCount += 1;
      this.#due.push(held);
    });
    return {
      cancel: () => {
        held.cancelled = true;
        timer.cancel();
      },
    };
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, durationMs, signal);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const due = this.#due;
    this.#due = [];
    for (const held of due) if (!held.cancelled) held.callback();
  }
}
