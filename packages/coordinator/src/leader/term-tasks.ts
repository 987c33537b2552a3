import {
  type Clock,
  errorText,
  hasCode,
  InvariantViolation,
  isOperationError,
  type Log,
  type Problem,
  problemOf,
  RecurringFailure,
  type Term,
} from '@understudy/shared';

/** After a task failed for a reason that has no code. */
const AFTER_FAILURE_MS = 5_000;

export interface TermTasksOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** A broken invariant: the process has to end. */
  readonly onBroken: (error: unknown) => void;
}

/**
 * What is done under one term, by name. What failed is told once and is on show until the same
 * thing works again.
 */
export class TermTasks {
  readonly #options: TermTasksOptions;
  readonly #term: Term;
  /** By name; as many as there are names. */
  readonly #problems = new Map<string, Problem>();
  readonly #failures = new Map<string, RecurringFailure>();
  /** Tasks that nobody starts twice. */
  readonly #alone = new Set<string>();

  constructor(options: TermTasksOptions, term: Term) {
    this.#options = options;
    this.#term = term;
  }

  /** What does not work at the moment. */
  problems(): readonly Problem[] {
    return [...this.#problems.values()];
  }

  /** Does it now. `false`: it failed, or the term is over. Never rejects. */
  async attempt(name: string, work: () => Promise<void> | void): Promise<boolean> {
    try {
      await work();
      this.#problems.delete(name);
      this.#failureOf(name).worked();
      return true;
    } catch (error) {
      await this.#note(name, error);
      return false;
    }
  }

  /** As {@link attempt}, beside everything else; nothing where the same task is still under way. */
  startAlone(name: string, work: () => Promise<void>): void {
    if (this.#alone.has(name)) return;
    this.#alone.add(name);
    void this.attempt(name, work).then(() => this.#alone.delete(name));
  }

  async #note(name: string, error: unknown): Promise<void> {
    const { clock, onBroken } = this.#options;
    const { signal, number } = this.#term;
    if (signal.aborted || hasCode(error, 'LEASE_LOST')) return;
    if (error instanceof InvariantViolation) return onBroken(error);
    const code = isOperationError(error) ? error.code : 'INTERNAL_ERROR';
    this.#failureOf(name).failed(error, { loop: name, term: number });
    this.#problems.set(name, problemOf(code, `${name}: ${errorText(error)}`));
    if (!isOperationError(error)) await clock.sleep(AFTER_FAILURE_MS, signal).catch(() => undefined);
  }

  #failureOf(name: string): RecurringFailure {
    const known = this.#failures.get(name);
    if (known) return known;
    const failure = new RecurringFailure({ ...this.#options, event: 'leader.loop_failed' });
    this.#failures.set(name, failure);
    return failure;
  }
}
