import {
  type Clock,
  type HistoryRecord,
  type Keyspace,
  type MemberId,
  type Problem,
  problemOf,
  type Term,
} from '@understudy/shared';
import { type OwnershipWatch, strayTexts, type WatchedRecovery } from '@understudy/recovery';
import type { ClusterState } from '../../store/cluster-state.ts';
import type { LeaderJob } from './leader-job.ts';

/** Recoveries looked at in one pass, so that it leaves the rate limits to recoveries. */
const LOOKED_AT_PER_PASS = 20;

export interface OwnershipJobOptions {
  readonly everyMs: number;
  readonly watch: OwnershipWatch;
  readonly view: ClusterState;
  readonly keys: Keyspace;
  readonly clock: Clock;
}

/**
 * Looks, for a while after each recovery (`identity.watchForMs`), whether what it moved is still
 * where it was put: those that were looked at longest ago first.
 */
export class OwnershipJob implements LeaderJob {
  readonly name = 'ownership';
  readonly everyMs: number;
  readonly #options: OwnershipJobOptions;
  /** When each recovery was looked at, by a count of looks. */
  #looks = new Map<string, number>();
  #count = 0;

  constructor(options: OwnershipJobOptions) {
    this.everyMs = options.everyMs;
    this.#options = options;
  }

  beginTerm(): void {
    this.#looks = new Map();
  }

  /** @throws LEASE_LOST, STORE_* */
  async run(term: Term): Promise<void> {
    const { view, watch } = this.#options;
    if (!view.isFresh()) return;
    // A person who pauses a member is at work on it, and moves its addresses perhaps.
    const due = this.#watched().filter(({ record: { member } }) => !this.#isPaused(member));
    const ids = new Set(due.map(({ record }) => record.opId));
    this.#looks = new Map([...this.#looks].filter(([opId]) => ids.has(opId)));
    const at = ({ record }: WatchedRecovery) => this.#looks.get(record.opId) ?? 0;
    const first = due.sort((a, b) => at(a) - at(b)).slice(0, LOOKED_AT_PER_PASS);
    for (const recovery of first) {
      this.#count += 1;
      this.#looks.set(recovery.record.opId, this.#count);
      await watch.look(term, recovery);
    }
  }

  remarks(): readonly Problem[] {
    return this.#watched().flatMap(({ record }) =>
      strayTexts(record).map((text) => problemOf('IDENTITY_ASTRAY', text)),
    );
  }

  #watched(): WatchedRecovery[] {
    const { records } = this.#options.view;
    const entries = [...records.history.values()].flatMap((byOp) => [...byOp.values()]);
    return entries.flatMap(({ record, modRevision }) => {
      const activation = records.activations.get(record.member);
      if (!activation || !this.#isWatched(record, activation.record.instanceId)) return [];
      const key = this.#options.keys.historyEntry(record.member, record.opId);
      return [{ key, record, modRevision, activationModRevision: activation.modRevision }];
    });
  }

  /** The one that put the present instance in charge, while it is young, and no other is open. */
  #isWatched(record: HistoryRecord, active: string): boolean {
    const { view, clock } = this.#options;
    const { member, newInstanceId, moved = [], endedAtWallMs } = record;
    if (moved.length === 0 || newInstanceId !== active || view.records.intents.has(member)) return false;
    return clock.wallMs() - endedAtWallMs < this.#watchForMs(member);
  }

  #isPaused(member: MemberId): boolean {
    const { view, clock } = this.#options;
    return view.pausesOf(member, clock.wallMs()).length > 0;
  }

  #watchForMs(member: MemberId): number {
    const { view } = this.#options;
    const group = view.records.members.get(member)?.record.group;
    return group === undefined ? 0 : view.policyOf(group).identity.watchForMs;
  }
}
