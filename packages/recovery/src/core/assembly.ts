import type { CloudInstance, CloudVolume, VolumePlace } from '@understudy/shared';
import { diskPlace } from './disk-place.ts';

type Disk = Omit<VolumePlace, 'instanceId'>;

/** What a stopped seed is to become. */
export interface AssemblyWanted {
  readonly instanceId: string;
  /** Disks that came with the seed and go. */
  readonly ownDisks: readonly Disk[];
  readonly disks: readonly Disk[];
}

/** What a look shows of it. */
export interface AssemblySeen {
  readonly instance: CloudInstance;
  /** The wanted disks and the seed's own, as far as EC2 shows them. */
  readonly volumes: readonly CloudVolume[];
}

/** What may be asked of EC2 now; side by side. */
export type AssemblyMove =
  | { readonly kind: 'detach' | 'attach'; readonly place: VolumePlace }
  /** EC2 would delete the disk with the instance. */
  | { readonly kind: 'keep'; readonly deviceName: string };

export interface Assembly {
  /**
   * True when every wanted disk is on it, at rest, under its device, and stays if it ends; and
   * nothing else is.
   */
  readonly isWhole: boolean;
  readonly moves: readonly AssemblyMove[];
  /** What is waited for, in words. */
  readonly waits: readonly string[];
  /** A disk that somebody else has, or that is gone; null: none. */
  readonly trouble: string | null;
}

/**
 * How far a stopped seed has its disks, and what brings it further. A device is free only once both
 * the instance and the volume that was there say so. Pure.
 */
export function assemblyOf(wanted: AssemblyWanted, { instance, volumes }: AssemblySeen): Assembly {
  const { instanceId } = wanted;
  const volumeOf = (volumeId: string) => volumes.find((one) => one.volumeId === volumeId);
  const placeOf = (disk: Disk) => diskPlace(volumeOf(disk.volumeId), { ...disk, instanceId });
  const moves: AssemblyMove[] = [];
  const waits: string[] = [];
  const troubles: string[] = [];
  for (const disk of wanted.ownDisks) {
    const { kind } = placeOf(disk);
    // A launch that is stopped before it runs may leave its disks `attaching` for good.
    const stuck = volumeOf(disk.volumeId)?.attachments.some((one) => one.state === 'attaching') ?? false;
    if (kind === 'there' || stuck) moves.push({ kind: 'detach', place: { ...disk, instanceId } });
    else if (kind !== 'free' && kind !== 'lost') waits.push(`${disk.volumeId}, which came with the seed`);
  }
  const taken = devicesTaken(wanted, { instance, volumes });
  for (const disk of wanted.disks) {
    const { volumeId, deviceName } = disk;
    const place = placeOf(disk);
    switch (place.kind) {
      case 'there':
        break;
      case 'free':
        if (taken.has(deviceName)) waits.push(`${deviceName}, which is taken`);
        else moves.push({ kind: 'attach', place: { ...disk, instanceId } });
        break;
      case 'under-other-device':
        moves.push({ kind: 'detach', place: { volumeId, deviceName: place.deviceName, instanceId } });
        break;
      case 'moving':
        waits.push(place.text);
        break;
      case 'unseen':
        waits.push(`${volumeId}, which EC2 does not show`);
        break;
      case 'elsewhere':
        troubles.push(`${volumeId} is attached to ${place.instanceId}`);
        break;
      case 'lost':
        troubles.push(`${volumeId} is ${place.state}`);
        break;
    }
  }
  const ids = new Set(wanted.disks.map((one) => one.volumeId));
  const goes = instance.volumes.filter((one) => ids.has(one.volumeId) && one.deleteOnTermination);
  for (const { deviceName } of goes) moves.push({ kind: 'keep', deviceName });
  const [trouble = null] = troubles;
  return { isWhole: moves.length + waits.length + troubles.length === 0, moves, waits, trouble };
}

function devicesTaken(wanted: AssemblyWanted, { instance, volumes }: AssemblySeen): ReadonlySet<string> {
  const ids = new Set(wanted.disks.map((one) => one.volumeId));
  const byInstance = instance.volumes.filter((one) => !ids.has(one.volumeId)).map((one) => one.deviceName);
  const byVolume = volumes
    .filter((one) => !ids.has(one.volumeId))
    .flatMap((one) => one.attachments.filter(({ instanceId }) => instanceId === wanted.instanceId))
    .map((one) => one.deviceName);
  return new Set([...byInstance, ...byVolume]);
}
