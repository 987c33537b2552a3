import type { CloudInstance, CloudVolume, PlannedVolume } from '@understudy/shared';
import { carriedTags } from './launch-tags.ts';

/**
 * The disks of an instance as a replacement is to get them: root first, then by device name. One
 * that EC2 did not describe is left out.
 */
export function plannedVolumes(
  instance: Pick<CloudInstance, 'volumes' | 'rootDeviceName'>,
  volumes: readonly CloudVolume[],
): readonly PlannedVolume[] {
  const byId = new Map(volumes.map((volume) => [volume.volumeId, volume]));
  const planned = instance.volumes.flatMap((attachment): PlannedVolume[] => {
    const volume = byId.get(attachment.volumeId);
    if (!volume) return [];
    return [
      {
        volumeId: volume.volumeId,
        deviceName: attachment.deviceName,
        isRoot: attachment.deviceName === instance.rootDeviceName,
        sizeGiB: volume.sizeGiB,
        volumeType: volume.volumeType,
        iops: volume.iops,
        throughputMiBps: volume.throughputMiBps,
        encrypted: volume.encrypted,
        kmsKeyId: volume.kmsKeyId,
        deleteOnTermination: attachment.deleteOnTermination,
        tags: carriedTags(volume.tags),
      },
    ];
  });
  return planned.sort((a, b) => Number(b.isRoot) - Number(a.isRoot) || (a.deviceName < b.deviceName ? -1 : 1));
}

/**
 * Devices of the replacement that EC2 would delete with it although they were to be kept: being
 * recovered must not change what a later termination does. Empty before the activation, always.
 */
export const disksToKeep = (
  volumes: readonly PlannedVolume[],
  replacement: Pick<CloudInstance, 'volumes'>,
): readonly string[] =>
  replacement.volumes
    .filter(
      (disk) =>
        disk.deleteOnTermination &&
        volumes.some((volume) => volume.deviceName === disk.deviceName && !volume.deleteOnTermination),
    )
    .map((disk) => disk.deviceName);
