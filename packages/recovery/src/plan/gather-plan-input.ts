import {
  type Cloud,
  type CloudCallOptions,
  type CloudImage,
  type CloudInstance,
  type CloudSnapshot,
  type GroupPolicy,
  hasCode,
  OperationError,
} from '@understudy/shared';
import { isBurstable } from '../core/fidelity/compute.ts';
import { NOT_TRIED } from '../core/launch-trial.ts';
import { type PlacingPolicy, subnetsNamed } from '../core/placement.ts';
import type { PlanInput } from '../core/plan-input.ts';
import { claimedSeedImages } from '../core/seed-image.ts';
import { gatherReferences, gatherReservations, gatherTypeFacts, type ReferenceSources } from './gather-references.ts';
import type { KeyLooks } from './key-looks.ts';
import type { NameLooks } from './name-looks.ts';
import { readFirstBoot } from './read-first-boot.ts';

/** What the reading of a plan depends on. */
export interface PlanPolicy {
  readonly recover: PlacingPolicy['recover'] & Partial<Pick<GroupPolicy['recover'], 'volumes' | 'seedImages'>>;
  readonly identity?: GroupPolicy['identity'];
}

export interface PlanReads extends CloudCallOptions {
  /** Where the keys of volumes are asked about; absent: nowhere. */
  readonly keyLooks?: KeyLooks;
  /** Where is looked at what names members in DNS and load balancers; absent: nowhere. */
  readonly nameLooks?: NameLooks;
  /** The image that the machines of the member began with, as its activation has it. */
  readonly firstImageId?: string | undefined;
  /** Absent: how old a snapshot is will not be known. */
  readonly wallMs?: () => number;
}

/**
 * Reads everything a plan needs of the failed instance. Reads only, so safe to repeat at any time;
 * made before the intent.
 * @throws CLOUD_NOT_FOUND when EC2 does not show the instance, and whatever the reads throw.
 */
export async function gatherPlanInput(
  cloud: Cloud,
  instanceId: string,
  policy: PlanPolicy,
  { keyLooks, nameLooks, wallMs, firstImageId, ...options }: PlanReads = {},
): Promise<PlanInput> {
  const readAtWallMs = wallMs?.() ?? null;
  const [instance] = await cloud.describeInstances({ 'instance-id': [instanceId] }, options);
  if (!instance) throw new OperationError('CLOUD_NOT_FOUND', `EC2 shows no instance ${instanceId}`);
  const interfaceIds = instance.networkInterfaces.map((attachment) => attachment.networkInterfaceId);
  const acceptsLoss = (policy.recover.volumes?.maxDataLossMs ?? null) !== null;
  const volumeIds = instance.volumes.map((attachment) => attachment.volumeId);
  const claimed = claimedSeedImages(firstImageId ?? null, policy, instance.tags);
  const [volumes, snapshots, impaired, images, addresses, networkInterfaces, subnets, userData, protection] =
    await Promise.all([
      cloud.describeVolumes({ 'volume-id': volumeIds }, options),
      snapshotsOf(cloud, volumeIds, options),
      acceptsLoss ? impairedOf(cloud, volumeIds, options) : [],
      imagesOf(cloud, [instance.imageId, ...claimed], options),
      cloud.describeAddresses({ 'network-interface-id': interfaceIds }, options),
      cloud.describeNetworkInterfaces({ 'network-interface-id': interfaceIds }, options),
      cloud.describeSubnets({ 'subnet-id': subnetIdsOf(instance, policy) }, options),
      cloud.describeUserData(instanceId, options),
      cloud.describeProtection(instanceId, options),
    ]);
  const extras = await extrasOf(cloud, { instance, volumes, keyLooks }, policy, options);
  const namedBy = nameLooks && policy.identity && (await nameLooks.look(policy.identity, isNew(instance, wallMs)));
  const firstBoot = readFirstBoot(userData);
  return {
    instance,
    volumes,
    snapshots,
    impairedVolumeIds: new Set(impaired),
    readAtWallMs,
    image: images.find((one) => one.imageId === instance.imageId) ?? null,
    seedClaims: { recordedId: firstImageId ?? null, images },
    addresses,
    networkInterfaces,
    subnets,
    userData,
    firstBoot,
    protection,
    trial: NOT_TRIED,
    ...extras,
    ...(namedBy && { namedBy }),
  };
}

/** Longer than what a recovery does after its launch, and than looks at names are kept. */
const NEW_FOR_MS = 1_800_000;

/** **S** (S12) What led to its predecessor leads to it by now, or is about to. */
const isNew = ({ launchedAtWallMs }: CloudInstance, wallMs?: () => number): boolean =>
  wallMs !== undefined && Math.abs(wallMs() - launchedAtWallMs) < NEW_FOR_MS;

function subnetIdsOf(instance: CloudInstance, policy: PlacingPolicy): string[] {
  const own = instance.networkInterfaces.map((attachment) => attachment.subnetId);
  const ids = [...own, instance.subnetId, ...subnetsNamed(policy)];
  return [...new Set(ids.flatMap((id) => (id === null || id === '' ? [] : id)))];
}

/** A name that is no image id would make EC2 refuse the question about all of them. */
const IMAGE_ID = /^ami-[0-9a-z]{1,32}$/;

/** Those that EC2 shows. */
async function imagesOf(
  cloud: Cloud,
  imageIds: readonly string[],
  options: CloudCallOptions,
): Promise<readonly CloudImage[]> {
  const ids = [...new Set(imageIds)].filter((id) => IMAGE_ID.test(id));
  return ids.length === 0 ? [] : await cloud.describeImages({ 'image-id': ids }, options);
}

/** Asked only where something follows from it. */
const impairedOf = async (
  cloud: Cloud,
  volumeIds: readonly string[],
  options: CloudCallOptions,
): Promise<readonly string[]> => (await unlessRefused(cloud.describeImpairedVolumes(volumeIds, options))) ?? [];

/** What a recovery can do without: then none is known. */
const snapshotsOf = async (
  cloud: Cloud,
  volumeIds: readonly string[],
  options: CloudCallOptions,
): Promise<readonly CloudSnapshot[]> =>
  volumeIds.length === 0
    ? []
    : ((await unlessRefused(cloud.describeSnapshots({ 'volume-id': volumeIds }, options))) ?? []);

/**
 * Details a recovery can do without: a refused question is answered with null, and the plan says
 * so.
 */
async function extrasOf(
  cloud: Cloud,
  named: ReferenceSources,
  policy: PlacingPolicy,
  options: CloudCallOptions,
): Promise<Pick<PlanInput, 'shutdownBehavior' | 'cpuCredits' | 'typeFacts' | 'references' | 'reservations'>> {
  const { instance } = named;
  const [shutdownBehavior, cpuCredits, typeFacts, references, reservations] = await Promise.all([
    unlessRefused(cloud.describeShutdownBehavior(instance.instanceId, options)),
    isBurstable(instance.instanceType) ? unlessRefused(cloud.describeCpuCredits(instance.instanceId, options)) : null,
    gatherTypeFacts(cloud, instance.instanceType, policy, options),
    gatherReferences(cloud, named, options),
    gatherReservations(cloud, policy, options),
  ]);
  return { shutdownBehavior, cpuCredits, typeFacts, references, reservations };
}

async function unlessRefused<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (hasCode(error, 'CLOUD_REJECTED') || hasCode(error, 'CLOUD_DENIED')) return null;
    throw error;
  }
}
