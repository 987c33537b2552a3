import type { BlockDeviceMapping, EbsBlockDevice, RunInstancesRequest, VolumeType } from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { checkRate, initializationOf } from '../initialization.ts';
import { DEFAULT_KEY_ALIAS } from '../kms/keys.ts';
import { need } from '../lookup.ts';
import type { SimImage, SimSnapshot, SimTags, SimVolume } from '../model.ts';
import { tagsFor } from '../tags.ts';
import type { Call, Region } from '../region.ts';

export interface LaunchDisk {
  readonly device: string;
  readonly snapshot: SimSnapshot | null;
  readonly sizeGiB: number;
  readonly volumeType: VolumeType;
  readonly iops: number | null;
  readonly throughput: number | null;
  readonly encrypted: boolean;
  readonly kmsKeyId: string | null;
  readonly deleteOnTermination: boolean;
  /** MiB/s. Undefined: the default rate. */
  readonly rateMiBps: number | undefined;
  readonly tags: SimTags;
}

const VOLUME_TYPES: ReadonlySet<string> = new Set(['gp2', 'gp3', 'io1', 'io2', 'st1', 'sc1', 'standard']);

/** @throws IncorrectState while the snapshot is not completed. */
export function requireCompleted(snapshot: SimSnapshot): SimSnapshot {
  if (snapshot.state === 'completed') return snapshot;
  throw new Ec2Error('IncorrectState', `Snapshot is in invalid state - ${snapshot.state} (${snapshot.id})`);
}

const iopsOf = (type: VolumeType, asked: number | undefined, sizeGiB: number): number | null => {
  if (type === 'gp3') return asked ?? 3_000;
  if (type === 'io1' || type === 'io2') {
    if (asked === undefined) throw new Ec2Error('MissingParameter', `The parameter iops must be specified for ${type}`);
    return asked;
  }
  if (asked !== undefined) {
    throw new Ec2Error('InvalidParameterCombination', `The parameter iops is not supported for ${type} volumes.`);
  }
  return type === 'gp2' ? Math.max(100, 3 * sizeGiB) : null;
};

/**
 * Type, size and performance of a new volume.
 * @throws MissingParameter, InvalidParameterValue, InvalidParameterCombination
 */
export function volumeShape(
  ebs: {
    readonly size?: number | undefined;
    readonly type?: VolumeType | undefined;
    readonly iops?: number | undefined;
    readonly throughput?: number | undefined;
  },
  snapshot: SimSnapshot | null,
  sizeErrorCode: string,
) {
  const volumeType = ebs.type ?? 'gp2';
  if (!VOLUME_TYPES.has(volumeType)) throw new Ec2Error('UnknownVolumeType', `Unsupported volume type '${volumeType}'`);
  const sizeGiB = ebs.size ?? snapshot?.sizeGiB;
  if (sizeGiB === undefined) {
    throw new Ec2Error('MissingParameter', 'The request must contain the parameter size or snapshotId');
  }
  if (snapshot && sizeGiB < snapshot.sizeGiB) {
    throw new Ec2Error(
      sizeErrorCode,
      `Volume of size ${sizeGiB}GB is smaller than snapshot '${snapshot.id}', expect size >= ${snapshot.sizeGiB}GB`,
    );
  }
  if (ebs.throughput !== undefined && volumeType !== 'gp3') {
    throw new Ec2Error('InvalidParameterCombination', `The parameter throughput is not supported for ${volumeType}.`);
  }
  return {
    volumeType,
    sizeGiB,
    iops: iopsOf(volumeType, ebs.iops, sizeGiB),
    throughput: volumeType === 'gp3' ? (ebs.throughput ?? 125) : null,
  };
}

/** The request's mapping over the image's, member by member. */
function mergeEbs(base: EbsBlockDevice | undefined, over: EbsBlockDevice | undefined): EbsBlockDevice {
  const given = Object.fromEntries(Object.entries(over ?? {}).filter(([, value]) => value !== undefined));
  return { ...base, ...given };
}

/**
 * The image's mappings, overridden or removed by the request's.
 * @throws InvalidBlockDeviceMapping: the root device's snapshot cannot be changed, and no device
 * may be named twice.
 */
function mergedMappings(image: SimImage, asked: readonly BlockDeviceMapping[]): Map<string, EbsBlockDevice> {
  const merged = new Map<string, EbsBlockDevice>();
  for (const { DeviceName: device = '', Ebs: ebs } of image.request.BlockDeviceMappings ?? []) {
    if (ebs) merged.set(device, ebs);
  }
  const named = new Set<string>();
  for (const { DeviceName: device = '', Ebs: ebs, NoDevice: none, VirtualName: virtual } of asked) {
    if (device === '') throw new Ec2Error('MissingParameter', 'The request must contain the parameter deviceName');
    if (named.has(device)) throw new Ec2Error('InvalidBlockDeviceMapping', `Duplicate device name ${device}`);
    named.add(device);
    if (virtual !== undefined) throw new Ec2Error('UnsupportedOperation', 'Instance store volumes are not simulated');
    if (none !== undefined) {
      if (device === image.rootDeviceName) throw new Ec2Error('InvalidBlockDeviceMapping', 'No root device');
      merged.delete(device);
      continue;
    }
    const rootSnapshot = ebs?.SnapshotId;
    if (device === image.rootDeviceName && rootSnapshot !== undefined && rootSnapshot !== image.rootSnapshotId) {
      throw new Ec2Error('InvalidBlockDeviceMapping', 'snapshotId cannot be modified on root device');
    }
    merged.set(device, mergeEbs(merged.get(device), ebs));
  }
  return merged;
}

function encryption(region: Region, ebs: EbsBlockDevice, snapshot: SimSnapshot | null) {
  if (ebs.Encrypted === false && snapshot?.encrypted) {
    throw new Ec2Error('InvalidParameterDependency', 'A volume from an encrypted snapshot is encrypted');
  }
  const encrypted = ebs.Encrypted ?? snapshot?.encrypted ?? false;
  if (ebs.KmsKeyId !== undefined && !encrypted) {
    throw new Ec2Error(
      'InvalidParameterDependency',
      'The parameter KmsKeyId requires the parameter Encrypted to be set.',
    );
  }
  const name = ebs.KmsKeyId ?? snapshot?.kmsKeyId ?? DEFAULT_KEY_ALIAS;
  const kmsKeyId = encrypted ? region.kmsKeys.shown(name) : null;
  return { encrypted, kmsKeyId };
}

/** The volumes a launch makes, root first. */
export function launchDisks(region: Region, call: Call, input: RunInstancesRequest, image: SimImage): LaunchDisk[] {
  const mappings = mergedMappings(image, input.BlockDeviceMappings ?? []);
  const tags = tagsFor(input.TagSpecifications, 'volume', [
    'instance',
    'volume',
    'network-interface',
    'spot-instances-request',
  ]);
  const disks = [...mappings].map(([device, ebs]): LaunchDisk => {
    const snapshot =
      ebs.SnapshotId === undefined ? null : requireCompleted(need(call, region.snapshots, 'snapshot', ebs.SnapshotId));
    checkRate(region, ebs.VolumeInitializationRate, snapshot !== null);
    const asked = { size: ebs.VolumeSize, type: ebs.VolumeType, iops: ebs.Iops, throughput: ebs.Throughput };
    return {
      device,
      snapshot,
      ...volumeShape(asked, snapshot, 'InvalidBlockDeviceMapping'),
      ...encryption(region, ebs, snapshot),
      deleteOnTermination: ebs.DeleteOnTermination ?? true,
      rateMiBps: ebs.VolumeInitializationRate,
      tags,
    };
  });
  const isRoot = (disk: LaunchDisk) => Number(disk.device === image.rootDeviceName);
  return disks.sort((a, b) => isRoot(b) - isRoot(a));
}

/**
 * Makes the volume, which is in use from the start and `attached` as soon as the instance runs.
 * Returns its id.
 */
export function makeLaunchVolume(region: Region, call: Call, instanceId: string, az: string, disk: LaunchDisk): string {
  const id = region.newId('vol');
  const { sizeGiB, rateMiBps } = disk;
  const source = { id: disk.snapshot?.id ?? null, az };
  const wish = { type: 'default', volumeId: id, sizeGiB, rateMiBps, snapshot: source } as const;
  const made: SimVolume = {
    id,
    state: 'in-use',
    az,
    sizeGiB: disk.sizeGiB,
    volumeType: disk.volumeType,
    iops: disk.iops,
    throughput: disk.throughput,
    encrypted: disk.encrypted,
    kmsKeyId: disk.kmsKeyId,
    multiAttach: false,
    snapshotId: disk.snapshot?.id ?? null,
    sourceVolumeId: null,
    initialization: disk.snapshot ? initializationOf(region, { ...wish, instant: call.instant }) : null,
    ioEnabled: true,
    createdAtWallMs: region.wallMs(),
    attachments: [
      {
        instanceId,
        device: disk.device,
        state: 'attaching',
        attachedAtWallMs: region.wallMs(),
        deleteOnTermination: disk.deleteOnTermination,
      },
    ],
    lastSnapshotAtMs: null,
    cloudInitRanFor: disk.snapshot?.cloudInitRanFor ?? null,
    busy: false,
    tags: disk.tags,
  };
  region.volumes.put(made, region.nowMs, call.instant);
  region.transition('volume', made.id, null, 'in-use', null, { instanceId, snapshotId: made.snapshotId });
  return made.id;
}
