import { type Deed, type HistoryRecord, type Keyspace, type Problem, type Term, unwritten } from '@understudy/shared';
import type { Deeds } from '../../hints/deeds.ts';
import type { ClusterState } from '../../store/cluster-state.ts';
import type { LeaderJob } from './leader-job.ts';

/** A record keeps so many, whatever is made up afterwards. */
const KEPT_MAX = 5;
/** What was done longer before a recovery is not why it was needed. */
const BEFORE_MS = 86_400_000;
const WRITTEN_PER_PASS_MAX = 20;

export interface ToldDeedsJobOptions {
  readonly everyMs: number;
  readonly deeds: Pick<Deeds, 'of' | 'isEmpty'>;
  readonly view: ClusterState;
  readonly keys: Keyspace;
}

/**
 * What is to be added to the record of a recovery: who did something to its old instance in the day
 * before it began. Calls after that are its own, or of people who clean up. Pure.
 */
export function deedsToAdd(
  { deeds = [], startedAtWallMs }: Pick<HistoryRecord, 'deeds' | 'startedAtWallMs'>,
  told: readonly Deed[],
): readonly Deed[] {
  const fresh = told.filter(
    ({ action, atWallMs, eventId }) =>
      action !== 'StartInstances' &&
      atWallMs <= startedAtWallMs &&
      startedAtWallMs - atWallMs <= BEFORE_MS &&
      deeds.every((one) => one.eventId !== eventId),
  );
  return fresh.slice(0, Math.max(0, KEPT_MAX - deeds.length));
}

/**
 * Puts who stopped, ended or rebooted an instance into the history of the recovery that followed:
 * CloudTrail is minutes late, and tells it before or after the recovery has ended. It explains, and
 * decides nothing.
 */
export class ToldDeedsJob implements LeaderJob {
  readonly name = 'told deeds';
  readonly everyMs: number;
  readonly #options: ToldDeedsJobOptions;

  constructor(options: ToldDeedsJobOptions) {
    this.everyMs = options.everyMs;
    this.#options = options;
  }

  /** Nothing: it remembers nothing. */
  beginTerm(): void {}

  /** @throws LEASE_LOST, STORE_*; what was not written is written by the next pass. */
  async run(term: Term): Promise<void> {
    const { view, keys, deeds } = this.#options;
    if (deeds.isEmpty || !view.isFresh()) return;
    const entries = [...view.records.history.values()].flatMap((byOp) => [...byOp.values()]);
    const due = entries.flatMap(({ record, modRevision }) => {
      const added = deedsToAdd(record, deeds.of(record.oldInstanceId));
      return added.length === 0 ? [] : [{ record, modRevision, added }];
    });
    for (const { record, modRevision, added } of due.slice(0, WRITTEN_PER_PASS_MAX)) {
      const all = [...(record.deeds ?? []), ...added];
      const key = keys.historyEntry(record.member, record.opId);
      await term.commit({ puts: [{ key, record: { ...unwritten(record), deeds: all }, expect: modRevision }] });
    }
  }

  remarks(): readonly Problem[] {
    return [];
  }
}
