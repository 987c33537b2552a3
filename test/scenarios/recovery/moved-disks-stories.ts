import { type SeededInstance, seedInstance } from '@understudy/cloud-sim';
import { DEFAULT_POLICY, TAG, type VolumesPolicy } from '@understudy/shared';
import { expect } from 'vitest';
import type { RecoveryFixture, RecoveryFixtureOptions } from './recovery-fixture.ts';
import type { Story } from './stories.ts';

/** Disks on the paths `copy` and `multi-attach`. */

export const options = (change: Partial<VolumesPolicy> = {}): RecoveryFixtureOptions => ({
  policy: { recover: { strategy: 'reattach', volumes: { ...DEFAULT_POLICY.recover.volumes, ...change } } },
});
/** As the simulator has it. */
type Disk = ReturnType<RecoveryFixture['sim']['core']['region']['volumes']['all']>[number];
const volumesOf = (scene: RecoveryFixture): readonly Disk[] => scene.sim.core.region.volumes.all();
export const diskAt = (scene: RecoveryFixture, instanceId: string, device: string): Disk | undefined =>
  volumesOf(scene).find((one) => one.attachments.some((at) => at.instanceId === instanceId && at.device === device));
export const DEVICES = ['/dev/xvda', '/dev/sdf'];
const opOf = (scene: RecoveryFixture) => scene.history()[0]?.opId ?? scene.intent().record.opId;
/** Volumes that were copied from another one, by the device of that. */
export const copiesOf = (scene: RecoveryFixture, old: SeededInstance, device: string): readonly Disk[] =>
  volumesOf(scene).filter((one) => one.sourceVolumeId === old.volumeIds[device]);

export const COPIED: Story = {
  options: options({ pin: { all: 'copy' } }),
  check: (scene, old, newInstanceId) => {
    for (const device of DEVICES) {
      const [copy, ...more] = copiesOf(scene, old, device);
      expect([more, diskAt(scene, newInstanceId, device)?.id], device).toEqual([[], copy?.id]);
      const original = scene.sim.core.region.volumes.get(old.volumeIds[device] ?? '');
      expect(copy, device).toMatchObject({
        volumeType: original?.volumeType,
        iops: original?.iops,
        throughput: original?.throughput,
        sizeGiB: original?.sizeGiB,
      });
      expect(copy?.tags[TAG.op]).toBe(opOf(scene));
      expect(original?.attachments.map((one) => one.instanceId)).toEqual([old.instanceId]);
    }
    expect(scene.history()[0]?.leftovers.filter((one) => one.kind === 'volume-copy')).toEqual([]);
  },
};

/** A further volume, shared with a neighbour that goes on writing to it. */
const who = { neighbour: '', shared: '' };
/** The shared volume of the story that was staged last. */
export const sharedVolumeId = (): string => who.shared;
async function shareVolume(scene: RecoveryFixture, old: SeededInstance): Promise<void> {
  const { region } = scene.sim.core;
  const az = region.instances.get(old.instanceId)?.az;
  const made = scene.sim.seed('CreateVolume', {
    ...{ AvailabilityZone: az, Size: 10, VolumeType: 'io2', Iops: 1_000, MultiAttachEnabled: true },
    TagSpecifications: [{ ResourceType: 'volume', Tags: [{ Key: 'Name', Value: 'shared' }] }],
  });
  who.shared = (made as { readonly VolumeId: string }).VolumeId;
  who.neighbour = seedInstance(scene.sim, az === undefined ? {} : { az }).instanceId;
  for (const InstanceId of [old.instanceId, who.neighbour])
    scene.sim.seed('AttachVolume', { VolumeId: who.shared, InstanceId, Device: '/dev/sdg' });
  await scene.clock.advance(60_000);
  for (const kind of scene.resources()) for (const one of kind) scene.seededIds.add(one.id);
}
const holdersOf = (scene: RecoveryFixture) =>
  scene.sim.core.region.volumes.get(who.shared)?.attachments.map((one) => one.instanceId) ?? [];

export const SHARED: Story = {
  options: options(),
  prepare: shareVolume,
  check: (scene, _old, newInstanceId) => {
    expect(holdersOf(scene).toSorted()).toEqual([who.neighbour, newInstanceId].toSorted());
    expect(diskAt(scene, newInstanceId, '/dev/sdg')?.id).toBe(who.shared);
    expect(volumesOf(scene).filter((one) => one.sourceVolumeId === who.shared)).toEqual([]);
    expect(scene.sim.core.region.snapshots.all().filter((one) => one.volumeId === who.shared)).toEqual([]);
  },
};
