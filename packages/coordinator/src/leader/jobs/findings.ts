import type { Clock, Keyspace, MonotonicMs, NotEnrolled, Problem, Term } from '@understudy/shared';
import type { ClusterState } from '../../store/cluster-state.ts';
import type { LeaderJob } from './leader-job.ts';

/** What only a leader can know. */
export interface Found {
  readonly problems: readonly Problem[];
  readonly notEnrolled: readonly NotEnrolled[];
}

/** A problem that comes and goes with every pass must not be a write each time. */
const WRITE_EVERY_MS = 10_000;
const TEXT_MAX = 500;

const briefly = <T extends Problem>(problem: T): T => ({ ...problem, text: problem.text.slice(0, TEXT_MAX) });
/** Figures in a text change by themselves. */
const withoutFigures = (found: Found): string =>
  JSON.stringify([found.problems, found.notEnrolled]).replaceAll(/\d+/g, '#');

/**
 * Keeps `findings/current` what the leader finds, so that followers can show it: on change, and not
 * often. Guarded by the term.
 */
export class FindingsJob implements LeaderJob {
  readonly name = 'findings';
  readonly everyMs: number;
  readonly #found: () => Found;
  readonly #keys: Keyspace;
  readonly #view: ClusterState;
  readonly #clock: Clock;
  #writtenAtMs: MonotonicMs | null = null;

  constructor(options: {
    readonly everyMs: number;
    readonly keys: Keyspace;
    readonly view: ClusterState;
    readonly clock: Clock;
    readonly found: () => Found;
  }) {
    this.everyMs = options.everyMs;
    this.#found = options.found;
    this.#keys = options.keys;
    this.#view = options.view;
    this.#clock = options.clock;
  }

  /** Nothing: what is published names its term, and how often it is written binds every term. */
  beginTerm(): void {}

  /** @throws LEASE_LOST or a store error; it is due again then. */
  async run(term: Term): Promise<void> {
    if (!this.#view.isFresh()) return;
    const found = this.#found();
    const nowMs = this.#clock.monotonicMs();
    const { records } = this.#view;
    const before = records.findings.get('current');
    const told = { problems: found.problems.map(briefly), notEnrolled: found.notEnrolled.map(briefly) };
    const isTold = before?.record.term === term.number && withoutFigures(before.record) === withoutFigures(told);
    const isNothing = !before && told.problems.length + told.notEnrolled.length === 0;
    if (isTold || isNothing || records.unreadable.has(this.#keys.findings)) return;
    if (this.#writtenAtMs !== null && nowMs - this.#writtenAtMs < WRITE_EVERY_MS) return;
    this.#writtenAtMs = nowMs;
    const record = { coordinatorId: term.coordinatorId, term: term.number, ...told };
    await term.commit({ puts: [{ key: this.#keys.findings, record, expect: before?.modRevision ?? 0 }] });
  }
}
