import { TAG } from '@understudy/shared';
import type { PlanInput } from '../core/plan-input.ts';

/**
 * Things that exist and are like what only a recovery makes, as far as IAM looks: the rights of the
 * role hang on the kind of a thing and on its tags. They are for `DryRun` only.
 */
export interface StandIns {
  /** The member's own instance, for its replacement. Both carry the tags of the group. */
  readonly instanceId: string;
  /** The member's first interface, for the permit. Null: it has none. */
  readonly networkInterfaceId: string | null;
  /** By which that interface is attached. Null: not known. */
  readonly attachmentId: string | null;
  /** Another recovery has made that interface, so it carries the mark of one, as a permit does. */
  readonly isPermit: boolean;
  /** The root disk. Null: it has none. */
  readonly root: { readonly volumeId: string; readonly deviceName: string } | null;
  /** Volumes with the mark of a recovery. */
  readonly ourVolumeIds: ReadonlySet<string>;
  /** An earlier snapshot of a disk, for the capture. Null: there is none that says whose it is. */
  readonly snapshot: { readonly snapshotId: string; readonly isOurs: boolean } | null;
}

/** What can stand in, of what was read for the plan. Pure. */
export function standInsOf({ instance, volumes, networkInterfaces, snapshots }: PlanInput): StandIns {
  const { instanceId, rootDeviceName } = instance;
  const first = instance.networkInterfaces.find((one) => one.deviceIndex === 0);
  const shown = networkInterfaces.find((one) => one.networkInterfaceId === first?.networkInterfaceId);
  const root = instance.volumes.find((one) => one.deviceName === rootDeviceName);
  return {
    instanceId,
    networkInterfaceId: first?.networkInterfaceId ?? null,
    attachmentId: first?.attachmentId ?? null,
    isPermit: shown?.tags[TAG.op] !== undefined,
    root: root ? { volumeId: root.volumeId, deviceName: root.deviceName } : null,
    ourVolumeIds: new Set(volumes.filter((one) => one.tags[TAG.op] !== undefined).map((one) => one.volumeId)),
    snapshot: earlierOf(snapshots),
  };
}

/** One with the mark of a recovery first, else one that names the group, as backups may. */
function earlierOf(snapshots: PlanInput['snapshots']): StandIns['snapshot'] {
  const completed = snapshots.filter((one) => one.state === 'completed');
  const ours = completed.find((one) => one.tags[TAG.op] !== undefined);
  const found = ours ?? completed.find((one) => one.tags[TAG.group] !== undefined);
  return found ? { snapshotId: found.snapshotId, isOurs: ours !== undefined } : null;
}
