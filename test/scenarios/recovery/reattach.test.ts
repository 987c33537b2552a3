import type { SeededInstance } from '@understudy/cloud-sim';
import { describe, expect, test } from 'vitest';
import { checkCollected, checkFinished } from './checks.ts';
import { RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';

export const REATTACH: RecoveryFixtureOptions = { dataVolumes: 2, policy: { recover: { strategy: 'reattach' } } };

const disksOf = (scene: RecoveryFixture, instanceId: string) =>
  Object.fromEntries(
    scene.sim.core.region.volumes
      .all()
      .flatMap((volume) =>
        volume.attachments
          .filter((one) => one.instanceId === instanceId)
          .map((one) => [one.device, volume.id] as const),
      ),
  );

async function failed(options: RecoveryFixtureOptions = {}): Promise<{ scene: RecoveryFixture; old: SeededInstance }> {
  const scene = new RecoveryFixture({ ...REATTACH, ...options });
  const old = scene.seedMember(undefined, { ...REATTACH, ...options });
  scene.sim.crashInstance(old.instanceId);
  await scene.begin(old);
  return { scene, old };
}

describe('reattach', () => {
  test('the member comes back with its very disks, under their devices', async () => {
    const { scene, old } = await failed();
    const before = disksOf(scene, old.instanceId);
    const leader = scene.lead();
    expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    const newInstanceId = checkFinished(scene, old);
    expect(disksOf(scene, newInstanceId)).toEqual(before);
    expect(disksOf(scene, old.instanceId)).toEqual({});
    await checkCollected(scene, old, leader, newInstanceId);
    expect(disksOf(scene, newInstanceId)).toEqual(before);
  });
});
