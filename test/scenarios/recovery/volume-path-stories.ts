import type { SeededInstance } from '@understudy/cloud-sim';
import { DEFAULT_POLICY, type VolumesPolicy } from '@understudy/shared';
import { expect } from 'vitest';
import type { RecoveryFixture } from './recovery-fixture.ts';
import type { Story } from './stories.ts';

export const HOUR_MS = 3_600_000;
export const volumesPolicy = (change: Partial<VolumesPolicy>) => ({
  policy: { recover: { volumes: { ...DEFAULT_POLICY.recover.volumes, ...change } } },
});
export const dataOf = (old: SeededInstance): string => old.volumeIds['/dev/sdf'] ?? '';
type Disk = ReturnType<RecoveryFixture['sim']['core']['region']['volumes']['all']>[number];
const disksOf = (scene: RecoveryFixture, instanceId: string): readonly Disk[] =>
  scene.sim.core.region.volumes.all().filter((one) => one.attachments.some((at) => at.instanceId === instanceId));
export const stepsOf = (scene: RecoveryFixture) => scene.history()[0]?.steps.map((one) => one.step) ?? [];
export const lossesOf = (scene: RecoveryFixture) => scene.history()[0]?.losses?.map((one) => one.code) ?? [];

/** A backup of all disks, an hour before the data volume fails. */
async function backupThenFailure(scene: RecoveryFixture, old: SeededInstance): Promise<void> {
  scene.sim.seed('CreateSnapshots', { InstanceSpecification: { InstanceId: old.instanceId } });
  for (const kind of scene.resources()) for (const one of kind) scene.seededIds.add(one.id);
  await scene.clock.advance(HOUR_MS);
  const { region } = scene.sim.core;
  region.volumes.update(dataOf(old), { state: 'error' }, region.nowMs, true);
}

export const LATEST: Story = {
  options: volumesPolicy({ maxDataLossMs: 2 * HOUR_MS }),
  prepare: backupThenFailure,
  check: (scene, old, newInstanceId) => {
    const disks = disksOf(scene, newInstanceId);
    expect(disks).toHaveLength(2);
    for (const { snapshotId, attachments } of disks) {
      const device = attachments[0]?.device ?? '';
      const { snapshots } = scene.sim.core.region;
      // The root comes with an image of it.
      expect(snapshots.get(snapshotId ?? '')?.volumeId, device).toBe(old.volumeIds[device]);
      expect(scene.seededIds.has(snapshotId ?? ''), device).toBe(true);
    }
    expect(stepsOf(scene)).not.toContain('capture');
    expect(lossesOf(scene)).toEqual(['WritesSinceSnapshotLost', 'WritesSinceSnapshotLost']);
  },
};

export const ratesOf = (scene: RecoveryFixture, instanceId: string) =>
  disksOf(scene, instanceId).map((one) => one.initialization?.rateMiBps);

export const RATE: Story = { options: volumesPolicy({ initializationRateMiBps: 200 }), check: () => undefined };

export const REFUSED_RATE: Story = {
  ...RATE,
  prepare: async (scene) => scene.sim.setQuotas({ initializationMiBps: 100 }),
  check: (scene, _old, newInstanceId) => {
    expect(ratesOf(scene, newInstanceId)).toEqual([null, null]);
    expect(lossesOf(scene)).toEqual(['InitializationRateRefused']);
    expect(stepsOf(scene)).toContain('launch-2');
  },
};
