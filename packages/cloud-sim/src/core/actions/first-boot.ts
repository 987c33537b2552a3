import { cloudInit, sameDevice } from '../cloud-init.ts';
import type { SimInstance } from '../model.ts';
import type { World } from '../world.ts';

interface Disk {
  readonly volumeId: string;
  readonly device: string;
}

/** Root first, the others by their names: the order that NVMe numbers follow here. */
function disksOf(world: World, instance: SimInstance): readonly Disk[] {
  const disks = instance.volumeIds.flatMap((volumeId): Disk[] => {
    const attachment = world.volumes.get(volumeId)?.attachments.find((one) => one.instanceId === instance.id);
    return attachment ? [{ volumeId, device: attachment.device }] : [];
  });
  const rank = ({ device }: Disk) => `${device === instance.rootDeviceName ? 0 : 1}${device}`;
  return disks.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/**
 * cloud-init remembers on the root disk for which instance id it has run. A restored disk has another one's: it runs again, and what it formats is gone.
 * The disk room empties the folders, before the machine boots.
 */
export function runFirstBoot(world: World, instanceId: string): void {
  const instance = world.instances.get(instanceId);
  if (!instance) return;
  const disks = disksOf(world, instance);
  const root = disks.find((disk) => disk.device === instance.rootDeviceName);
  if (!root || world.volumes.get(root.volumeId)?.cloudInitRanFor === instanceId) return;
  world.volumes.update(root.volumeId, { cloudInitRanFor: instanceId }, world.nowMs, true);
  if (instance.userData === null) return;
  const { ran, formats } = cloudInit(instance.userData);
  const formatted = formats.flatMap(({ device, by }) => {
    const disk = disks.find((one, place) => one !== root && sameDevice(device, one.device, place));
    return disk ? [{ volumeId: disk.volumeId, device: disk.device, by }] : [];
  });
  world.instances.update(instanceId, { firstBoot: { ran, formatted } }, world.nowMs, true);
  for (const { volumeId, by } of formatted)
    world.transition('volume', volumeId, 'in-use', 'in-use', null, { formatted: true, by, instanceId });
}
