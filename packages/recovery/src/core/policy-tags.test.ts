import { GroupPolicySchema } from '@understudy/shared';
import { policyWith } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { buildImageRequest, buildLaunchRequest, buildPermitRequest } from './launch-request.ts';
import { instanceFixture, planFixture, requestIntentFixture, volumeFixture } from './plan.fixture.ts';
import { ownVolumeTags } from './volume-tags.ts';

const tags = { CostCenter: '7', team: 'sre' };
const manyTags = Object.fromEntries(Array.from({ length: 48 }, (_, i) => [`a${i}`, 'v']));
const candidate = { subnetId: 'subnet-a', az: 'us-east-1a', instanceType: 'm7i.large' };

function launchTags(plan: ReturnType<typeof planFixture>): Record<string, Record<string, string>> {
  const request = buildLaunchRequest({
    intent: requestIntentFixture(plan),
    attempt: 1,
    candidate,
    networkInterfaceId: 'eni-1',
    imageId: 'ami-1',
    snapshotIdsByVolume: { 'vol-data': 'snap-1' },
  });
  const specifications = request.TagSpecifications as {
    ResourceType: string;
    Tags: { Key: string; Value: string }[];
  }[];
  return Object.fromEntries(
    specifications.map((one) => [one.ResourceType, Object.fromEntries(one.Tags.map((tag) => [tag.Key, tag.Value]))]),
  );
}

describe("the policy's tags", () => {
  it('are on image, permit, instance and volumes; a tag of its own goes before them', () => {
    const plan = planFixture({}, policyWith({ recover: { tags } }));
    const intent = requestIntentFixture(plan);
    expect(buildImageRequest({ intent, rootSnapshotId: 'snap-1' }).tags).toMatchObject(tags);
    expect(buildPermitRequest({ intent, candidate, attempt: 1 }).tags).toMatchObject({
      ...tags,
      Name: 'eni of db one',
    });
    expect(launchTags(plan)).toMatchObject({
      instance: { ...tags, Name: 'db one' },
      volume: { ...tags, Name: 'disk' },
    });
    const [, data] = ownVolumeTags(plan);
    expect(data).toEqual({ deviceName: '/dev/sdf', tags: { team: 'vol-data' } });
  });

  it('stay when a resource has more tags than EC2 takes; the plan says that others go', () => {
    const plan = planFixture({ instance: instanceFixture({ tags: manyTags }) }, policyWith({ recover: { tags } }));
    expect(Object.keys(launchTags(plan).instance ?? {})).toHaveLength(50);
    expect(launchTags(plan).instance).toMatchObject({ ...tags, 'understudy:op': expect.any(String) });
    expect(plan.losses.find((one) => one.code === 'TagsOverLimit')?.text).toContain('2 of the policy');
  });

  it('leave room for the tags of each volume, never more than 50 together', () => {
    const volumes = [
      volumeFixture({ volumeId: 'vol-root', tags: manyTags }),
      volumeFixture({ volumeId: 'vol-data', tags: { ...manyTags, a0: 'other' } }),
    ];
    const plan = planFixture({ volumes }, policyWith({ recover: { tags } }));
    const [root] = ownVolumeTags(plan);
    const atLaunch = Object.keys(launchTags(plan).volume ?? {});
    expect(new Set([...atLaunch, ...Object.keys(root?.tags ?? {})]).size).toBeLessThanOrEqual(50);
    expect(atLaunch).toEqual(expect.arrayContaining(['CostCenter', 'team']));
  });

  it.each([
    [{ 'aws:x': '1' }, /reserved for AWS/],
    [{ 'AWS:x': '1' }, /reserved for AWS/],
    [{ 'understudy:op': '1' }, /are ours/],
    [{ k: 'v'.repeat(256) }, /255/],
    [Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`k${i}`, ''])), /at most 20/],
  ])('%j are refused', (refused, words) => {
    expect(JSON.stringify(GroupPolicySchema.safeParse({ recover: { tags: refused } }).error?.issues)).toMatch(words);
  });
});
