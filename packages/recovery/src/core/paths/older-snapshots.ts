import type { CloudSnapshot } from '@understudy/shared';

/** Snapshots of one CreateSnapshots call have one moment; by whatever else they were made, none. */
const momentOf = ({ startedAtWallMs }: CloudSnapshot): number => startedAtWallMs;

const newestFirst = (snapshots: readonly CloudSnapshot[]): readonly CloudSnapshot[] =>
  snapshots.toSorted((a, b) => b.startedAtWallMs - a.startedAtWallMs || (a.snapshotId < b.snapshotId ? -1 : 1));

/**
 * The newest complete snapshot of each volume: all of one moment, the newest that every volume has
 * one of; with `mixed`, each of its own. A volume without one is absent; without a common moment
 * all are. Pure.
 */
export function olderSnapshots(
  volumeIds: readonly string[],
  snapshots: readonly CloudSnapshot[],
  mixed: boolean,
): ReadonlyMap<string, CloudSnapshot> {
  const usable = newestFirst(snapshots.filter((one) => one.state === 'completed' && volumeIds.includes(one.volumeId)));
  const at = (moment: number | null): ReadonlyMap<string, CloudSnapshot> => {
    const fitting = usable.filter((one) => moment === null || momentOf(one) === moment);
    return new Map(fitting.toReversed().map((one) => [one.volumeId, one]));
  };
  if (mixed) return at(null);
  const common = [...new Set(usable.map(momentOf))].map(at).find((one) => one.size === volumeIds.length);
  return common ?? new Map();
}
