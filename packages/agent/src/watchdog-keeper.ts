import type { Clock, Log, Timer } from '@understudy/shared';

/** The machine's watchdog. Once armed, it resets the machine unless it is petted in time. */
export interface Watchdog {
  /**
   * Arms it, unless it waits longer than `limitMs` for a pet. Some cannot be disarmed again, so
   * that is asked first. Not armed: it says why, and what can be done.
   */
  arm(limitMs: number): { readonly kind: 'armed' } | { readonly kind: 'not-armed'; readonly detail: string };
  /** @throws a file error. */
  pet(): void;
  /**
   * Ends it in order. A watchdog that cannot be disarmed (`nowayout`) goes on, and resets the
   * machine.
   */
  disarm(): void;
}

export interface KeeperParts {
  readonly watchdog: Watchdog;
  readonly clock: Clock;
  readonly log: Log;
  /** Longest time without a pet that was promised to the coordinators, ms. */
  readonly timeoutMs: number;
  /**
   * True while nothing serves, or what serves holds a lease. Opening the device begins a new
   * period, and a workload that a dead predecessor left serving must not get one.
   */
  readonly mayArm: () => boolean;
  /** Asked right before each pet, after a pause of this process has been noticed. */
  readonly mayPet: () => boolean;
}

const PETS_PER_TIMEOUT = 4;
const ARM_AGAIN_MS = 10_000;

/**
 * Arms the watchdog as soon as that is right, and pets it for as long as that is right. It holds no
 * lease itself; it asks.
 */
export class WatchdogKeeper {
  readonly #parts: KeeperParts;
  #timer: Timer | null = null;
  #armed = false;
  #starving = false;
  #armAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** True when it is armed, with a timeout no longer than was promised. */
  get armed(): boolean {
    return this.#armed;
  }

  start(): void {
    const { clock, timeoutMs } = this.#parts;
    this.#timer = clock.setTimer(timeoutMs / PETS_PER_TIMEOUT, () => this.start());
    if (this.#armed) this.#pet();
    else this.#arm();
  }

  #arm(): void {
    const { watchdog, clock, log, timeoutMs, mayArm } = this.#parts;
    if (!mayArm() || clock.monotonicMs() < this.#armAtMs) return;
    this.#armAtMs = clock.monotonicMs() + ARM_AGAIN_MS;
    const outcome = watchdog.arm(timeoutMs);
    this.#armed = outcome.kind === 'armed';
    if (outcome.kind === 'armed') log.info('watchdog.armed', { timeoutMs });
    else log.error('watchdog.not-armed', { detail: outcome.detail });
  }

  #pet(): void {
    const { watchdog, log, mayPet } = this.#parts;
    const may = mayPet();
    if (may && this.#starving) log.info('watchdog.petted-again');
    if (!may && !this.#starving) log.error('watchdog.starving');
    this.#starving = !may;
    if (!may) return;
    try {
      watchdog.pet();
    } catch (error) {
      log.error('watchdog.pet-failed', { error: String(error) });
    }
  }

  /** `disarm` may be true only when nothing serves. */
  stop(disarm: boolean): void {
    this.#timer?.cancel();
    if (!this.#armed) return;
    if (disarm) this.#parts.watchdog.disarm();
    else
      this.#parts.log.error('watchdog.left-armed', {
        remedy: 'the workload was not withdrawn: this machine will be reset',
      });
    this.#armed = false;
  }
}
