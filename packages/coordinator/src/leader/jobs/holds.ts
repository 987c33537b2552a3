import type { Clock, Keyspace, MemberId, Term } from '@understudy/shared';
import type { ClusterState } from '../../store/cluster-state.ts';
import { type HoldKeeper, planHolds, type WantedHold } from '../holds.ts';
import type { LeaderJob } from './leader-job.ts';

export interface HoldsJobOptions {
  readonly everyMs: number;
  readonly holds: HoldKeeper;
  readonly view: ClusterState;
  readonly keys: Keyspace;
  readonly clock: Clock;
  /** The hold each member should show now. */
  readonly wanted: () => ReadonlyMap<MemberId, WantedHold>;
}

/** Writes and removes the hold records that follow from the leader's decisions. */
export class HoldsJob implements LeaderJob {
  readonly name = 'holds';
  readonly #options: HoldsJobOptions;

  constructor(options: HoldsJobOptions) {
    this.#options = options;
  }

  get everyMs(): number {
    return this.#options.everyMs;
  }

  /** Nothing: every pass compares what is wanted now with what is written. */
  beginTerm(): void {}

  async run(term: Term): Promise<void> {
    const { holds, view, keys, clock, wanted } = this.#options;
    if (!view.isFresh()) return;
    const changes = planHolds({
      wanted: wanted(),
      records: view.records,
      keyOf: (member) => keys.hold(member),
      nowWallMs: clock.wallMs(),
    });
    await holds.write(term, changes);
  }
}
