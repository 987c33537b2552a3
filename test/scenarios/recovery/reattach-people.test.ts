import type { MemberId } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkFinished } from './checks.ts';
import { AS_RUNG, checkDisks, disksOf, type ReattachStage, staged } from './reattach-scene.ts';
import { KEYS, MEMBER } from './recovery-fixture.ts';

const STRANGER: MemberId = 'db/stranger';

describe('a volume that somebody attaches to the seed', () => {
  async function withVolumeOnSeed(): Promise<{ readonly stage: ReattachStage; readonly volumeId: string }> {
    const stage = await staged();
    const { scene, old } = stage;
    const made = scene.sim.seed('CreateVolume', { AvailabilityZone: 'us-east-1a', Size: 5 });
    const volumeId = String(made['VolumeId']);
    scene.seededIds.add(volumeId);
    let isOn = false;
    scene.sim.onEvent((event) => {
      if (isOn || event.kind !== 'transition' || event.resourceKind !== 'instance') return;
      if (event.resourceId === old.instanceId || event.to !== 'stopped') return;
      isOn = true;
      scene.sim.seed('AttachVolume', { VolumeId: volumeId, InstanceId: event.resourceId, Device: '/dev/sdz' });
    });
    return { stage, volumeId };
  }

  test('is not taken off, marked or deleted: the recovery is held until it is off', async () => {
    const { stage, volumeId } = await withVolumeOnSeed();
    const { scene, old } = stage;
    expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
    expect(scene.hold()?.reason).toBe('VolumeNotFree');
    expect(scene.hold()?.text).toContain(volumeId);
    // It takes until tomorrow that somebody sees to it.
    await scene.clock.advance(86_400_000);
    expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
    const volume = scene.sim.core.region.volumes.get(volumeId);
    expect([volume?.attachments.length, volume?.tags]).toEqual([1, {}]);
    scene.sim.seed('DetachVolume', { VolumeId: volumeId });
    await scene.clock.advance(60_000);
    expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    checkDisks(stage, checkFinished(scene, old));
    expect(JSON.stringify(scene.history()[0]?.leftovers)).not.toContain(volumeId);
  });

  test('outlives an abandoned recovery', async () => {
    const { stage, volumeId } = await withVolumeOnSeed();
    const { scene, old } = stage;
    expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
    scene.ask('abandon');
    expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    checkDisks(stage, old.instanceId);
    await scene.clock.advance(3_600_000);
    expect(scene.sim.core.region.volumes.get(volumeId)?.state).toBe('available');
  });
});

describe('a person who abandons a reattach that is being given up for the next rung', () => {
  const failing = () => staged(AS_RUNG, (scene) => void scene.silent.add('*'));

  async function untilGivingBack({ scene }: ReattachStage, also: () => boolean = () => true) {
    const leader = scene.lead();
    const run = leader.engine.run(scene.intent(), leader.term);
    const { opId } = scene.intent().record;
    const isGivingBack = () => scene.kv.entries(KEYS.journalOf(opId)).some((one) => one.key.endsWith('/giveback'));
    for (let tries = 0; !(isGivingBack() && also()); tries += 1) {
      expect(tries, 'it is never given up').toBeLessThan(10_000);
      await scene.clock.advance(100);
    }
    return { leader, end: () => scene.clock.runUntilSettled(run), opId };
  }

  test('has it closed as abandoned, with the disks back: no next rung begins', async () => {
    const stage = await failing();
    const { scene, old } = stage;
    const { leader, end, opId } = await untilGivingBack(stage);
    scene.ask('abandon');
    leader.engine.interrupt(opId);
    await end();
    expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    expect(scene.history()).toMatchObject([{ outcome: 'abandoned', acts: [{ kind: 'abandon' }] }]);
    checkDisks(stage, old.instanceId);
  });

  test('ends it also where a disk cannot come back: the history says where it is', async () => {
    const stage = await failing();
    const { scene, old, disks } = stage;
    const volumeId = disks['/dev/sdf'] ?? '';
    const other = scene.seedMember(STRANGER);
    const isFree = () => scene.sim.core.region.volumes.get(volumeId)?.state === 'available';
    const { end } = await untilGivingBack(stage, isFree);
    scene.sim.seed('AttachVolume', { VolumeId: volumeId, InstanceId: other.instanceId, Device: '/dev/sdz' });
    expect(await end()).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'VolumeNotFree' });
    scene.ask('abandon');
    expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    const [ended] = scene.history();
    expect(ended?.outcome).toBe('abandoned');
    expect(ended?.leftAs?.join('; ')).toContain(`${volumeId} (/dev/sdf) is attached to ${other.instanceId}`);
    expect(Object.keys(disksOf(scene, old.instanceId)).toSorted()).toEqual(['/dev/sdg', '/dev/xvda']);
    expect(scene.kv.entries(KEYS.intent(MEMBER))).toEqual([]);
  });
});
