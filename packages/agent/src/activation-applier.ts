import { CHECK_CODES, type CheckReading, type Clock, hasCode, type Log, type Random } from '@understudy/shared';
import type { WorkloadState } from './core/watchdog.ts';
import { LatestWins } from './latest-wins.ts';
import { FILE_FIRST_MS } from './serve-times.ts';

/** What the workload is to be told. */
export interface WantedActivation {
  readonly state: 'active' | 'standby' | 'fenced';
  readonly incarnation: number;
  /** Null until the metadata service has told it. */
  readonly instanceId: string | null;
}

/**
 * The ways to tell the workload. Each call ends by its own deadline and rejects with COMMAND_FAILED
 * or a file error.
 */
export interface ActivationOutputs {
  writeFile(wanted: WantedActivation): Promise<void>;
  removeFile(): Promise<void>;
  /**
   * Writes or removes the assert file, then starts the systemd target, or stops it and its
   * workloads and waits until they are seen down. No target is told when none is configured or
   * systemd is absent.
   *
   * `signal` ends a start that is under way.
   *
   * @throws WORKLOAD_STUCK when something of it is still up after it was killed.
   */
  tellTarget(serving: boolean, signal?: AbortSignal): Promise<void>;
  /**
   * Runs `onActivate` or `onDeactivate`. Does nothing when it is not configured. `signal` ends it,
   * within twice `HOOK_GRACE_MS`.
   */
  runHook(wanted: WantedActivation, signal?: AbortSignal): Promise<void>;
  /** `attempt` counts from 1: what did not help is not tried again in the same way. */
  powerOff(attempt: number): Promise<void>;
}

interface ApplierParts {
  /** Switch a fenced machine off when its workload cannot be stopped. */
  readonly powerOffWhenStuck: boolean;
  readonly outputs: ActivationOutputs;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const POWEROFF_ATTEMPTS_MAX = 5;
const POWEROFF_EVERY_MS = 10_000;

/**
 * Makes file, target and hook follow the wanted state: the file at once, the commands one after the
 * other. The newest state wins. Withdrawing is repeated until it worked. It is skipped only when
 * the last successful action was a withdrawal.
 */
export class ActivationApplier {
  readonly #parts: ApplierParts;
  readonly #file: LatestWins<WantedActivation>;
  readonly #commands: LatestWins<WantedActivation>;
  /** What the commands last achieved. `unknown` at start and after any half-done change. */
  #workload: WorkloadState = 'unknown';
  #wanted: WantedActivation | null = null;
  #switchingOff = false;
  /** Ends the command that starts the workload: a withdrawal does not wait for its deadline. */
  #starting = new AbortController();
  /**
   * Asked right before a workload is started, because this process may have been paused since that
   * was decided.
   */
  beforeActivating: () => void = () => undefined;

  constructor(parts: ApplierParts) {
    this.#parts = parts;
    this.#file = new LatestWins({ ...parts, name: 'file' }, (wanted) => this.#writeFile(wanted));
    this.#commands = new LatestWins({ ...parts, name: 'commands' }, (wanted, isLatest) => this.#tell(wanted, isLatest));
  }

  want(wanted: WantedActivation): void {
    this.#wanted = wanted;
    if (wanted.state !== 'active') this.#starting.abort();
    this.#file.offer(wanted);
    this.#commands.offer(wanted);
  }

  /**
   * Tells the workload again what we want, because another agent may have told it something since.
   */
  tellAgain(): void {
    const wanted = this.#wanted;
    if (wanted === null) return;
    const state: WorkloadState = 'unknown';
    this.#workload = state;
    this.want(wanted);
  }

  /** What hook and target last achieved. */
  get workload(): WorkloadState {
    return this.#workload;
  }

  /**
   * A hook or target that failed is a warning in the heartbeat. People see it, and it is never a
   * reason to replace the instance.
   */
  reading(): CheckReading {
    const failed = this.#commands.failure !== null || this.#file.failure !== null;
    return { status: failed ? 'warn' : 'pass', code: failed ? CHECK_CODES.commandFailed : 0, ageSeconds: 0 };
  }

  /** Waits until the wanted state is in force, at most `limitMs`. */
  async settled(limitMs: number): Promise<boolean> {
    const [file, commands] = await Promise.all([this.#file.settled(limitMs), this.#commands.settled(limitMs)]);
    return file && commands;
  }

  /**
   * Powers off after the withdrawal, or after `limitMs` if the withdrawal does not end. Does
   * nothing if we may serve again by then.
   */
  async powerOff(limitMs: number): Promise<void> {
    await this.settled(limitMs);
    await this.#switchOff((state) => state !== 'active');
  }

  /** Tries again only while `mustBeOff` says so of what is wanted by then. */
  async #switchOff(mustBeOff: (state: WantedActivation['state']) => boolean): Promise<void> {
    const { outputs, clock, log } = this.#parts;
    if (this.#switchingOff) return;
    this.#switchingOff = true;
    for (let attempt = 1; attempt <= POWEROFF_ATTEMPTS_MAX; attempt++) {
      if (this.#wanted !== null && !mustBeOff(this.#wanted.state)) break;
      log.error('serve.poweroff', { attempt });
      const failed = (error: unknown) => log.error('serve.poweroff.failed', { error: String(error) });
      await outputs.powerOff(attempt).catch(failed);
      await clock.sleep(POWEROFF_EVERY_MS);
    }
    this.#switchingOff = false;
  }

  /**
   * Ends in order, without further attempts. The file is removed, and an absent file means: may not
   * serve.
   */
  async close(): Promise<void> {
    this.#file.stop();
    this.#commands.stop();
    await this.#file.settled(FILE_FIRST_MS);
    await this.#parts.outputs.removeFile().catch((error: unknown) => {
      this.#parts.log.error('activation.file.left', { error: String(error) });
    });
  }

  async #writeFile(wanted: WantedActivation): Promise<void> {
    try {
      await this.#parts.outputs.writeFile(wanted);
    } catch (error) {
      // There is no room for the new text. An absent file says the same for every state but active.
      if (wanted.state !== 'active') await this.#parts.outputs.removeFile().catch(() => undefined);
      throw error;
    }
  }

  async #tell(wanted: WantedActivation, isLatest: () => boolean): Promise<void> {
    const serving = wanted.state === 'active';
    if (!serving && this.#workload === 'withdrawn') return;
    await this.#file.settled(FILE_FIRST_MS);
    if (serving) this.beforeActivating();
    if (!isLatest()) return;
    this.#workload = 'unknown';
    const { outputs, log } = this.#parts;
    this.#starting = new AbortController();
    const signal = serving ? this.#starting.signal : undefined;
    const steps = [() => outputs.tellTarget(serving, signal), () => outputs.runHook(wanted, signal)];
    const failures: unknown[] = [];
    // Withdrawing goes on after a failure, because one of the two may be enough to stop the
    // workload.
    for (const step of serving ? steps : steps.toReversed()) {
      if (serving && (failures.length > 0 || !isLatest())) break;
      await step().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) {
      // Somebody else is about to serve, or does already.
      const stuck = wanted.state === 'fenced' && failures.some((error) => hasCode(error, 'WORKLOAD_STUCK'));
      if (stuck && this.#parts.powerOffWhenStuck) void this.#switchOff((state) => state === 'fenced');
      throw failures[0];
    }
    if (serving && !isLatest()) return;
    this.#workload = serving ? 'serving' : 'withdrawn';
    log.info('activation.applied', { ...wanted });
  }
}
