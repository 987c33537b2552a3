import type { Clock, Keyspace, KvCompare, Log, MonotonicMs, Term } from '@understudy/shared';
import type { ClusterState } from '../../store/cluster-state.ts';
import type { LeaderJob } from './leader-job.ts';

/** How soon it is seen that all of them understand more. */
const LEVEL_EVERY_MS = 1_000;
/** Presences one transaction compares (etcd takes 128 operations); a cluster has a handful. */
const COMPARED_MAX = 100;

/**
 * Raises the agreed feature level once every live coordinator has understood a higher one for long
 * enough: until then a coordinator that is being restarted, or a new build that disappoints, can
 * come back as it was. A clock of this term: whoever leads next begins it anew.
 */
export class FeatureLevelJob implements LeaderJob {
  readonly name = 'feature level';
  readonly everyMs: number;
  readonly #view: ClusterState;
  readonly #keys: Keyspace;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #raiseAfterMs: number;
  #due: { readonly level: number; readonly sinceMs: MonotonicMs } | null = null;

  constructor(options: {
    readonly everyMs: number;
    readonly view: ClusterState;
    readonly keys: Keyspace;
    readonly clock: Clock;
    readonly log: Log;
    readonly raiseAfterMs: number;
  }) {
    this.everyMs = Math.min(options.everyMs, LEVEL_EVERY_MS);
    this.#view = options.view;
    this.#keys = options.keys;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#raiseAfterMs = options.raiseAfterMs;
  }

  beginTerm(): void {
    this.#due = null;
  }

  /**
   * **S** (S24): the transaction compares every presence the level rests on. A presence that it
   * cannot know is one that was written before the record was; whoever uses the level sees both.
   * @throws LEASE_LOST or a store error; a conflict is left to the next pass.
   */
  async run(term: Term): Promise<void> {
    const level = this.#view.isFresh() ? this.#view.levelDue() : null;
    const nowMs = this.#clock.monotonicMs();
    if (level === null || this.#due?.level !== level) this.#due = level === null ? null : { level, sinceMs: nowMs };
    if (level === null || this.#due === null) return;
    const { recorded, modRevision } = this.#view.recordedLevel();
    // Nothing was agreed on yet: there is nobody to wait for.
    if (recorded !== null && nowMs - this.#due.sinceMs < this.#raiseAfterMs) return;
    const record = { level, coordinatorId: term.coordinatorId, term: term.number };
    const put = { key: this.#keys.level, record, expect: modRevision };
    const outcome = await term.commit({ puts: [put], also: this.#presences() });
    if (outcome.kind === 'committed')
      this.#log.info('feature_level.raised', { level, before: recorded, term: term.number });
  }

  #presences(): readonly KvCompare[] {
    const { coordinators } = this.#view.records;
    return [...coordinators].slice(0, COMPARED_MAX).map(([id, { modRevision }]) => {
      return { key: this.#keys.coordinator(id), modRevision };
    });
  }
}
