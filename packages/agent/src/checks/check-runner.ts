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
/**
 * A fresh agent's first look may come before anything could answer. It looks again soon, this many
 * times, so that nobody waits an interval for it.
 */
const EAGER_TURNS_MAX = 10;
const EAGER_MS = 250;
const LATE: CheckResult = { status: 'unknown', code: 'deadlineExceeded', detail: 'no result within the deadline' };

const unknownResult = (error: unknown): CheckResult => ({ status: 'unknown', code: 'none', detail: errorText(error) });

/**
 * Runs one check every interval and keeps its state for the sender to read. At most one run is
 * under way. While a late one has not come back, every further turn counts as late too.
 */
export class CheckRunner {
  readonly #parts: RunnerParts;
  #state: CheckState;
  #timer: Timer | null = null;
  #underWay = false;
  #stopped = false;
  /** Turns left to find a first answer at the eager pace. */
  #eagerTurns = EAGER_TURNS_MAX;

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
    const { clock, random } = this.#parts;
    // Each turn is up to 5 % earlier at random, so that a fleet started at once does not ask its
    // name servers at once for ever.
    this.#timer = clock.setTimer(this.#pauseMs() * (1 - 0.05 * random.next()), () => this.#turn());
    if (this.#underWay && this.#eagerTurns > 0) return;
    if (this.#underWay) this.#take(LATE);
    else void this.#run();
  }

  /**
   * Only `unknown` is asked again eagerly. After a first verdict, good or bad, the check goes on at
   * the interval.
   */
  #pauseMs(): number {
    const { intervalMs } = this.#parts.schedule;
    if (this.#state.status !== 'unknown' || this.#eagerTurns <= 0) {
      this.#eagerTurns = 0;
      return intervalMs;
    }
    this.#eagerTurns -= 1;
    return Math.min(intervalMs, EAGER_MS);
  }

  async #run(): Promise<void> {
    const { check, clock, schedule } = this.#parts;
    const deadline = new AbortController();
    let counted = false;
    this.#underWay = true;
    // At the deadline the check is told to stop. What it says within the grace (which probe hangs,
    // which server is silent) still counts.
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
    // A result after the grace was already counted as late. Taking it as well would count one run
    // twice.
    if (!counted) this.#take(result);
  }

  #take(result: CheckResult): void {
    if (this.#stopped) return;
    const before = this.#state;
    // A failure seen at the eager pace is not `fall` intervals of failing.
    if (this.#eagerTurns > 0 && before.status === 'unknown' && result.status === 'fail') return;
    this.#state = nextCheckState(before, result, this.#parts.schedule, this.#parts.clock.monotonicMs());
    const { status, code, detail } = this.#state;
    if (status === before.status && code === before.code) return;
    this.#parts.log[status === 'pass' ? 'info' : 'warn']('check.changed', {
      ...{ check: this.#parts.name, from: before.status, status, code, detail },
    });
  }
}
