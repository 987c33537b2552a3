import type { FailureHooks } from '@understudy/recovery';
import type { Keyspace, Term } from '@understudy/shared';
import type { ClusterState } from '../../store/cluster-state.ts';
import type { LeaderJob } from './leader-job.ts';

export interface FailureHooksJobOptions {
  readonly everyMs: number;
  readonly hooks: FailureHooks;
  readonly view: ClusterState;
  readonly keys: Keyspace;
}

/** Runs what ended recoveries owe of their hooks `on-failure`; no recovery waits for it. */
export class FailureHooksJob implements LeaderJob {
  readonly name = 'failure hooks';
  readonly everyMs: number;
  readonly #options: FailureHooksJobOptions;

  constructor(options: FailureHooksJobOptions) {
    this.everyMs = options.everyMs;
    this.#options = options;
  }

  beginTerm(): void {
    this.#options.hooks.beginTerm();
  }

  /** @throws LEASE_LOST, STORE_* */
  async run(term: Term): Promise<void> {
    const { view, hooks, keys } = this.#options;
    if (!view.isFresh()) return;
    const entries = [...view.records.history.values()].flatMap((byOp) => [...byOp.values()]);
    const histories = entries.flatMap(({ record, modRevision }) =>
      record.failureHooks ? [{ key: keys.historyEntry(record.member, record.opId), record, modRevision }] : [],
    );
    await hooks.look(term, histories);
  }
}
