import { type Cloud, type CloudInstance, OperationError, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { listClaimants } from './list-claimants.ts';

const signal = new AbortController().signal;
const unavailable = new OperationError('CLOUD_UNAVAILABLE', 'DescribeInstances: Unavailable');

/**
 * Instances by zone; a zone in `lost` fails whoever asks for it. `i-new…` are of a zone we do not
 * know.
 */
function cloudOf(zones: Readonly<Record<string, readonly string[]>>, lost: readonly string[]) {
  const asked: (readonly string[])[] = [];
  const all = Object.entries(zones).flatMap(([az, ids]) => ids.map((instanceId) => ({ instanceId, az })));
  const cloud = {
    describeInstances: async (filters: Record<string, readonly string[]>) => {
      const ids = filters['instance-id'] ?? all.map((one) => one.instanceId);
      asked.push(ids);
      const found = all.filter((one) => ids.includes(one.instanceId));
      if (found.some((one) => lost.includes(one.az))) throw unavailable;
      return found as unknown as CloudInstance[];
    },
    describeInstanceTags: async () => [
      ...all.map(({ instanceId }) => ({ instanceId, tags: { [TAG.group]: 'db' } })),
      { instanceId: 'i-volume-of-ours', tags: { [TAG.op]: 'op-1' } },
    ],
  } as unknown as Cloud;
  const zoneOf = (instanceId: string) =>
    instanceId.startsWith('i-new') ? null : (all.find((one) => one.instanceId === instanceId)?.az ?? null);
  return { asked, list: () => listClaimants({ cloud, zoneOf, signal }) };
}

describe('listing who claims to be a member', () => {
  test('one call while every zone answers', async () => {
    const { list, asked } = cloudOf({ a: ['i-1'], b: ['i-2'] }, []);
    expect((await list()).instances).toHaveLength(2);
    expect(asked).toHaveLength(1);
  });

  test('zone by zone while one does not; strangers one by one, and nobody without our group tag', async () => {
    const { list, asked } = cloudOf({ a: ['i-1', 'i-2', 'i-new1'], b: ['i-3', 'i-new2'] }, ['b']);
    const { instances, unseen } = await list();
    expect(instances.map((one) => one.instanceId)).toEqual(['i-1', 'i-2', 'i-new1']);
    expect(unseen.map((one) => one.instanceId).sort()).toEqual(['i-3', 'i-new2']);
    expect(asked.slice(1)).toEqual([['i-1', 'i-2'], ['i-3'], ['i-new1'], ['i-new2']]);
  });

  test('more strangers than may be asked about are unseen, not forgotten', async () => {
    const strangers = Array.from({ length: 60 }, (_, i) => `i-new${i}`);
    const { list, asked } = cloudOf({ a: ['i-1', ...strangers], b: ['i-2'] }, ['b']);
    const { instances, unseen } = await list();
    expect([instances.length, unseen.length, asked.length]).toEqual([51, 11, 53]);
  });

  test('nothing can be read anywhere: that is EC2, not a zone', async () => {
    await expect(cloudOf({ a: ['i-1'], b: ['i-2'] }, ['a', 'b']).list()).rejects.toBe(unavailable);
  });
});
