import type { CloudSnapshot, CloudVolume, PlacementCandidate, PlannedVolume, VolumesPolicy } from '@understudy/shared';
import type { PlanInput } from '../plan-input.ts';
import { plannedVolumes } from '../planned-volumes.ts';
import { olderSnapshots } from './older-snapshots.ts';

/** What the choice of a path knows of one disk. */
export interface DiskFacts {
  readonly planned: PlannedVolume;
  readonly az: string;
  /** Several instances may write to it. */
  readonly isShared: boolean;
  /** Why nothing can be taken from it now, in words. Null: it can be reached. */
  readonly unreachable: string | null;
  /** True when its zone is lost: whether anything can be taken from it is not known. */
  readonly zoneLost: boolean;
  readonly hasBase: boolean;
  /** The snapshot that it would be made from. Null: there is none that is complete. */
  readonly older: CloudSnapshot | null;
}

/** What the choice knows beside the disks. */
export interface PathScene {
  /** Paths that the strategy can carry out. */
  readonly offered: readonly string[];
  /** The strategy launches in the zone of the disks and nowhere else. */
  readonly staysInZone: boolean;
  readonly policy: VolumesPolicy;
  readonly candidates: readonly Pick<PlacementCandidate, 'az'>[];
  /** Null: not known, and no snapshot is known to be new enough. */
  readonly nowWallMs: number | null;
}

/** EC2 says so of a disk that is of no use any more. */
const LOST_STATES: ReadonlySet<string> = new Set(['error', 'deleting', 'deleted']);

export const isShared = (volume: Pick<CloudVolume, 'multiAttach' | 'attachments'>): boolean =>
  volume.multiAttach || volume.attachments.length > 1;

function unreachableText({ state, volumeId }: CloudVolume, impaired: ReadonlySet<string>): string | null {
  if (LOST_STATES.has(state)) return `EC2 says that it is in state ${state}`;
  return impaired.has(volumeId) ? 'EC2 says that it is impaired' : null;
}

/** The disks of the failed instance, root first, each with what its path is chosen by. */
export function diskFactsOf(
  input: Pick<PlanInput, 'instance' | 'volumes' | 'snapshots' | 'impairedVolumeIds'>,
  policy: VolumesPolicy,
  leaveAz: string | null,
): readonly DiskFacts[] {
  const { instance, volumes, snapshots, impairedVolumeIds } = input;
  const byId = new Map(volumes.map((volume) => [volume.volumeId, volume]));
  const disks = plannedVolumes(instance, volumes);
  const older = olderSnapshots(
    disks.map((one) => one.volumeId),
    snapshots,
    policy.mixedMoments,
  );
  return disks.flatMap((planned): DiskFacts[] => {
    const volume = byId.get(planned.volumeId);
    if (!volume) return [];
    const hasBase =
      (volume.fromSnapshotId ?? null) !== null ||
      snapshots.some((one) => one.volumeId === planned.volumeId && one.state === 'completed');
    return [
      {
        planned,
        az: volume.az,
        isShared: isShared(volume),
        unreachable: unreachableText(volume, impairedVolumeIds),
        zoneLost: volume.az === leaveAz,
        hasBase,
        older: older.get(planned.volumeId) ?? null,
      },
    ];
  });
}
