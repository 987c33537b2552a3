import type { Problem, Term } from '@understudy/shared';

/**
 * Something a leader does again and again while its term lasts: one file in this folder, and one
 * line in `leader-jobs.ts`. The same object serves every term of the process, one after the other.
 */
export interface LeaderJob {
  /** Names it in problems and in the log; unique among the jobs. */
  readonly name: string;
  /** From the end of one pass to the beginning of the next. */
  readonly everyMs: number;
  /** A term begins: forgets whatever an earlier one found out. Called before the first pass. */
  beginTerm(): void;
  /**
   * One pass. What it writes goes through `term`, and what it waits for ends with `term.signal`. No
   * pass begins before the last one of this job has ended. A pass that throws is on show as a
   * problem, and another one is made.
   * @throws LEASE_LOST, which ends it quietly; InvariantViolation, which ends the process; anything
   * else is tried again.
   */
  run(term: Term): Promise<void>;
  /** What it found to be wrong, beside a pass that failed. Absent: nothing ever. */
  problems?(): readonly Problem[];
  /**
   * What a person should know of, and that keeps the leader from nothing: it is shown, and this
   * coordinator is ready all the same. Absent: nothing ever.
   */
  remarks?(): readonly Problem[];
}
