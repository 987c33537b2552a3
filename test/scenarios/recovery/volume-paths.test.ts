import type { SeededInstance } from '@understudy/cloud-sim';
import { DEFAULT_POLICY, type VolumesPolicy } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkFinished } from './checks.ts';
import type { RecoveryFixture } from './recovery-fixture.ts';
import { killedAt, stage, type Story } from './stories.ts';

const HOUR_MS = 3_600_000;
const volumesPolicy = (change: Partial<VolumesPolicy>) => ({
  policy: { recover: { volumes: { ...DEFAULT_POLICY.recover.volumes, ...change } } },
});
const dataOf = (old: SeededInstance): string => old.volumeIds['/dev/sdf'] ?? '';
const disksOf = (scene: RecoveryFixture, instanceId: string) =>
  scene.sim.core.region.volumes.all().filter((one) => one.attachments.some((at) => at.instanceId === instanceId));
const stepsOf = (scene: RecoveryFixture) => scene.history()[0]?.steps.map((one) => one.step) ?? [];
const lossesOf = (scene: RecoveryFixture) => scene.history()[0]?.losses?.map((one) => one.code) ?? [];

/** A backup of all disks, an hour before the data volume fails. */
async function backupThenFailure(scene: RecoveryFixture, old: SeededInstance): Promise<void> {
  scene.sim.seed('CreateSnapshots', { InstanceSpecification: { InstanceId: old.instanceId } });
  for (const kind of scene.resources()) for (const one of kind) scene.seededIds.add(one.id);
  await scene.clock.advance(HOUR_MS);
  const { region } = scene.sim.core;
  region.volumes.update(dataOf(old), { state: 'error' }, region.nowMs, true);
}

const LATEST: Story = {
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

describe('a disk that cannot be reached', () => {
  test('comes back as the latest snapshot of all disks has it, wherever the leader is killed', {
    timeout: 120_000,
  }, async () => {
    const cases = await killedAt(LATEST, ['call', 'commit'], ['fence', 'image', 'launch-1', 'activate', 'history']);
    expect(cases).toBeGreaterThanOrEqual(50);
  });

  test('the plan says so before: which snapshot, of when, and that what was written since is lost', async () => {
    const { scene, old } = await stage(LATEST);
    const { plan } = scene.intent().record;
    const data = plan.volumes.find((one) => one.volumeId === dataOf(old));
    expect(data).toMatchObject({
      path: 'latest-snapshot',
      choice: { reason: 'EC2 says that it is in state error' },
    });
    const taken = new Date(data?.from?.takenAtWallMs ?? 0).toISOString();
    expect(plan.losses).toContainEqual({
      code: 'WritesSinceSnapshotLost',
      text: `${dataOf(old)} (/dev/sdf) comes back as ${data?.from?.snapshotId} has it: what was written since ${taken} is lost`,
    });
  });

  test('snapshots that are not ours are never removed', async () => {
    const { scene, old } = await stage(LATEST);
    const leader = scene.lead();
    await scene.run(leader, scene.intent());
    checkFinished(scene, old);
    expect(scene.history()[0]?.leftovers.filter((one) => one.kind === 'snapshot')).toEqual([]);
  });

  test.each([
    ['accepts no loss', null],
    ['accepts less', HOUR_MS / 2],
  ])('a group that %s has no recovery of it', async (_, maxDataLossMs) => {
    await expect(stage({ ...LATEST, options: volumesPolicy({ maxDataLossMs }) })).rejects.toThrow(
      /no plan: .*VolumePathImpossible/,
    );
  });

  test('**S** the launch still waits for the fence', async () => {
    const { scene, old } = await stage(LATEST);
    scene.sim.addFault({ id: 'stuck', action: 'StopInstances', kind: 'stuck-stopping', delayMs: 900_000, times: 1 });
    const leader = scene.lead();
    expect(await scene.run(leader, scene.intent())).toBe('held');
    expect(scene.hold()?.reason).toBe('FenceNotProven');
    expect(scene.launchedFor(old.instanceId)).toEqual([]);
    const run = scene.leadRun(leader);
    await scene.clock.runUntilSettled(run);
    checkFinished(scene, old);
  });
});

describe('the rate at which disks are filled', () => {
  const story = (change: Partial<Story> = {}): Story => ({
    options: volumesPolicy({ initializationRateMiBps: 200 }),
    check: () => undefined,
    ...change,
  });
  const ratesOf = (scene: RecoveryFixture, instanceId: string) =>
    disksOf(scene, instanceId).map((one) => one.initialization?.rateMiBps);

  test('is asked for each disk', async () => {
    const { scene, old } = await stage(story());
    await scene.run(scene.lead(), scene.intent());
    expect(ratesOf(scene, checkFinished(scene, old))).toEqual([200, 200]);
    expect(lossesOf(scene)).toEqual([]);
  });

  test('is left out at once where EC2 refuses it, which is said', { timeout: 120_000 }, async () => {
    const refused = story({
      prepare: async (scene) => scene.sim.setQuotas({ initializationMiBps: 100 }),
      check: (scene, _old, newInstanceId) => {
        expect(ratesOf(scene, newInstanceId)).toEqual([null, null]);
        expect(lossesOf(scene)).toEqual(['InitializationRateRefused']);
        expect(stepsOf(scene)).toContain('launch-2');
      },
    });
    const cases = await killedAt(refused, ['call', 'commit'], ['launch-1', 'revoke-1', 'launch-2', 'history']);
    expect(cases).toBeGreaterThanOrEqual(75);
  });
});
