import { type NoticesView, unwritten } from '@understudy/shared';
import type { ClusterRecords } from '../store/cluster-records.ts';

const SHOWN_MAX = 200;

/** What lies in the outbox and beside it, the oldest first. Pure. */
export function noticesView({ outbox, undelivered }: Pick<ClusterRecords, 'outbox' | 'undelivered'>): NoticesView {
  const oldestFirst = <T extends { readonly id: string }>(all: readonly T[]): readonly T[] =>
    all.toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(0, SHOWN_MAX);
  const waiting = oldestFirst([...outbox.values()].map(({ record }) => unwritten(record)));
  const given = oldestFirst([...undelivered.values()].map(({ record }) => unwritten(record)));
  return {
    waitingCount: outbox.size,
    waiting: waiting.map(({ onlyTo: _to, waitsSinceWallMs: _since, neededLevel: _level, ...one }) => one),
    undelivered: given.map(({ neededLevel: _level, ...one }) => one),
  };
}
