import { type CloudSnapshot, opIdOf } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { alteredCloud } from './altered-cloud.ts';
import { checkFinished } from './checks.ts';
import { MEMBER, RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';

/** What a replacement must get from its predecessor, and what may not be taken for it. */

async function recovered(options: RecoveryFixtureOptions) {
  const scene = new RecoveryFixture(options);
  const old = scene.seedMember(MEMBER, options);
  return { scene, old };
}

describe('every disk', () => {
  test('comes from the snapshot of its own predecessor, device by device', async () => {
    const { scene, old } = await recovered({ dataVolumes: 4 });
    await scene.begin(old);
    expect(await scene.run(scene.lead(), scene.intent())).toBe('finished');
    const newInstanceId = checkFinished(scene, old);
    const { volumes, snapshots } = scene.sim.core.region;
    const sources = volumes
      .all()
      .flatMap((volume) => volume.attachments.map((one) => ({ ...one, snapshotId: volume.snapshotId })))
      .filter((one) => one.instanceId === newInstanceId && one.device !== '/dev/xvda')
      .map((one) => [one.device, snapshots.get(one.snapshotId ?? '')?.volumeId]);
    expect(sources).toHaveLength(4);
    for (const [device, volumeId] of sources) expect(volumeId, device).toBe(old.volumeIds[device ?? '']);
    const [image] = scene.sim.core.region.images.all().filter((one) => !scene.seededIds.has(one.id));
    expect(snapshots.get(image?.rootSnapshotId ?? '')?.volumeId).toBe(old.volumeIds['/dev/xvda']);
  });

  test.each([0, 1, 2])(
    'is in the set: a reply of CreateSnapshots that lacks volume %i is not taken',
    async (lacking) => {
      const { scene, old } = await recovered({ dataVolumes: 2 });
      await scene.begin(old);
      let calls = 0;
      const leader = scene.lead({
        cloud: (cloud) =>
          alteredCloud(cloud, {
            createSnapshots: async (real, ...args): Promise<readonly CloudSnapshot[]> => {
              calls += 1;
              const made = await real.createSnapshots(...args);
              return made.filter((_one, index) => index !== lacking);
            },
          }),
      });
      expect(await scene.run(leader, scene.intent())).toBe('held');
      expect(calls).toBe(1);
      expect(scene.hold()?.reason).toBe('CaptureFailed');
      expect(scene.launchedFor(old.instanceId)).toEqual([]);
    },
  );
});

describe('an image that has our name', () => {
  async function withImageOf(pick: (rootVolumeId: string, dataVolumeId: string) => string) {
    const { scene, old } = await recovered({});
    const [rootVolumeId = '', dataVolumeId = ''] = ['/dev/xvda', '/dev/sdf'].map((device) => old.volumeIds[device]);
    const made = scene.sim.seed('CreateSnapshot', { VolumeId: pick(rootVolumeId, dataVolumeId) });
    await scene.clock.advance(600_000);
    scene.sim.seed('RegisterImage', {
      Name: `understudy-${opIdOf(old.instanceId)}`,
      RootDeviceName: '/dev/xvda',
      Architecture: 'x86_64',
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: made['SnapshotId'] } }],
    });
    await scene.begin(old);
    const outcome = await scene.run(scene.lead(), scene.intent());
    return { scene, old, outcome };
  }

  test.each([
    ['the data volume', (_root: string, data: string) => data],
    ['the root volume, but of another day', (root: string) => root],
  ])('and was made from a snapshot of %s is not launched from', async (_what, pick) => {
    const { scene, old, outcome } = await withImageOf(pick);
    expect(outcome).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'CloudRejected' });
    expect(scene.hold()?.text).toContain('was made from');
    expect(scene.launchedFor(old.instanceId)).toEqual([]);
  });
});

describe('protections and the source/destination check', () => {
  test.each([
    [true, true, false],
    [true, false, true],
    [false, true, true],
    [false, false, false],
  ])('termination %s, stop %s, check %s: the replacement has the same', async (termination, stop, check) => {
    const { scene, old } = await recovered({});
    const { region } = scene.sim.core;
    const set = (change: object) =>
      scene.sim.seed('ModifyInstanceAttribute', { InstanceId: old.instanceId, ...change });
    set({ DisableApiTermination: { Value: termination } });
    set({ DisableApiStop: { Value: stop } });
    set({ SourceDestCheck: { Value: check } });
    await scene.clock.advance(60_000);
    await scene.begin(old);
    expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    const replacement = region.instances.get(checkFinished(scene, old));
    const eni = region.networkInterfaces.get(replacement?.networkInterfaceIds[0] ?? '');
    expect({
      termination: replacement?.terminationProtection.value,
      stop: replacement?.stopProtection.value,
      check: eni?.sourceDestCheck,
    }).toEqual({ termination, stop, check });
    // What is retired can be removed when its time has come.
    expect(region.instances.get(old.instanceId)?.terminationProtection.value).toBe(false);
  });
});
