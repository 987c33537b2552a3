import {
  type CloudImage,
  type CloudInstance,
  type GroupPolicy,
  type SeedImage,
  TAG,
  type Tags,
  textOf,
} from '@understudy/shared';
import type { Finding } from './finding.ts';
import type { PlanInput } from './plan-input.ts';

type Known = Pick<PlanInput, 'image' | 'instance' | 'seedClaims'>;
type SeedPolicy = { readonly recover: Pick<GroupPolicy['recover'], 'seedImages'> };

/** Who says that a seed may be launched from an image: EC2, our record, the policy, or a tag. */
interface Claim {
  readonly imageId: string;
  readonly image: CloudImage | null;
  readonly by: 'ec2' | NonNullable<SeedImage['namedBy']>;
}

/** What each of them says of its image. */
const SAYS: Readonly<Record<Claim['by'], (instanceId: string) => string>> = {
  ec2: (instanceId) => `which ${instanceId} was launched from`,
  record: (instanceId) => `which the first predecessor of ${instanceId} was launched from`,
  policy: () => 'which recover.seedImages names',
  tag: (instanceId) => `which the tag ${TAG.seedImage} of ${instanceId} names`,
};

/** The ids that somebody names beside EC2, as far as they can be read. */
export const claimedSeedImages = (recordedId: string | null, policy: SeedPolicy, tags: Tags): readonly string[] => [
  ...new Set([recordedId, ...(policy.recover.seedImages ?? []), tags[TAG.seedImage]].flatMap((id) => id ?? [])),
];

/** The trusted ones first. The last one is what anybody may say who may write tags. */
function claimsOf({ image, instance, seedClaims }: Known, policy: SeedPolicy): readonly Claim[] {
  const { recordedId = null, images = [] } = seedClaims ?? {};
  const claimOf = (imageId: string, by: Claim['by']): Claim => ({
    ...{ imageId, by },
    image: images.find((one) => one.imageId === imageId) ?? null,
  });
  const tagged = instance.tags[TAG.seedImage];
  const claims = [
    ...(recordedId === null ? [] : [claimOf(recordedId, 'record')]),
    ...(policy.recover.seedImages ?? []).map((imageId) => claimOf(imageId, 'policy')),
    ...(tagged === undefined ? [] : [claimOf(tagged, 'tag')]),
  ];
  const own: Claim = { imageId: instance.imageId, image, by: 'ec2' };
  const known = new Set([own.imageId]);
  return [own, ...claims.filter(({ imageId }) => !known.has(imageId) && known.add(imageId))];
}

/**
 * The image a seed is launched from: the one the member was launched from, or the first of its
 * predecessors, as long as it is there and makes a machine that can boot the member's root. The
 * disks of the seed are thrown away, so only what belongs to the machine has to be alike. Pure.
 */
export function seedImageOf(input: Known, policy: SeedPolicy): SeedImage | Finding {
  const looked = claimsOf(input, policy).map((claim) => ({ claim, found: usable(claim, input.instance) }));
  for (const { claim, found } of looked) {
    if ('code' in found) continue;
    return claim.by === 'ec2' ? found : { ...found, namedBy: claim.by };
  }
  const refusals = looked.flatMap(({ found }) => ('code' in found ? [found] : []));
  const texts = refusals.map(({ text }) => text).join('; ');
  return {
    code: (refusals[1] ?? refusals[0])?.code ?? 'SeedImageGone',
    text: `${texts}: its disks cannot be put on a new instance. To end this, name in recover.seedImages the image that the member was made from`,
  };
}

/** By its tag, or by its name: a tag may be taken off, and a name stays. */
const isOurs = ({ tags, name }: CloudImage): boolean =>
  tags[TAG.op] !== undefined || /^understudy-op-[0-9a-f]{16}$/.test(name);

function usable({ imageId, image, by }: Claim, instance: CloudInstance): SeedImage | Finding {
  const named = `${imageId}, ${SAYS[by](instance.instanceId)}`;
  if (image === null || image.state !== 'available') {
    const text = `${named}, is ${image === null ? 'not there any more' : image.state}`;
    return { code: 'SeedImageGone', text };
  }
  if (isOurs(image)) {
    const text = `${named}, was made by a recovery of the disks of a member: a seed of it would boot as that`;
    return { code: 'SeedImageIsMember', text };
  }
  // **S** (S27) A seed boots with the rights of the member. Whoever may write a tag must not choose
  // what runs with them, so a mere tag names nothing but what nobody of this account has made.
  if (by === 'tag' && image.ownerAlias !== 'amazon') {
    const text = `${named}, belongs to ${image.ownerId ?? 'nobody EC2 names'}, and anybody who may tag may write that`;
    return { code: 'SeedImageUnproven', text };
  }
  const { rootDeviceName, otherDeviceNames } = image;
  const unlike = differences(image, instance);
  if (rootDeviceName === null || unlike.length > 0) {
    const text = `${named}, makes another machine (${unlike.join(', ')})`;
    return { code: 'SeedImageUnfit', text };
  }
  return { imageId, rootDeviceName, otherDeviceNames: [...otherDeviceNames] };
}

/** Where EC2 does not say one of the two, they are taken for alike. */
function differences(image: CloudImage, instance: CloudInstance): readonly string[] {
  const pairs: readonly (readonly [string, string | null, string | null])[] = [
    ['root device', image.rootDeviceName, instance.rootDeviceName],
    ['architecture', image.architecture, instance.architecture],
    ['boot mode', image.bootMode, textOf(instance.raw.BootMode)],
    ['virtualization type', image.virtualizationType, textOf(instance.raw.VirtualizationType)],
    ['TPM', image.tpmSupport, textOf(instance.raw.TpmSupport)],
    ['platform', image.platformDetails ?? null, textOf(instance.raw.PlatformDetails)],
  ];
  return pairs.flatMap(([what, one, other]) =>
    one === null || other === null || one === other ? [] : [`${what} ${one}, not ${other}`],
  );
}

/**
 * The image that the machines of the member began with, for the tag and the record of its
 * replacement: the one EC2 says, where no recovery made it, or what the record of the predecessor
 * says. A tag is nobody's word, and gets into no record. Null: not known. Pure.
 */
export function firstImageOf({ image, instance, seedClaims }: Known): string | null {
  // What is gone may have been made by the recovery that launched the instance.
  const wasMade = image === null ? instance.tags[TAG.op] !== undefined : isOurs(image);
  if (!wasMade && instance.imageId !== '') return instance.imageId;
  return seedClaims?.recordedId ?? null;
}
