import type {
  DeregisterImageRequest,
  DeregisterImageResult,
  DescribeImagesRequest,
  DescribeImagesResult,
  Image,
  RegisterImageRequest,
  RegisterImageResult,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { applyFilters, type FilterTable, tagList } from '../filters.ts';
import { look, need } from '../lookup.ts';
import type { SimImage } from '../model.ts';
import { page } from '../pages.ts';
import { tagsFor } from '../tags.ts';
import { ACCOUNT_ID, type Call, type Region } from '../region.ts';
import { requireCompleted } from './launch-disks.ts';

const NAME = /^[A-Za-z0-9()[\] ./\-'@_]{3,128}$/;

const imageView = (region: Region, one: SimImage): Image => ({
  ImageId: one.id,
  Name: one.name,
  State: one.state,
  Description: one.request.Description,
  Architecture: one.architecture as Image['Architecture'],
  OwnerId: one.isPublic ? '137112412989' : ACCOUNT_ID,
  ImageOwnerAlias: one.isPublic ? 'amazon' : undefined,
  Public: one.isPublic,
  ImageType: 'machine',
  Hypervisor: 'xen',
  VirtualizationType: (one.request.VirtualizationType ?? 'hvm') as Image['VirtualizationType'],
  RootDeviceType: 'ebs',
  RootDeviceName: one.rootDeviceName,
  CreationDate: new Date(one.createdAtWallMs).toISOString(),
  EnaSupport: one.request.EnaSupport ?? false,
  SriovNetSupport: one.request.SriovNetSupport,
  BootMode: one.request.BootMode,
  TpmSupport: one.request.TpmSupport,
  ImdsSupport: one.request.ImdsSupport,
  PlatformDetails: 'Linux/UNIX',
  BlockDeviceMappings: (one.request.BlockDeviceMappings ?? []).map((mapping) => ({
    ...mapping,
    Ebs: mapping.Ebs && {
      ...mapping.Ebs,
      VolumeSize: mapping.Ebs.VolumeSize ?? region.snapshots.get(mapping.Ebs.SnapshotId ?? '')?.sizeGiB,
    },
  })),
  Tags: tagList(one.tags),
});

const IMAGE_FILTERS: FilterTable<SimImage> = {
  'image-id': (one) => [one.id],
  name: (one) => [one.name],
  state: (one) => [one.state],
  architecture: (one) => [one.architecture],
  description: (one) => [one.request.Description],
  'is-public': (one) => [String(one.isPublic)],
  'owner-id': (one) => [one.isPublic ? '137112412989' : ACCOUNT_ID],
  'root-device-name': (one) => [one.rootDeviceName],
  'block-device-mapping.snapshot-id': (one) =>
    (one.request.BlockDeviceMappings ?? []).map((mapping) => mapping.Ebs?.SnapshotId),
  'virtualization-type': (one) => [one.request.VirtualizationType ?? 'hvm'],
};

/** `DescribeImages`, eventually consistent like the others. */
export function describeImages(region: Region, call: Call, input: DescribeImagesRequest): DescribeImagesResult {
  const owners = new Set(input.Owners ?? []);
  const found = look(call, region.images, 'image', input.ImageIds).filter(
    (one) =>
      owners.size === 0 || owners.has(one.isPublic ? 'amazon' : 'self') || (!one.isPublic && owners.has(ACCOUNT_ID)),
  );
  const matching = applyFilters(found, input.Filters, IMAGE_FILTERS);
  const { items, nextToken } = page('DescribeImages', matching, input, { min: 1, max: 1_000 }, input.ImageIds);
  return { Images: items.map((one) => imageView(region, one)), NextToken: nextToken };
}

/**
 * The root mapping, with its snapshot. @throws InvalidBlockDeviceMapping, IncorrectState (a
 * snapshot is not completed)
 */
function rootSnapshot(region: Region, call: Call, input: RegisterImageRequest): { device: string; snapshotId: string } {
  const device = input.RootDeviceName ?? '/dev/sda1';
  const root = input.BlockDeviceMappings?.find((mapping) => mapping.DeviceName === device);
  const snapshotId = root?.Ebs?.SnapshotId;
  if (snapshotId === undefined) {
    throw new Ec2Error('InvalidBlockDeviceMapping', `No snapshot is given for the root device ${device}`);
  }
  for (const mapping of input.BlockDeviceMappings ?? []) {
    const id = mapping.Ebs?.SnapshotId;
    if (id !== undefined) requireCompleted(need(call, region.snapshots, 'snapshot', id));
  }
  return { device, snapshotId };
}

/**
 * `RegisterImage`. It has no ClientToken; the name is unique per account and Region.
 * @throws InvalidAMIName.Duplicate, InvalidAMIName.Malformed
 */
export function registerImage(region: Region, call: Call, input: RegisterImageRequest): RegisterImageResult {
  const name = input.Name ?? '';
  if (!NAME.test(name)) {
    throw new Ec2Error(
      'InvalidAMIName.Malformed',
      "AMI names must be between 3 and 128 characters of A-Z a-z 0-9 ()[] ./-'@_",
    );
  }
  const same = region.images.all().find((one) => one.name === name);
  if (same) {
    throw new Ec2Error('InvalidAMIName.Duplicate', `AMI name ${name} is already in use by AMI ${same.id}`);
  }
  const { device, snapshotId } = rootSnapshot(region, call, input);
  const made: SimImage = {
    id: region.newId('ami'),
    name,
    state: 'pending',
    request: input,
    rootDeviceName: device,
    rootSnapshotId: snapshotId,
    architecture: input.Architecture ?? 'i386',
    createdAtWallMs: region.wallMs(),
    isPublic: false,
    tags: tagsFor(input.TagSpecifications, 'image', ['image', 'snapshot']),
  };
  region.images.put(made, region.nowMs, call.instant);
  region.transition('image', made.id, null, 'pending', null, { rootSnapshotId: snapshotId });
  region.later(call, 'image.pending', (_at, tookMs) => {
    if (region.images.get(made.id)?.state !== 'pending') return;
    region.images.update(made.id, { state: 'available' }, region.nowMs, call.instant);
    region.transition('image', made.id, 'pending', 'available', tookMs);
  });
  return { ImageId: made.id };
}

/** `DeregisterImage`. Instances that run from the image are untouched, and its snapshots stay. */
export function deregisterImage(region: Region, call: Call, input: DeregisterImageRequest): DeregisterImageResult {
  const image = need(call, region.images, 'image', input.ImageId);
  if (image.isPublic) throw new Ec2Error('AuthFailure', `Not authorized for images: [${image.id}]`, 403);
  region.images.remove(image.id, region.nowMs);
  region.transition('image', image.id, image.state, null);
  return { Return: true };
}
