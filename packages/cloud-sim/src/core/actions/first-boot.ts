import { cloudInit, sameDevice } from '../cloud-init.ts';
import type { SimInstance } from '../model.ts';
import type { Region } from '../region.ts';

interface Disk {
  readonly volumeId: string;
  readonly device: string;
}

/** Disks in the order that NVMe numbers follow here: root first, the others by their names. */
function disksOf(region: Region, instance: SimInstance): readonly Disk[] {
  const disks = instance.volumeIds.flatMap((volumeId): Disk[] => {
    const attachment = region.volumes.get(volumeId)?.attachments.find((one) => one.instanceId === instance.id);
    return attachment ? [{ volumeId, device: attachment.device }] : [];
  });
  const rank = ({ device }: Disk) => `${device === instance.rootDeviceName ? 0 : 1}${device}`;
  return disks.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/**
 * Runs what cloud-init does at the first boot of an instance id. It remembers on the root disk for
 * which id it has run. A restored disk has another instance's id, so it runs again, and what it
 * formats is gone. VolumeFolders empties the folders before the machine boots.
 */
export function runFirstBoot(region: Region, instanceId: string): void {
  const instance = region.instances.get(instanceId);
  if (!instance) return;
  const disks = disksOf(region, instance);
  const root = disks.find((disk) => disk.device === instance.rootDeviceName);
  if (!root || region.volumes.get(root.volumeId)?.cloudInitRanFor === instanceId) return;
  region.volumes.update(root.volumeId, { cloudInitRanFor: instanceId }, region.nowMs, true);
  if (instance.userData === null) return;
  const { ran, formats } = cloudInit(instance.userData);
  const formatted = formats.flatMap(({ device, by }) => {
    const disk = disks.find((one, place) => one !== root && sameDevice(device, one.device, place));
    return disk ? [{ volumeId: disk.volumeId, device: disk.device, by }] : [];
  });
  region.instances.update(instanceId, { firstBoot: { ran, formatted } }, region.nowMs, true);
  for (const { volumeId, by } of formatted)
    region.transition('volume', volumeId, 'in-use', 'in-use', null, { formatted: true, by, instanceId });
}
