import { type CalledOff, type LateStarts, openLateStartOf } from '@understudy/recovery';
import { type Clock, type Keyspace, type Problem, problemOf, type Term } from '@understudy/shared';
import type { ClusterState } from '../../store/cluster-state.ts';
import type { LeaderJob } from './leader-job.ts';

export interface LateStartsJobOptions {
  readonly everyMs: number;
  readonly lateStarts: LateStarts;
  readonly view: ClusterState;
  readonly keys: Keyspace;
  readonly clock: Pick<Clock, 'wallMs'>;
}

/** A Stop that has not shown for this long after the last call can have landed is told, ms. */
const TOLD_AFTER_MS = 60_000;

/** Stops again what an undo that was called off may yet have started. */
export class LateStartsJob implements LeaderJob {
  readonly name = 'late starts';
  readonly everyMs: number;
  readonly #options: LateStartsJobOptions;

  constructor(options: LateStartsJobOptions) {
    this.everyMs = options.everyMs;
    this.#options = options;
  }

  /** Nothing: it remembers nothing. */
  beginTerm(): void {}

  /** @throws LEASE_LOST, STORE_* */
  async run(term: Term): Promise<void> {
    if (this.#options.view.isFresh()) await this.#options.lateStarts.look(term, this.#open());
  }

  remarks(): readonly Problem[] {
    const nowWallMs = this.#options.clock.wallMs();
    return this.#open().flatMap(({ record: { member, lateStart } }) => {
      if (!lateStart || lateStart.stoppedAtWallMs === undefined) return [];
      if (nowWallMs < lateStart.untilWallMs + TOLD_AFTER_MS) return [];
      const text = `${lateStart.instanceId} of ${member} was started by an undo that was called off, and is not seen stopped again: stop it`;
      return [problemOf('RETIRED_INSTANCE_RUNS', text)];
    });
  }

  #open(): CalledOff[] {
    const { view, keys } = this.#options;
    const { activations, intents } = view.records;
    const inCharge = new Set([...activations.values()].map((one) => one.record.instanceId));
    const entries = [...view.records.history.values()].flatMap((byOp) => [...byOp.values()]);
    return entries.flatMap(({ record, modRevision }) => {
      const { member, opId } = record;
      const found = activations.get(member);
      const late = openLateStartOf(record);
      if (!found || late === null) return [];
      const key = keys.historyEntry(member, opId);
      const activation = { modRevision: found.modRevision };
      const isInCharge = inCharge.has(late.instanceId);
      return [{ key, record, modRevision, activation, isInCharge, isRecovering: intents.has(member) }];
    });
  }
}
