import {
  clientTokenOf,
  type CreateNetworkInterfaceRequest,
  type IntentRecord,
  invariant,
  type LaunchPlan,
  type LaunchRequest,
  parseMemberId,
  type PlacementCandidate,
  type PlannedVolume,
  type RegisterImageRequest,
  type SeedImage,
  type SnapshotAndReplacePlan,
  TAG,
  type Tags,
} from '@understudy/shared';
import { endedForKeyPair } from './ended-for.ts';
import { baseFor, diskMembersOf } from './fidelity/carried.ts';
import { addressWanted } from './predecessor.ts';
import { canonical, limitTags, MAX_TAGS, tagSpecification } from './launch-tags.ts';
import { launchVolumeTags } from './volume-tags.ts';

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
  /**
   * The image that the recovery made from the root snapshot. Its only block device mapping is the
   * root.
   */
  readonly imageId: string;
  /**
   * Old volume id → snapshot id. Every data volume of the plan must be there; of a plan with a
   * seed, those that come with the launch.
   */
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
  const { seed } = intent.plan;
  const request = {
    ...baseFor(intent.plan.launchBase, candidate),
    // A seed is not the member: it is told nothing of what the member is told.
    ...(seed && { UserData: undefined }),
    MinCount: 1,
    MaxCount: 1,
    ClientToken: clientTokenOf(intent.oldInstanceId, 'launch', attempt, intent.ordinal),
    ImageId: input.imageId,
    InstanceType: candidate.instanceType,
    NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: input.networkInterfaceId }],
    BlockDeviceMappings: seed ? seedMappings(seed, input) : mappingsOf(intent.plan.volumes, input),
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
 * The plan without the name of its key pair, once EC2 has refused a launch because that is gone:
 * its public key is on the root disk. Decided before the request of an attempt is frozen.
 */
export function withoutGoneKeyPair(plan: LaunchPlan, ended: readonly { readonly text: string }[]): LaunchPlan {
  if (!ended.some(({ text }) => endedForKeyPair(text))) return plan;
  const { KeyName: _gone, ...launchBase } = plan.launchBase;
  return { ...plan, launchBase };
}

/**
 * CreateNetworkInterface of the permit of attempt n. Deleting the permit makes a late launch of
 * this attempt impossible.
 */
export function buildPermitRequest(input: {
  readonly intent: RequestIntent<LaunchPlan>;
  readonly attempt: number;
  readonly candidate: PlacementCandidate;
}): CreateNetworkInterfaceRequest {
  const { intent, attempt, candidate } = input;
  const address = addressWanted(intent.plan);
  return {
    clientToken: clientTokenOf(intent.oldInstanceId, 'permit', attempt, intent.ordinal),
    subnetId: candidate.subnetId,
    groupIds: intent.plan.securityGroupIds,
    ...(address !== null && { privateIp: address }),
    ...permitOptionsOf(intent.plan, candidate),
    description: `understudy ${intent.member} ${intent.opId} attempt ${attempt}`.slice(0, 255),
    tags: limitTags(
      { ...intent.plan.policy.recover.tags, ...intent.plan.networkInterfaceTags, ...effectTags(intent, attempt) },
      MAX_TAGS,
      intent.plan.policy.recover.tags,
    ),
  };
}

/** What only its creation can give an interface. Other instance types may refuse its type. */
const permitOptionsOf = (
  { interfaceType, connectionTracking, launchBase }: LaunchPlan,
  { instanceType }: PlacementCandidate,
): Pick<CreateNetworkInterfaceRequest, 'interfaceType' | 'connectionTracking'> => ({
  ...(interfaceType !== undefined && launchBase.InstanceType === instanceType && { interfaceType }),
  ...(connectionTracking && { connectionTracking }),
});

/**
 * Name of the image. AMI names are unique per account and Region, so the name makes RegisterImage
 * idempotent.
 */
export const imageNameOf = (opId: string): string => `understudy-${opId}`;

/**
 * RegisterImage of the recovery. It makes one image with the root volume only. Data volumes are
 * mapped at launch.
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

const effectTags = (intent: RequestIntent<LaunchPlan>, attempt: number): Tags => ({
  [TAG.op]: intent.opId,
  [TAG.attempt]: String(attempt),
});

/**
 * **S** (S31) The seed of this attempt is launched while the member may be well: with the group,
 * which rights go by, and without what makes an instance a member, or lets others take it for one.
 */
export const isInQuarantine = ({ seed }: Pick<LaunchPlan, 'seed'>, attempt: number): boolean =>
  seed?.inQuarantine === true && attempt === 1;

/** What a seed in quarantine is to carry before it is started as the member. */
export const memberTagsOf = (intent: RequestIntent<LaunchPlan>): Tags => {
  const { seed: _, ...plan } = intent.plan;
  const wanted = plan.policy.recover.tags;
  return limitTags(instanceTagsOf({ ...intent, plan }, 1), MAX_TAGS - 1, wanted);
};

/**
 * The replacement carries its member tags from birth, as its predecessor had them: enrolment takes
 * an instance with the op tag of an open intent for that recovery's replacement, not for a rival.
 */
function instanceTagsOf(intent: RequestIntent<LaunchPlan>, attempt: number): Tags {
  const { group, name } = parseMemberId(intent.member);
  if (isInQuarantine(intent.plan, attempt))
    return {
      ...intent.plan.policy.recover.tags,
      [TAG.group]: group,
      [TAG.preparedFor]: intent.member,
      ...effectTags(intent, attempt),
    };
  const member = { [TAG.group]: group, [TAG.member]: name };
  const { firstImageId, instanceTags, policy } = intent.plan;
  const line = firstImageId === undefined ? {} : { [TAG.seedImage]: firstImageId };
  return { ...policy.recover.tags, ...member, ...instanceTags, ...line, ...effectTags(intent, attempt) };
}

const mappingsOf = (volumes: readonly PlannedVolume[], { snapshotIdsByVolume }: LaunchInput): readonly object[] =>
  volumes.map((volume) => mappingOf(volume, snapshotIdsByVolume));

/**
 * A root of its own, which goes with it, and the disks that come from snapshots. What the image
 * would bring beside is kept away: it would take the place of a disk that is attached later.
 */
function seedMappings(seed: SeedImage, input: LaunchInput): readonly object[] {
  const { plan } = input.intent;
  const made = plan.volumes.filter(({ volumeId }) => input.snapshotIdsByVolume[volumeId] !== undefined);
  const kept = new Set(made.map((volume) => volume.deviceName));
  const without = seed.otherDeviceNames.filter((deviceName) => !kept.has(deviceName));
  return [
    { DeviceName: seed.rootDeviceName, Ebs: { DeleteOnTermination: true } },
    ...mappingsOf(made, input),
    ...without.map((DeviceName) => ({ DeviceName, NoDevice: '' })),
  ];
}

/**
 * One volume of the replacement.
 * - Root: no SnapshotId (EC2 refuses one on the root device); it comes from the image.
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
      ...diskMembersOf(volume),
      DeleteOnTermination: true,
    },
  };
}
