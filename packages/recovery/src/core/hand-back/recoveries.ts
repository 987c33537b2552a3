import type { HistoryRecord } from '@understudy/shared';

/** The recoveries of a member that a hand-back is about, the first one first. */
export interface HandBackRecoveries {
  readonly taken: readonly HistoryRecord[];
  /** Earlier ones that changed the instance, and are not among them. */
  readonly earlier: readonly HistoryRecord[];
}

const changesInstance = ({ outcome, newInstanceId }: HistoryRecord): boolean =>
  newInstanceId !== null && (outcome === 'replaced' || outcome === 'undone');

/**
 * From `since` on, it included; or only the last one. Those that left the instance where it was
 * are taken where they are the only ones, to say that nothing is to be handed back. Null: there is
 * no such recovery.
 */
export function handBackRecoveries(history: readonly HistoryRecord[], since: string | null): HandBackRecoveries | null {
  const ended = history.toSorted((a, b) => a.endedAtWallMs - b.endedAtWallMs);
  const changing = ended.filter(changesInstance);
  const last = changing.at(-1) ?? ended.at(-1);
  const from = since === null ? last : ended.find(({ opId }) => opId === since);
  if (from === undefined) return null;
  const isFrom = (one: HistoryRecord): boolean => ended.indexOf(one) >= ended.indexOf(from);
  const taken = changing.filter(isFrom);
  return {
    taken: taken.length === 0 ? [from] : taken,
    earlier: changing.filter((one) => !isFrom(one)),
  };
}
