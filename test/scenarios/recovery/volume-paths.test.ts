import { describe, expect, test } from 'vitest';
import { checkFinished } from './checks.ts';
import { dataOf, HOUR_MS, LATEST, lossesOf, RATE, ratesOf, volumesPolicy } from './volume-path-stories.ts';
import { stage } from './stories.ts';

describe('a disk that cannot be reached', () => {
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
  test('is asked for each disk', async () => {
    const { scene, old } = await stage(RATE);
    await scene.run(scene.lead(), scene.intent());
    expect(ratesOf(scene, checkFinished(scene, old))).toEqual([200, 200]);
    expect(lossesOf(scene)).toEqual([]);
  });
});
