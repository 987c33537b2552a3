import type { SeededInstance } from '@understudy/cloud-sim';
import { REGISTERED } from '@understudy/recovery/testing';
import { ActivationRecordSchema, parseRecord, serializeRecord, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkSafety } from './checks.ts';
import { disksOf, watchDisks } from './reattach-scene.ts';
import { KEYS, MEMBER, RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';

/** The image that a member began with is known through all its recoveries. */

type Way = 'snapshot-and-replace' | 'reattach';

const asInstance = (old: SeededInstance, instanceId: string): SeededInstance => ({ ...old, instanceId });

function started(options: RecoveryFixtureOptions = {}) {
  const all = { dataVolumes: 1, ...options };
  const scene = new RecoveryFixture(all);
  const first = scene.seedMember(undefined, all);
  return { scene, first };
}

/** The member fails and comes back this way. */
async function recoveredBy(scene: RecoveryFixture, old: SeededInstance, way: Way): Promise<SeededInstance> {
  scene.strategy = REGISTERED.strategies.find((one) => one.name === way) ?? null;
  scene.sim.crashInstance(old.instanceId);
  await scene.begin(old);
  expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  checkSafety(scene, old);
  return asInstance(old, scene.activation()?.instanceId ?? '');
}

const imageOf = (scene: RecoveryFixture, { instanceId }: SeededInstance): string | undefined =>
  scene.sim.core.region.instances.get(instanceId)?.imageId;

/** As retention does in the end. */
function withoutMadeImages(scene: RecoveryFixture): number {
  const { images } = scene.sim.core.region;
  const made = images.all().filter((one) => one.tags[TAG.op] !== undefined);
  for (const { id } of made) images.remove(id, scene.clock.monotonicMs());
  return made.length;
}

/** As if etcd had been lost, and the member enrolled again. */
function withoutRecord(scene: RecoveryFixture): void {
  const [entry] = scene.kv.entries(KEYS.activation(MEMBER));
  if (!entry) throw new Error('no activation');
  const { firstImageId: _, ...record } = parseRecord(ActivationRecordSchema, entry.key, entry.value);
  scene.kv.apply({ compare: [], writes: [{ kind: 'put', key: entry.key, value: serializeRecord(record) }] });
}

/** Somebody who may write tags. */
function tag(scene: RecoveryFixture, { instanceId }: SeededInstance, imageId: string): void {
  const { instances } = scene.sim.core.region;
  const tags = { ...instances.get(instanceId)?.tags, [TAG.seedImage]: imageId };
  instances.update(instanceId, { tags }, scene.clock.monotonicMs(), true);
}

/** An image that somebody of the same account has made. */
function ownImage(scene: RecoveryFixture): string {
  const { images } = scene.sim.core.region;
  const base = images.all().find((one) => one.isPublic);
  if (!base) throw new Error('no image');
  const own = { ...base, id: 'ami-00000000000000bad', name: 'made by somebody', isPublic: false };
  images.put(own, scene.clock.monotonicMs(), true);
  return own.id;
}

describe('a member that was replaced from snapshots', () => {
  test.each([
    ['is still there', () => 1],
    ['is gone', withoutMadeImages],
  ])('has its disks moved from then on, from the image it began with; its recovery’s image %s', async (_, end) => {
    const { scene, first } = started();
    const firstImage = imageOf(scene, first);
    const second = await recoveredBy(scene, first, 'snapshot-and-replace');
    expect(imageOf(scene, second)).not.toBe(firstImage);
    expect(scene.activation()?.firstImageId).toBe(firstImage);
    expect(end(scene)).toBe(1);
    const disks = disksOf(scene, second.instanceId);
    const watch = watchDisks(scene, second);
    const third = await recoveredBy(scene, second, 'reattach');
    expect([imageOf(scene, third), disksOf(scene, third.instanceId)]).toEqual([firstImage, disks]);
    const fourth = await recoveredBy(scene, third, 'reattach');
    expect([imageOf(scene, fourth), disksOf(scene, fourth.instanceId)]).toEqual([firstImage, disks]);
    expect(watch.faults).toEqual([]);
    const fifth = await recoveredBy(scene, fourth, 'snapshot-and-replace');
    const sixth = await recoveredBy(scene, fifth, 'snapshot-and-replace');
    const seventh = await recoveredBy(scene, sixth, 'reattach');
    expect(imageOf(scene, seventh)).toBe(firstImage);
    expect(scene.activation()?.firstImageId).toBe(firstImage);
    const tags = scene.sim.core.region.instances.get(seventh.instanceId)?.tags;
    expect(tags?.[TAG.seedImage]).toBe(firstImage);
  });

  test('and whose record was lost: a tag that names an image of Amazon is enough', async () => {
    const { scene, first } = started();
    const firstImage = imageOf(scene, first);
    const second = await recoveredBy(scene, first, 'snapshot-and-replace');
    withoutRecord(scene);
    const third = await recoveredBy(scene, second, 'reattach');
    expect(imageOf(scene, third)).toBe(firstImage);
    const own = scene.history().find((one) => one.newInstanceId === third.instanceId);
    expect(own?.strategy).toBe('reattach');
  });
});

describe('a forged tag', () => {
  test('that names an image of the own account launches nothing, until the policy names it', async () => {
    const { scene, first } = started();
    const second = await recoveredBy(scene, first, 'snapshot-and-replace');
    withoutRecord(scene);
    const forged = ownImage(scene);
    tag(scene, second, forged);
    await expect(recoveredBy(scene, second, 'reattach')).rejects.toThrow(/SeedImageUnproven.*recover\.seedImages/);
    expect(scene.sim.log.launches().filter((one) => one.instanceId !== second.instanceId)).toHaveLength(1);
    Object.assign(scene.policy.recover, { seedImages: [forged] });
    const third = await recoveredBy(scene, second, 'reattach');
    expect(imageOf(scene, third)).toBe(forged);
  });

  test('changes nothing where the record knows, and is overwritten', async () => {
    const { scene, first } = started();
    const firstImage = imageOf(scene, first);
    const second = await recoveredBy(scene, first, 'snapshot-and-replace');
    tag(scene, second, ownImage(scene));
    const third = await recoveredBy(scene, second, 'snapshot-and-replace');
    expect(scene.activation()?.firstImageId).toBe(firstImage);
    expect(scene.sim.core.region.instances.get(third.instanceId)?.tags[TAG.seedImage]).toBe(firstImage);
    expect(imageOf(scene, await recoveredBy(scene, third, 'reattach'))).toBe(firstImage);
  });
});
