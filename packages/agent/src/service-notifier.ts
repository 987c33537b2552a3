import type { Clock, Log, MonotonicMs, Timer } from '@understudy/shared';
import { mayPing, type Pulse } from './core/service-ping.ts';

/** The service manager that started this process (sd_notify(3)). */
export interface ServiceManager {
  /** It kills the process when it hears no ping for this long, in ms. Null: it does not watch. */
  readonly watchdogMs: number | null;
  /**
   * Tells it these `NAME=value` lines. Ends by its own deadline. False: that did not work.
   */
  tell(lines: readonly string[]): Promise<boolean>;
}

interface NotifierParts {
  readonly manager: ServiceManager;
  readonly clock: Clock;
  readonly log: Log;
  readonly pulse: () => Pulse;
  /** One line for people (`systemctl status`). */
  readonly status: () => string;
}

/** A ping may fail or come late three times before the process is killed for it. */
const PINGS_PER_WATCHDOG = 4;
/** Without a watchdog only the status is told. */
const STATUS_EVERY_MS = 15_000;

/**
 * Tells systemd that the agent is ready, how it is, and, again and again, that its heartbeats go
 * out. No ping is sent on the mere fact that a timer of this process fires.
 */
export class ServiceNotifier {
  readonly #parts: NotifierParts;
  readonly #everyMs: number;
  #timer: Timer | null = null;
  #telling = false;
  #failing = false;
  #silentSinceMs: MonotonicMs | null = null;
  #stopping = false;
  #saidStatus = '';

  constructor(parts: NotifierParts) {
    this.#parts = parts;
    this.#everyMs = (parts.manager.watchdogMs ?? STATUS_EVERY_MS * PINGS_PER_WATCHDOG) / PINGS_PER_WATCHDOG;
  }

  start(): void {
    this.#schedule();
    void this.#tell(['READY=1', ...this.#statusLines(), ...this.#pingLines()]);
  }

  /**
   * The agent withdraws its workload before it ends, which may take longer than any fixed limit.
   */
  stopping(): void {
    this.#stopping = true;
    void this.#tell(['STOPPING=1', ...this.#extension()]);
  }

  close(): void {
    this.#timer?.cancel();
  }

  #schedule(): void {
    this.#timer = this.#parts.clock.setTimer(this.#everyMs, () => {
      this.#schedule();
      const lines = [...this.#pingLines(), ...this.#statusLines(), ...this.#extension()];
      if (lines.length > 0) void this.#tell(lines);
    });
  }

  #pingLines(): readonly string[] {
    const { manager, clock, log, pulse } = this.#parts;
    if (manager.watchdogMs === null) return [];
    const nowMs = clock.monotonicMs();
    if (mayPing(pulse(), nowMs)) {
      this.#silentSinceMs = null;
      return ['WATCHDOG=1'];
    }
    if (this.#silentSinceMs === null) log.error('service.ping.withheld', { pulse: pulse() });
    this.#silentSinceMs ??= nowMs;
    return [];
  }

  #statusLines(): readonly string[] {
    const status = this.#parts.status();
    if (status === this.#saidStatus) return [];
    this.#saidStatus = status;
    return [`STATUS=${status}`];
  }

  /** Each gives the stop that much more time, from the moment it is told. */
  #extension(): readonly string[] {
    return this.#stopping ? [`EXTEND_TIMEOUT_USEC=${2 * this.#everyMs * 1_000}`] : [];
  }

  /** Never two at a time: each is a process. What is left out comes with the next. */
  async #tell(lines: readonly string[]): Promise<void> {
    if (this.#telling) return;
    this.#telling = true;
    const told = await this.#parts.manager.tell(lines);
    this.#telling = false;
    if (!told) this.#saidStatus = '';
    if (told === !this.#failing) return;
    this.#failing = !told;
    if (told) this.#parts.log.info('service.told-again');
    else this.#parts.log.warn('service.not-told', { lines });
  }
}
