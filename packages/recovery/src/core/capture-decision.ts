import { type CloudSnapshot, type PlannedVolume, TAG } from '@understudy/shared';

export interface SnapshotSet {
  /** Number of the CreateSnapshots call that made it. 0: somebody else tagged it. */
  readonly number: number;
  readonly snapshots: readonly CloudSnapshot[];
}

/** Snapshots of one recovery, grouped by the call that made them, oldest call first. */
export function snapshotSets(snapshots: readonly CloudSnapshot[]): readonly SnapshotSet[] {
  const sets = new Map<number, CloudSnapshot[]>();
  for (const snapshot of snapshots) {
    const number = Number(snapshot.tags[TAG.snapshotSet] ?? 0);
    sets.set(number, [...(sets.get(number) ?? []), snapshot]);
  }
  return [...sets].sort(([a], [b]) => a - b).map(([number, members]) => ({ number, snapshots: members }));
}

/** Planned volumes of which the set has no usable snapshot. */
export const missingVolumes = (volumes: readonly PlannedVolume[], set: SnapshotSet): readonly string[] =>
  volumes
    .map((volume) => volume.volumeId)
    .filter((id) => !set.snapshots.some((one) => one.volumeId === id && one.state !== 'error'));

/**
 * Volumes of which the set has a usable snapshot although the plan does not know them. They were
 * attached after the plan was made.
 */
export const volumesBeside = (volumes: readonly PlannedVolume[], set: SnapshotSet): readonly string[] =>
  set.snapshots
    .filter((one) => one.state !== 'error' && !volumes.some((volume) => volume.volumeId === one.volumeId))
    .map((one) => one.volumeId);

/**
 * The first set that has every planned volume and no failed snapshot. It becomes canonical once it
 * is recorded.
 */
export const adoptableSet = (
  volumes: readonly PlannedVolume[],
  sets: readonly SnapshotSet[],
  failedSets: readonly number[],
): SnapshotSet | null =>
  sets.find(
    (set) =>
      !failedSets.includes(set.number) &&
      missingVolumes(volumes, set).length === 0 &&
      set.snapshots.every((one) => one.state !== 'error'),
  ) ?? null;

export interface CaptureProgress {
  readonly kind: 'pending' | 'completed' | 'failed';
  /** Mean over the set, 0..100. */
  readonly percent: number;
  readonly text: string;
}

/**
 * Where the canonical set stands, from a describe by its ids. Ids that EC2 does not show yet count
 * as pending.
 */
export function captureProgress(snapshotIds: readonly string[], seen: readonly CloudSnapshot[]): CaptureProgress {
  const found = snapshotIds.map((id) => seen.find((one) => one.snapshotId === id));
  const percent = found.reduce((sum, one) => sum + (one?.progressPercent ?? 0), 0) / Math.max(1, found.length);
  const text = `snapshots of ${snapshotIds.length} volume(s): ${Math.floor(percent)} %`;
  if (found.some((one) => one?.state === 'error')) return { kind: 'failed', percent, text };
  if (found.every((one) => one?.state === 'completed')) return { kind: 'completed', percent: 100, text };
  return { kind: 'pending', percent, text };
}
