import { type Clock, type MonotonicMs, monotonicMs, type Timer, type WallMs, wallMs } from '@understudy/shared';
import { sleepOn } from '@understudy/shared/testing';

/**
 * Time as one process sees it: its own clock, which may run fast or slow and step, and the moments
 * at which it gets to run. While it is paused (SIGSTOP, a long collection, a frozen VM) time goes
 * on but nothing of it runs; what became due meanwhile runs one by one after {@link resume}. After
 * {@link end} (SIGKILL, power off) nothing of it ever runs again.
 */
export class ProcessClock implements Clock {
  readonly #kernel: Clock;
  readonly #machine: ProcessClock | null;
  #rate = 1;
  #ratedFromMs: number;
  #ownAtRatedMs: number;
  #wallStepMs = 0;
  #state: 'running' | 'paused' | 'ended' = 'running';
  #waiting: (() => void)[] = [];
  #pausedAtMs = 0;
  #heldBackCount = 0;
  #lastPause = { forMs: 0, endedAtMs: Number.NEGATIVE_INFINITY };

  /**
   * `kernel`: the time of the cluster; or the clock of the machine the process runs on, which
   * pauses and ends it too.
   */
  constructor(kernel: Clock | ProcessClock) {
    this.#kernel = kernel;
    this.#machine = kernel instanceof ProcessClock ? kernel : null;
    this.#ratedFromMs = kernel.monotonicMs();
    this.#ownAtRatedMs = this.#ratedFromMs;
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  /** The last pause that is over, on the kernel's clock. */
  get lastPause(): { readonly forMs: number; readonly endedAtMs: number } {
    return this.#lastPause;
  }

  monotonicMs(): MonotonicMs {
    return monotonicMs(this.#ownAtRatedMs + (this.#kernel.monotonicMs() - this.#ratedFromMs) * this.#rate);
  }

  wallMs(): WallMs {
    const sinceStartMs = this.monotonicMs() - this.#kernel.monotonicMs();
    return wallMs(this.#kernel.wallMs() + sinceStartMs + this.#wallStepMs);
  }

  /** Steps the wall clock only. */
  stepWall(byMs: number): void {
    this.#wallStepMs += byMs;
  }

  /**
   * From now on its clocks run this fast: 1.01 = 1 % too fast. Timers already set keep their
   * moment.
   */
  setRate(rate: number): void {
    this.#ownAtRatedMs = this.monotonicMs();
    this.#ratedFromMs = this.#kernel.monotonicMs();
    this.#rate = rate;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    let cancelled = false;
    const fire = () => {
      if (!cancelled) this.#run(fire, callback);
    };
    const timer = this.#kernel.setTimer(delayMs / this.#rate, fire);
    return {
      cancel: () => {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  #run(again: () => void, callback: () => void): void {
    if (this.#state === 'ended') return;
    if (this.#state === 'running') return callback();
    this.#heldBackCount += 1;
    this.#waiting.push(again);
  }

  /** How often something had to wait for {@link resume}. */
  get heldBackCount(): number {
    return this.#heldBackCount;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, durationMs, signal);
  }

  /**
   * Something from outside reaches this process (a reply, a datagram): at once, after the pause
   * (its own or its machine's), or never.
   */
  post(callback: () => void): void {
    const deliver = () => this.#run(deliver, callback);
    if (this.#machine) this.#machine.post(deliver);
    else deliver();
  }

  /** A reply on its way to this process: it arrives when the process runs again. */
  arrival<T>(reply: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      reply.then(
        (value) => this.post(() => resolve(value)),
        (error: unknown) => this.post(() => reject(error)),
      );
    });
  }

  pause(): void {
    if (this.#state !== 'running') return;
    this.#state = 'paused';
    this.#pausedAtMs = this.#kernel.monotonicMs();
  }

  /** What waited runs now, each as an event of its own. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    const endedAtMs = this.#kernel.monotonicMs();
    this.#lastPause = { forMs: endedAtMs - this.#pausedAtMs, endedAtMs };
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const again of waiting) this.#kernel.setTimer(0, again);
  }

  end(): void {
    this.#state = 'ended';
    this.#waiting = [];
  }
}
