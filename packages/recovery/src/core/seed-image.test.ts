import { type CloudImage, DEFAULT_POLICY, type GroupPolicy, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { instanceFixture, planFixture, planInputFixture, requestIntentFixture } from './plan.fixture.ts';
import { buildLaunchRequest } from './launch-request.ts';
import { claimedSeedImages, firstImageOf, seedImageOf } from './seed-image.ts';

const imageFixture = (imageId: string, change: Partial<CloudImage> = {}): CloudImage => ({
  ...{ imageId, name: `image ${imageId}`, state: 'available', ownerId: '111122223333' },
  ...{ rootSnapshotId: 'snap-1', rootDeviceName: '/dev/xvda', otherDeviceNames: ['/dev/sdz'] },
  ...{ bootMode: 'legacy-bios', enaSupport: true, tpmSupport: null, sriovNetSupport: null },
  ...{ virtualizationType: 'hvm', imdsSupport: null, architecture: 'x86_64', tags: {} },
  ...{ platformDetails: 'Linux/UNIX', ...change },
});

const OWN = instanceFixture().imageId;
const FIRST = 'ami-0f';
const MADE = { [TAG.op]: 'op-00000000000000aa' };
const named = (seedImages: string[]): GroupPolicy => ({
  ...DEFAULT_POLICY,
  recover: { ...DEFAULT_POLICY.recover, seedImages },
});

/** A member whose own image was made by the recovery that launched it. */
function replaced(change: {
  readonly own?: CloudImage | null;
  readonly recordedId?: string | null;
  readonly tag?: string;
  readonly images?: readonly CloudImage[];
}) {
  const { own = imageFixture(OWN, { tags: MADE }), recordedId = null, tag, images = [] } = change;
  const tags = { ...instanceFixture().tags, ...MADE, ...(tag !== undefined && { [TAG.seedImage]: tag }) };
  return planInputFixture({
    instance: instanceFixture({ tags }),
    image: own,
    seedClaims: { recordedId, images },
  });
}

describe('the image of a seed', () => {
  test('is the one EC2 says the instance was launched from, whatever else is named', () => {
    const input = replaced({ own: imageFixture(OWN), recordedId: FIRST, tag: 'ami-0e', images: [imageFixture(FIRST)] });
    expect(seedImageOf(input, named(['ami-0d']))).toEqual({
      ...{ imageId: OWN, rootDeviceName: '/dev/xvda', otherDeviceNames: ['/dev/sdz'] },
    });
  });

  test.each([
    ['was made by a recovery', imageFixture(OWN, { tags: MADE })],
    ['was made by a recovery, and lost its tag', imageFixture(OWN, { name: 'understudy-op-00000000000000aa' })],
    ['is gone', null],
    ['is disabled', imageFixture(OWN, { state: 'disabled' })],
  ])('is that of the first predecessor, by the record, where the own one %s', (_, own) => {
    const input = replaced({ own, recordedId: FIRST, images: [imageFixture(FIRST)] });
    expect(seedImageOf(input, DEFAULT_POLICY)).toMatchObject({ imageId: FIRST, namedBy: 'record' });
  });

  test('is the first of the policy that makes the same kind of machine, where nobody knows', () => {
    const images = [imageFixture('ami-0d', { architecture: 'arm64' }), imageFixture('ami-0e')];
    const input = replaced({ images });
    expect(seedImageOf(input, named(['ami-0c', 'ami-0d', 'ami-0e']))).toMatchObject({
      ...{ imageId: 'ami-0e', namedBy: 'policy' },
    });
  });

  test('is what a tag names only where it is vouched for by Amazon', () => {
    const amazons = [imageFixture(FIRST, { ownerAlias: 'amazon' })];
    expect(seedImageOf(replaced({ tag: FIRST, images: amazons }), DEFAULT_POLICY)).toMatchObject({
      ...{ imageId: FIRST, namedBy: 'tag' },
    });
  });

  test.each([
    ['of the own account', {}],
    ['of a stranger', { ownerId: '999900001111' }],
    ['from the marketplace', { ownerAlias: 'aws-marketplace' }],
  ])('is not what a tag names %s: its writer would choose what runs as the member', (_, change) => {
    const input = replaced({ tag: FIRST, images: [imageFixture(FIRST, change)] });
    const found = seedImageOf(input, DEFAULT_POLICY);
    expect(found).toMatchObject({ code: 'SeedImageUnproven' });
    expect(found).toMatchObject({ text: expect.stringMatching(/ami-0f, which the tag .* recover\.seedImages/) });
    expect(seedImageOf(input, named([FIRST]))).toMatchObject({ imageId: FIRST, namedBy: 'policy' });
    const recorded = replaced({ tag: FIRST, recordedId: FIRST, images: [imageFixture(FIRST, change)] });
    expect(seedImageOf(recorded, DEFAULT_POLICY)).toMatchObject({ imageId: FIRST, namedBy: 'record' });
  });

  test.each(['record', 'policy', 'tag'] as const)(
    'is never one that a recovery made of the disks of a member, by %s neither',
    (by) => {
      const images = [imageFixture(FIRST, { tags: MADE, ownerAlias: 'amazon' })];
      const input = replaced({
        images,
        ...(by === 'record' && { recordedId: FIRST }),
        ...(by === 'tag' && { tag: FIRST }),
      });
      expect(seedImageOf(input, named(by === 'policy' ? [FIRST] : []))).toMatchObject({ code: 'SeedImageIsMember' });
    },
  );

  test.each([
    ['is gone', [], 'SeedImageGone'],
    ['is disabled', [imageFixture(FIRST, { state: 'disabled' })], 'SeedImageGone'],
    ['is of another architecture', [imageFixture(FIRST, { architecture: 'arm64' })], 'SeedImageUnfit'],
    ['has another root device', [imageFixture(FIRST, { rootDeviceName: '/dev/sda1' })], 'SeedImageUnfit'],
    ['is billed otherwise', [imageFixture(FIRST, { platformDetails: 'Windows' })], 'SeedImageUnfit'],
  ])('is refused where the recorded one %s, with what ends that', (_, images, code) => {
    const found = seedImageOf(replaced({ recordedId: FIRST, images }), DEFAULT_POLICY);
    expect(found).toMatchObject({ code, text: expect.stringContaining('name in recover.seedImages') });
  });

  test('is asked of EC2 by each id once', () => {
    const tags = { [TAG.seedImage]: FIRST };
    expect(claimedSeedImages(FIRST, named(['ami-0d', FIRST]), tags)).toEqual([FIRST, 'ami-0d']);
    expect(claimedSeedImages(null, DEFAULT_POLICY, {})).toEqual([]);
  });
});

describe('the image that a line began with', () => {
  test('is what EC2 says of an instance that no recovery launched, also if it is gone', () => {
    expect(firstImageOf(planInputFixture({ image: imageFixture(OWN) }))).toBe(OWN);
    expect(firstImageOf(planInputFixture({ image: null }))).toBe(OWN);
  });

  test('is what the record says of one whose image a recovery made, or may have made', () => {
    expect(firstImageOf(replaced({ recordedId: FIRST }))).toBe(FIRST);
    expect(firstImageOf(replaced({ own: null, recordedId: FIRST }))).toBe(FIRST);
  });

  test('is never what a tag says', () => {
    expect(firstImageOf(replaced({ tag: FIRST, images: [imageFixture(FIRST)] }))).toBeNull();
    expect(firstImageOf(replaced({ own: null, tag: FIRST }))).toBeNull();
  });

  test('is on its replacement from birth, in place of what a tag said; and not on a seed in quarantine', () => {
    const tags = { ...instanceFixture().tags, [TAG.seedImage]: 'ami-0e' };
    const plan = planFixture({ instance: instanceFixture({ tags }), image: imageFixture(OWN) });
    const request = (seed: object) =>
      JSON.stringify(
        buildLaunchRequest({
          intent: { ...requestIntentFixture(), plan: { ...plan, ...seed } },
          ...{ attempt: 1, candidate: plan.candidates[0], networkInterfaceId: 'eni-1', imageId: 'ami-1' },
          snapshotIdsByVolume: { 'vol-data': 'snap-1' },
        } as never),
      );
    expect(request({})).toContain(`{"Key":"${TAG.seedImage}","Value":"${OWN}"}`);
    expect(request({})).not.toContain('ami-0e');
    const seed = { imageId: OWN, rootDeviceName: '/dev/xvda', otherDeviceNames: [], inQuarantine: true };
    expect(request({ seed })).not.toContain(TAG.seedImage);
  });
});
