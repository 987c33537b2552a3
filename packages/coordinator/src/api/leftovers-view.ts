import { type HistoryRecord, type LeftoverView, type Problem, problemOf } from '@understudy/shared';
import { choreKey, choreText, leftoverText } from '@understudy/recovery';

/**
 * What the ended recoveries still have to remove or to put in place: obstructed items first, then
 * by time, items kept for ever last. Pure.
 */
export function leftoversView(histories: Iterable<HistoryRecord>): readonly LeftoverView[] {
  const all = [...histories].flatMap((history): LeftoverView[] => {
    const { member, opId, leftovers, owed } = history;
    return [
      ...owed.map(({ chore, obstacle }) => ({
        ...{ member, opId, kind: 'chore' as const, id: choreKey(chore), text: choreText(chore) },
        afterWallMs: history.endedAtWallMs,
        obstacle,
      })),
      ...leftovers.map(({ kind, id, afterWallMs, obstacle }) => ({
        ...{ member, opId, kind, id, text: leftoverText(kind, history), afterWallMs, obstacle },
      })),
    ];
  });
  return all.sort(
    (a, b) =>
      Number(a.obstacle === null) - Number(b.obstacle === null) ||
      (a.afterWallMs ?? Number.POSITIVE_INFINITY) - (b.afterWallMs ?? Number.POSITIVE_INFINITY) ||
      (a.id < b.id ? -1 : 1),
  );
}

/** Null: nothing is in the way. */
export function leftoversProblem(leftovers: readonly LeftoverView[]): Problem | null {
  const obstructed = leftovers.filter((one) => one.obstacle !== null);
  const [first] = obstructed;
  if (!first?.obstacle) return null;
  const rest = obstructed.length === 1 ? '' : ` (and ${obstructed.length - 1} more)`;
  const text = `${first.member}: ${first.id}, ${first.text}: ${first.obstacle.code}: ${first.obstacle.text}${rest}`;
  return problemOf('LEFTOVERS_OBSTRUCTED', text.slice(0, 500));
}
