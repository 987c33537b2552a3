import type { CreateReplaceRootVolumeTaskRequest } from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { need } from '../lookup.ts';
import type { SimInstance, SimVolume } from '../model.ts';
import type { Call, Region } from '../region.ts';
import { requireCompleted } from './launch-disks.ts';

/** @throws IncorrectInstanceState */
export function rootOf(region: Region, instance: SimInstance): SimVolume {
  const root = instance.volumeIds
    .flatMap((id) => region.volumes.get(id) ?? [])
    .find((one) => one.attachments.some((a) => a.instanceId === instance.id && a.device === instance.rootDeviceName));
  if (root) return root;
  throw new Ec2Error('IncorrectInstanceState', `Instance '${instance.id}' does not have a volume attached at root`);
}

/**
 * Only a snapshot of a root that this very instance has or had fits (EC2 user guide, Replace root).
 */
function requireLineage(region: Region, call: Call, instance: SimInstance, root: SimVolume, id: string): void {
  const snapshot = requireCompleted(need(call, region.snapshots, 'snapshot', id));
  if (snapshot.volumeId === root.id || instance.formerRootVolumeIds.includes(snapshot.volumeId)) return;
  throw new Ec2Error(
    'InvalidParameterValue',
    `Snapshot ${id} is not of the lineage of the root volume of instance ${instance.id}.`,
  );
}

function requireImage(region: Region, call: Call, instance: SimInstance, root: SimVolume, id: string): void {
  const image = need(call, region.images, 'image', id);
  if (image.state !== 'available') throw new Ec2Error('InvalidAMIID.Unavailable', `Image ${id} is ${image.state}`);
  const sizeGiB = region.snapshots.get(image.rootSnapshotId)?.sizeGiB ?? 0;
  const codes = region.productCodes.get(image.rootSnapshotId) ?? [];
  if (image.architecture === instance.architecture && sizeGiB >= root.sizeGiB && codes.length === 0) return;
  throw new Ec2Error('InvalidParameterValue', `Image ${id} does not fit instance ${instance.id} as its root.`);
}

function requireVolume(region: Region, call: Call, instance: SimInstance, root: SimVolume, id: string): void {
  const volume = need(call, region.volumes, 'volume', id);
  if (volume.attachments.length > 0) {
    throw new Ec2Error('VolumeInUse', `${id} is already attached to an instance`);
  }
  if (volume.state !== 'available') {
    throw new Ec2Error('IncorrectState', `Volume '${id}' is in state '${volume.state}', want 'available'.`);
  }
  if (volume.az !== instance.az) {
    throw new Ec2Error('InvalidVolume.ZoneMismatch', `The volume '${id}' is not in the zone of '${instance.id}'`);
  }
  if (root.encrypted && !volume.encrypted) {
    throw new Ec2Error('InvalidParameterValue', `The root of '${instance.id}' is encrypted, '${id}' is not.`);
  }
}

/**
 * What the new root may come from: a snapshot, an image or a volume, or nothing for the state at
 * launch.
 * @throws InvalidParameterCombination for two sources, and what each source is refused with
 */
export function requireSource(
  region: Region,
  call: Call,
  instance: SimInstance,
  root: SimVolume,
  input: CreateReplaceRootVolumeTaskRequest,
): void {
  const { SnapshotId: snapshotId, ImageId: imageId, VolumeId: volumeId } = input;
  if ([snapshotId, imageId, volumeId].filter((one) => one !== undefined).length > 1) {
    throw new Ec2Error('InvalidParameterCombination', 'Want at most one of SnapshotId, ImageId and VolumeId');
  }
  if (snapshotId !== undefined) requireLineage(region, call, instance, root, snapshotId);
  else if (imageId !== undefined) requireImage(region, call, instance, root, imageId);
  else if (volumeId !== undefined) requireVolume(region, call, instance, root, volumeId);
  else if (root.snapshotId === null && instance.formerRootVolumeIds.length === 0) {
    throw new Ec2Error('InvalidParameterValue', `The snapshot that '${instance.id}' was launched from is not known`);
  }
}
