import { type Clock, type Log, type Problem, type Term } from '@understudy/shared';
import type { ClusterState } from '../store/cluster-state.ts';
import type { DecisionPass } from './decision-pass.ts';
import type { LeaderJob } from './jobs/leader-job.ts';
import { TermTasks } from './term-tasks.ts';

export interface LeaderParts {
  readonly view: Pick<ClusterState, 'revision'>;
  readonly decisions: Pick<DecisionPass, 'beginTerm' | 'run' | 'settled'>;
  readonly jobs: readonly LeaderJob[];
  readonly clock: Clock;
  readonly log: Log;
  /** From one pass of decisions to the next. */
  readonly tickMs: number;
}

/** After a pass failed, no other one begins sooner. */
const FAILED_AGAIN_MS = 1_000;
/** How often the view is asked whether it has reached our own election. */
const CATCH_UP_MS = 50;

/**
 * One spell of leadership: the passes of decisions and every job beside each other, each at its own
 * pace, none of them on the observer's tick. Ends when the term does, and is then done for:
 * everything it did was guarded by the term.
 */
export class LeaderLoop {
  readonly #parts: LeaderParts;
  readonly #term: Term;
  readonly #tasks: TermTasks;

  constructor(parts: LeaderParts, term: Term, onBroken: (error: unknown) => void) {
    this.#parts = parts;
    this.#term = term;
    this.#tasks = new TermTasks({ ...parts, onBroken }, term);
  }

  /** What the jobs want people to know; it keeps nobody from anything. */
  remarks(): readonly Problem[] {
    return this.#parts.jobs.flatMap((job) => job.remarks?.() ?? []);
  }

  /** What failed last, by task, and what the jobs found to be wrong. */
  problems(): readonly Problem[] {
    return [...this.#tasks.problems(), ...this.#parts.jobs.flatMap((job) => job.problems?.() ?? [])];
  }

  /**
   * Resolves when the term is over and nothing of it is under way any more, except recoveries (see
   * {@link RecoveryRuns.drain}).
   */
  async run(): Promise<void> {
    const { decisions, jobs, tickMs } = this.#parts;
    const term = this.#term;
    for (const job of jobs) job.beginTerm();
    decisions.beginTerm();
    if (!(await this.#caughtUp())) return;
    await Promise.all([
      this.#every('decide', tickMs, () => decisions.run(term, this.#tasks)),
      ...jobs.map((job) => this.#every(job.name, job.everyMs, () => job.run(term))),
    ]);
    await decisions.settled();
  }

  /**
   * **S** Nothing is decided on a view older than our own election: it could lack what the
   * predecessor wrote last. The leader key lies under the root we watch, so the view reaches its
   * create-revision by itself. `false`: the term ended first.
   */
  async #caughtUp(): Promise<boolean> {
    const { view, clock, tickMs } = this.#parts;
    while (view.revision < this.#term.number) {
      try {
        await clock.sleep(Math.min(tickMs, CATCH_UP_MS), this.#term.signal);
      } catch {
        return false;
      }
    }
    return !this.#term.signal.aborted;
  }

  async #every(name: string, periodMs: number, work: () => Promise<void> | void): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#term;
    while (!signal.aborted) {
      const pauseMs = (await this.#tasks.attempt(name, work)) ? periodMs : Math.max(periodMs, FAILED_AGAIN_MS);
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }
}
