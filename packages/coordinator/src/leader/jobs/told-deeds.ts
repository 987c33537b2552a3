import {
  type Clock,
  type Deed,
  type HistoryRecord,
  type Keyspace,
  type Problem,
  type Term,
  unwritten,
} from '@understudy/shared';
import type { Deeds } from '../../hints/deeds.ts';
import type { ClusterState } from '../../store/cluster-state.ts';
import { deedsToAdd, stillWanted, waitingOf, withoutPlace } from '../kept-deeds.ts';
import type { LeaderJob } from './leader-job.ts';

const WRITTEN_PER_PASS_MAX = 20;

export interface ToldDeedsJobOptions {
  readonly everyMs: number;
  readonly deeds: Pick<Deeds, 'of' | 'isEmpty'>;
  readonly view: ClusterState;
  readonly keys: Keyspace;
  readonly clock: Clock;
}

/**
 * Puts who stopped, ended or rebooted an instance into the history of the recovery that followed:
 * CloudTrail is minutes late, and tells it before or after the recovery has ended. What it told
 * before waits in etcd, so that it is there whoever leads then; what can be in no history any more
 * is removed here. It explains, and decides nothing.
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
    if (!view.isFresh()) return;
    await this.#dropUnreadable(term);
    if (deeds.isEmpty && view.records.deeds.size === 0) return;
    const entries = [...view.records.history.values()].flatMap((byOp) => [...byOp.values()]);
    const due = entries.flatMap(({ record, modRevision }) => {
      const added = deedsToAdd(record, this.#toldOf(record));
      return added.length === 0 ? [] : [{ record, modRevision, added }];
    });
    for (const { record, modRevision, added } of due.slice(0, WRITTEN_PER_PASS_MAX)) {
      const all = [...(record.deeds ?? []), ...added];
      const key = keys.historyEntry(record.member, record.opId);
      await term.commit({ puts: [{ key, record: { ...unwritten(record), deeds: all }, expect: modRevision }] });
    }
    // What a history is owed is still wanted; a pass that wrote looks again first.
    if (due.length === 0) await this.#dropOld(term);
  }

  remarks(): readonly Problem[] {
    return [];
  }

  /** What waits in etcd came first: that is not pushed out by what came after it. */
  #toldOf({ member, oldInstanceId }: HistoryRecord): readonly Deed[] {
    const { view, deeds } = this.#options;
    return [...waitingOf(view.records, member, oldInstanceId).map(withoutPlace), ...deeds.of(oldInstanceId)];
  }

  /** They have claims only. The view has logged what ails them (`record.unreadable`). */
  async #dropUnreadable(term: Term): Promise<void> {
    const { view, keys } = this.#options;
    if (view.records.unreadable.size === 0) return;
    const bad = [...view.records.unreadable.values()].filter(({ key }) => key.startsWith(keys.deeds));
    for (const { key, modRevision } of bad.slice(0, WRITTEN_PER_PASS_MAX))
      await term.remove([{ key, expect: modRevision }]);
  }

  async #dropOld(term: Term): Promise<void> {
    const { view, keys, clock } = this.#options;
    const nowWallMs = clock.wallMs();
    const old = [...view.records.deeds].flatMap(([member, { record, modRevision }]) => {
      const kept = stillWanted(view.records, member, nowWallMs);
      return kept.length === record.kept.length ? [] : [{ member, record, modRevision, kept }];
    });
    for (const { member, record, modRevision, kept } of old.slice(0, WRITTEN_PER_PASS_MAX)) {
      const key = keys.deedsOf(member);
      if (kept.length === 0) await term.remove([{ key, expect: modRevision }]);
      else await term.commit({ puts: [{ key, record: { ...unwritten(record), kept }, expect: modRevision }] });
    }
  }
}
