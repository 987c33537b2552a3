import {
  clientTokenOf,
  type CloudInstance,
  type CreateNetworkInterfaceRequest,
  type GroupPolicy,
  type IntentRecord,
  invariant,
  type LaunchPlan,
  type LaunchRequest,
  parseMemberId,
  type PlacementCandidate,
  type PlannedVolume,
  rawOf,
  type RegisterImageRequest,
  type SnapshotAndReplacePlan,
  TAG,
  type Tags,
} from '@understudy/shared';
import { canonical, commonTags, limitTags, MAX_TAGS, tagSpecification } from './launch-tags.ts';

/** The part of the intent that decides what is sent; nothing else may (no clock, no term). */
export type RequestIntent<P = SnapshotAndReplacePlan> = Pick<
  IntentRecord,
  'opId' | 'member' | 'oldInstanceId' | 'ordinal'
> & {
  readonly plan: P;
};

export interface LaunchInput {
  readonly intent: RequestIntent<LaunchPlan>;
  /** 1, 2, … */
  readonly attempt: number;
  readonly candidate: PlacementCandidate;
  /** The permit: an existing, unattached network interface in the candidate's subnet. */
  readonly networkInterfaceId: string;
  /** Made by us from the root snapshot: its only block device mapping is the root. */
  readonly imageId: string;
  /** Old volume id → snapshot id; every data volume of the plan must be there. */
  readonly snapshotIdsByVolume: Readonly<Record<string, string>>;
}

/**
 * The complete RunInstances input of attempt n: one instance, idempotent by
 * `clientTokenOf(oldInstanceId, 'launch', n)`, which EC2 scopes to the candidate's zone. Same input
 * ⇒ byte-identical JSON. Subnet, security groups and private address come from the permit's network
 * interface and are therefore not named at the top level (EC2 refuses both together).
 */
export function buildLaunchRequest(input: LaunchInput): LaunchRequest {
  const { intent, attempt, candidate } = input;
  const request = {
    ...baseFor(intent.plan.launchBase, candidate),
    MinCount: 1,
    MaxCount: 1,
    ClientToken: clientTokenOf(intent.oldInstanceId, 'launch', attempt, intent.ordinal),
    ImageId: input.imageId,
    InstanceType: candidate.instanceType,
    NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: input.networkInterfaceId }],
    BlockDeviceMappings: intent.plan.volumes.map((volume) => mappingOf(volume, input.snapshotIdsByVolume)),
    TagSpecifications: [
      tagSpecification(
        'instance',
        limitTags(instanceTagsOf(intent, attempt), MAX_TAGS, intent.plan.policy.recover.tags),
      ),
      tagSpecification('volume', launchVolumeTags(intent.plan, effectTags(intent, attempt))),
    ],
  };
  return canonical(request) as LaunchRequest;
}

/**
 * CreateNetworkInterface of the permit of attempt n: deleting it is what makes a late launch of
 * this attempt impossible.
 */
export function buildPermitRequest(input: {
  readonly intent: RequestIntent<LaunchPlan>;
  readonly attempt: number;
  readonly candidate: PlacementCandidate;
}): CreateNetworkInterfaceRequest {
  const { intent, attempt, candidate } = input;
  return {
    clientToken: clientTokenOf(intent.oldInstanceId, 'permit', attempt, intent.ordinal),
    subnetId: candidate.subnetId,
    groupIds: intent.plan.securityGroupIds,
    description: `understudy ${intent.member} ${intent.opId} attempt ${attempt}`.slice(0, 255),
    tags: limitTags(
      { ...intent.plan.policy.recover.tags, ...intent.plan.networkInterfaceTags, ...effectTags(intent, attempt) },
      MAX_TAGS,
      intent.plan.policy.recover.tags,
    ),
  };
}

/** AMI names are unique per account and Region: the name is RegisterImage's idempotency. */
export const imageNameOf = (opId: string): string => `understudy-${opId}`;

/**
 * RegisterImage of the recovery: one image, with the root volume only; data volumes are mapped at
 * launch.
 */
export function buildImageRequest(input: {
  readonly intent: RequestIntent;
  readonly rootSnapshotId: string;
}): RegisterImageRequest {
  const { image } = input.intent.plan;
  return {
    name: imageNameOf(input.intent.opId),
    rootDeviceName: image.rootDeviceName,
    rootSnapshotId: input.rootSnapshotId,
    architecture: image.architecture,
    bootMode: image.bootMode,
    enaSupport: image.enaSupport,
    tpmSupport: image.tpmSupport,
    sriovNetSupport: image.sriovNetSupport,
    virtualizationType: image.virtualizationType,
    imdsSupport: image.imdsSupport,
    tags: { ...input.intent.plan.policy.recover.tags, [TAG.op]: input.intent.opId },
  };
}

/** What the tags of new volumes follow from. */
export interface VolumeTagging {
  readonly volumes: readonly PlannedVolume[];
  readonly policy: { readonly recover: Pick<GroupPolicy['recover'], 'tags'> };
}

/** Tags every new volume gets with the launch. */
const launchVolumeTags = ({ volumes, policy }: VolumeTagging, marks: Tags): Record<string, string> =>
  limitTags({ ...policy.recover.tags, ...commonTags(volumes), ...marks }, MAX_TAGS, policy.recover.tags);

/** Marks of {@link effectTags} whose values do not matter for counting. */
const MARKS: Tags = { [TAG.op]: '', [TAG.attempt]: '' };

/**
 * RunInstances tags all new volumes alike, so what differs per volume is put on afterwards
 * (CreateTags, idempotent), by device name. No more than EC2 has room for beside the launch's: one
 * tag too many and EC2 takes none of them. Volumes without tags of their own are left out.
 */
export function ownVolumeTags(tagging: VolumeTagging): readonly { readonly deviceName: string; readonly tags: Tags }[] {
  const atLaunch = launchVolumeTags(tagging, MARKS);
  return tagging.volumes.flatMap(({ deviceName, tags }) => {
    const own = Object.fromEntries(Object.entries(tags).filter(([key, value]) => atLaunch[key] !== value));
    const fitting = limitTags(own, MAX_TAGS - Object.keys(atLaunch).length);
    return Object.keys(fitting).length > 0 ? [{ deviceName, tags: fitting }] : [];
  });
}

/**
 * {@link ownVolumeTags} for the volumes an instance has; a device that is missing on it is left
 * out.
 */
export const volumeTagsToReapply = (
  tagging: VolumeTagging,
  replacement: Pick<CloudInstance, 'volumes'>,
): readonly { readonly volumeId: string; readonly tags: Tags }[] =>
  ownVolumeTags(tagging).flatMap(({ deviceName, tags }) => {
    const found = replacement.volumes.find((volume) => volume.deviceName === deviceName);
    return found ? [{ volumeId: found.volumeId, tags }] : [];
  });

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

const effectTags = (intent: RequestIntent<LaunchPlan>, attempt: number): Tags => ({
  [TAG.op]: intent.opId,
  [TAG.attempt]: String(attempt),
});

/**
 * The replacement carries its member tags from birth, as its predecessor had them: enrolment takes
 * an instance with the op tag of an open intent for that recovery's replacement, not for a rival.
 */
function instanceTagsOf(intent: RequestIntent<LaunchPlan>, attempt: number): Tags {
  const { group, name } = parseMemberId(intent.member);
  const member = { [TAG.group]: group, [TAG.member]: name };
  return { ...intent.plan.policy.recover.tags, ...member, ...intent.plan.instanceTags, ...effectTags(intent, attempt) };
}

/** Members of RunInstances that another instance type may refuse. */
export const TYPE_BOUND_MEMBERS = [
  'CpuOptions',
  'NetworkPerformanceOptions',
  'EbsOptimized',
  'EnclaveOptions',
  'HibernationOptions',
] as const;

/**
 * `launchBase` holds the failed instance's own type and zone; what is bound to either is left out
 * elsewhere (`losses` says so).
 */
export function baseFor(launchBase: Readonly<Record<string, unknown>>, candidate: PlacementCandidate): object {
  const base: Record<string, unknown> = { ...launchBase };
  const placement: Record<string, unknown> = { ...rawOf(base.Placement) };
  if (base.InstanceType !== candidate.instanceType) {
    for (const member of TYPE_BOUND_MEMBERS) delete base[member];
    if (!isBurstable(candidate.instanceType)) delete base.CreditSpecification;
  }
  if (placement.AvailabilityZone !== candidate.az) {
    for (const member of ['GroupName', 'GroupId', 'PartitionNumber', 'HostResourceGroupArn']) delete placement[member];
    delete base.CapacityReservationSpecification;
  }
  // Named although the network interface implies it: the token's scope is then zonal by the letter
  // of the documentation.
  base.Placement = { ...placement, AvailabilityZone: candidate.az };
  return base;
}

/** T family: the only ones that take a credit specification. */
export const isBurstable = (instanceType: string): boolean => /^t\d/.test(instanceType);

/**
 * One volume of the replacement.
 * - Root: no SnapshotId (EC2 refuses one on the root device); it comes from the image.
 * - `Encrypted` only with an explicit key: `Encrypted` alone would take the account's default key
 *   instead of the snapshot's, and nothing at all keeps the snapshot's. Never `Encrypted: false`:
 *   refused where encryption by default is on.
 * - DeleteOnTermination: true for all of them at first, so that an attempt that dies or is ended
 *   leaves no disk behind: they are copies nobody has served from. Before the replacement is
 *   activated it is set back to what it was (`disksToKeep`).
 */
function mappingOf(volume: PlannedVolume, snapshotIdsByVolume: Readonly<Record<string, string>>): object {
  const snapshotId = snapshotIdsByVolume[volume.volumeId];
  invariant(volume.isRoot || snapshotId !== undefined, `no snapshot of data volume ${volume.volumeId}`);
  return {
    DeviceName: volume.deviceName,
    Ebs: {
      ...(volume.isRoot ? {} : { SnapshotId: snapshotId }),
      VolumeSize: volume.sizeGiB,
      VolumeType: volume.volumeType,
      ...(volume.iops !== null && TAKES_IOPS.has(volume.volumeType) ? { Iops: volume.iops } : {}),
      ...(volume.throughputMiBps !== null && volume.volumeType === 'gp3' ? { Throughput: volume.throughputMiBps } : {}),
      ...(volume.encrypted && volume.kmsKeyId !== null ? { Encrypted: true, KmsKeyId: volume.kmsKeyId } : {}),
      DeleteOnTermination: true,
    },
  };
}

/** DescribeVolumes reports a computed figure for the others; sending it back is an error. */
const TAKES_IOPS: ReadonlySet<string> = new Set(['gp3', 'io1', 'io2']);
