import { type Clock, errorText, type Log, type Random, type Timer } from '@understudy/shared';
import {
  type CheckLimits,
  type CheckResult,
  type CheckState,
  initialCheckState,
  nextCheckState,
} from '../core/check-state.ts';
import type { Check } from './check.ts';

export interface CheckSchedule extends CheckLimits {
  readonly intervalMs: number;
  readonly deadlineMs: number;
}

interface RunnerParts {
  readonly name: string;
  readonly check: Check;
  readonly schedule: CheckSchedule;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** How long after its deadline a check may still say what it was waiting for. */
const GRACE_MS = 50;
const LATE: CheckResult = { status: 'unknown', code: 'deadlineExceeded', detail: 'no result within the deadline' };

const unknownResult = (error: unknown): CheckResult => ({ status: 'unknown', code: 'none', detail: errorText(error) });

/**
 * Runs one check every interval and keeps its state for the sender to read. At most one run is under way: while a late one has not come back,
 * every further turn counts as late too.
 */
export class CheckRunner {
  readonly #parts: RunnerParts;
  #state: CheckState;
  #timer: Timer | null = null;
  #underWay = false;
  #stopped = false;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.#state = initialCheckState(parts.clock.monotonicMs());
  }

  get state(): CheckState {
    return this.#state;
  }

  start(): void {
    this.#turn();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #turn(): void {
    if (this.#stopped) return;
    const { clock, schedule, random } = this.#parts;
    // 5 % earlier at random, so that a fleet started at once does not ask its name servers at once for ever.
    this.#timer = clock.setTimer(schedule.intervalMs * (1 - 0.05 * random.next()), () => this.#turn());
    if (this.#underWay) this.#take(LATE);
    else void this.#run();
  }

  async #run(): Promise<void> {
    const { check, clock, schedule } = this.#parts;
    const deadline = new AbortController();
    let counted = false;
    this.#underWay = true;
    // At the deadline the check is told to stop; what it says within the grace (which probe hangs, which server is silent) still counts.
    let timer = clock.setTimer(schedule.deadlineMs, () => {
      timer = clock.setTimer(GRACE_MS, () => {
        counted = true;
        this.#take(LATE);
      });
      deadline.abort(new Error('check deadline'));
    });
    const result = await check.run(deadline.signal).catch((error: unknown) => unknownResult(error));
    this.#underWay = false;
    timer.cancel();
    // A result after the grace was already counted as late; taking it as well would count one run twice.
    if (!counted) this.#take(result);
  }

  #take(result: CheckResult): void {
    if (this.#stopped) return;
    const before = this.#state;
    this.#state = nextCheckState(before, result, this.#parts.schedule, this.#parts.clock.monotonicMs());
    const { status, code, detail } = this.#state;
    if (status === before.status && code === before.code) return;
    const level = status === 'pass' ? 'info' : 'warn';
    this.#parts.log[level]('check.changed', { check: this.#parts.name, from: before.status, status, code, detail });
  }
}
