import type { Watchdog } from '@understudy/agent';
import type { Timer } from '@understudy/shared';
import type { ProcessClock } from '../kernel/process-clock.ts';

/**
 * A kernel's watchdog: on the machine's clock, not the agent's, so that it goes on when the agent
 * is stopped or gone.
 */
export class MachineWatchdog implements Watchdog {
  readonly #clock: ProcessClock;
  readonly #timeoutMs: number;
  readonly #reset: () => void;
  #timer: Timer | null = null;
  #dueAtMs = Number.POSITIVE_INFINITY;

  constructor(clock: ProcessClock, timeoutMs: number, reset: () => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#reset = reset;
  }

  arm() {
    this.pet();
    return { kind: 'armed' } as const;
  }

  /**
   * The agent is dead, and its file closed: Linux pets the watchdog once more, and goes on without
   * it.
   */
  release(): void {
    if (this.#dueAtMs !== Number.POSITIVE_INFINITY) this.pet();
  }

  pet(): void {
    this.#timer?.cancel();
    this.#dueAtMs = this.#clock.monotonicMs() + this.#timeoutMs;
    this.#timer = this.#clock.setTimer(this.#timeoutMs, () => this.#fire());
  }

  disarm(): void {
    this.#timer?.cancel();
    this.#dueAtMs = Number.POSITIVE_INFINITY;
  }

  /** After a pause of the machine: its clock has gone on, so what is overdue comes first. */
  catchUp(): void {
    if (this.#clock.monotonicMs() >= this.#dueAtMs) this.#fire();
  }

  #fire(): void {
    this.disarm();
    this.#reset();
  }
}
