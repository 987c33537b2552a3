import { strict as assert } from 'node:assert';
import type { CloudInstance, CloudVolume } from '../ports/cloud.ts';
import type { CloudContractCase, CloudContractFixture } from './cloud-contract-case.ts';
import { eventually, inState, launch, refused } from './cloud-contract-steps.ts';

const STOP = { force: true, skipOsShutdown: true };

async function stopped(f: CloudContractFixture, name: string): Promise<CloudInstance> {
  const { instanceId } = await launch(f, name);
  await f.cloud.stopInstance(instanceId, STOP);
  return inState(f, instanceId, 'stopped');
}

const diskAt = ({ volumes }: CloudInstance, deviceName: string): string => {
  const disk = volumes.find((one) => one.deviceName === deviceName);
  assert.ok(disk, `no disk at ${deviceName}`);
  return disk.volumeId;
};

const volumeThat = (f: CloudContractFixture, volumeId: string, is: (volume: CloudVolume) => boolean) =>
  eventually(f, `${volumeId} as wanted`, async () => {
    const [volume] = await f.cloud.describeVolumes({ 'volume-id': [volumeId] });
    return volume && is(volume) ? volume : null;
  });

const free = (f: CloudContractFixture, volumeId: string) =>
  volumeThat(f, volumeId, (one) => one.state === 'available' && one.attachments.length === 0);

const attachedTo = (f: CloudContractFixture, volumeId: string, instanceId: string) =>
  volumeThat(f, volumeId, ({ attachments }) =>
    attachments.some((one) => one.instanceId === instanceId && one.state === 'attached'),
  );

/** The part of {@link CLOUD_CONTRACT} about disks that move, and starting with them. */
export const VOLUMES: readonly CloudContractCase[] = [
  {
    name: 'the root disk of a stopped instance moves to another one, which starts from it, with data and user data',
    async run(f) {
      const [old, seed] = [await stopped(f, 'disks-from'), await stopped(f, 'disks-to')];
      const [root, data] = [diskAt(old, f.rootDeviceName), diskAt(old, '/dev/sdf')];
      const own = [diskAt(seed, f.rootDeviceName), diskAt(seed, '/dev/sdf')];
      const places = [f.rootDeviceName, '/dev/sdf'];
      for (const [index, deviceName] of places.entries()) {
        const [from, to] = [[root, data][index] ?? '', own[index] ?? ''];
        await f.cloud.detachVolume({ volumeId: from, instanceId: old.instanceId, deviceName });
        await f.cloud.detachVolume({ volumeId: to, instanceId: seed.instanceId, deviceName });
      }
      for (const volumeId of [root, data, ...own]) await free(f, volumeId);
      await refused(f.cloud.startInstance(seed.instanceId), 'CLOUD_CONFLICT');
      for (const [index, deviceName] of places.entries())
        await f.cloud.attachVolume({ volumeId: [root, data][index] ?? '', instanceId: seed.instanceId, deviceName });
      for (const volumeId of [root, data]) await attachedTo(f, volumeId, seed.instanceId);
      const userData = Buffer.from('member: db/one').toString('base64');
      await f.cloud.setUserData(seed.instanceId, userData);
      await f.cloud.startInstance(seed.instanceId);
      await f.cloud.startInstance(seed.instanceId);
      const running = await inState(f, seed.instanceId, 'running');
      assert.deepEqual([diskAt(running, f.rootDeviceName), diskAt(running, '/dev/sdf')], [root, data]);
      assert.deepEqual(
        running.volumes.map((one) => one.deleteOnTermination),
        [false, false],
      );
      assert.equal(await f.cloud.describeUserData(seed.instanceId), userData);
    },
  },
  {
    name: 'a volume is taken only off the instance that is named, and put only where nothing is',
    async run(f) {
      const [one, other] = [await stopped(f, 'holder'), await stopped(f, 'other')];
      const [data, theirs] = [diskAt(one, '/dev/sdf'), diskAt(other, '/dev/sdf')];
      const at = { volumeId: data, instanceId: one.instanceId, deviceName: '/dev/sdf' };
      const elsewhere = { ...at, instanceId: other.instanceId };
      await refused(f.cloud.detachVolume(elsewhere), 'CLOUD_CONFLICT', 'CLOUD_NOT_FOUND');
      await refused(f.cloud.attachVolume({ ...elsewhere, deviceName: '/dev/sdg' }), 'CLOUD_CONFLICT');
      await f.cloud.detachVolume(at);
      await free(f, data);
      await refused(f.cloud.detachVolume(at), 'CLOUD_CONFLICT', 'CLOUD_NOT_FOUND');
      await refused(f.cloud.attachVolume(elsewhere), 'CLOUD_CONFLICT');
      assert.deepEqual((await free(f, data)).attachments, []);
      await attachedTo(f, theirs, other.instanceId);
    },
  },
  {
    name: 'a volume is copied once by its token, in full as it is said, and the copy is free',
    async run(f) {
      const old = await stopped(f, 'copied');
      const sourceVolumeId = diskAt(old, '/dev/sdf');
      const [source] = await f.cloud.describeVolumes({ 'volume-id': [sourceVolumeId] });
      assert.ok(source);
      const { volumeType, iops, throughputMiBps } = source;
      const request = {
        ...{ clientToken: 'copy-1', sourceVolumeId, volumeType, kmsKeyId: null, tags: { 'understudy:op': 'op-1' } },
        iops: volumeType === 'gp3' ? iops : null,
        throughputMiBps: volumeType === 'gp3' ? throughputMiBps : null,
      };
      const { volumeId } = await f.cloud.copyVolume(request);
      assert.equal((await f.cloud.copyVolume(request)).volumeId, volumeId);
      const copy = await free(f, volumeId);
      assert.deepEqual(
        [copy.sizeGiB, copy.volumeType, copy.az, copy.tags['understudy:op']],
        [source.sizeGiB, volumeType, source.az, 'op-1'],
      );
      await attachedTo(f, sourceVolumeId, old.instanceId);
      assert.deepEqual(await f.cloud.describeImpairedVolumes([volumeId, sourceVolumeId]), []);
    },
  },
  {
    name: 'neither the root disk of a running instance moves, nor anything to one that is terminated',
    async run(f) {
      const running = await launch(f, 'runs');
      const root = { volumeId: diskAt(running, f.rootDeviceName), deviceName: f.rootDeviceName };
      await refused(f.cloud.detachVolume({ ...root, instanceId: running.instanceId }), 'CLOUD_CONFLICT');
      const ended = await stopped(f, 'ended');
      const data = { volumeId: diskAt(ended, '/dev/sdf'), instanceId: ended.instanceId, deviceName: '/dev/sdf' };
      await f.cloud.detachVolume(data);
      await free(f, data.volumeId);
      await f.cloud.terminateInstance(ended.instanceId);
      await inState(f, ended.instanceId, 'terminated');
      await refused(f.cloud.attachVolume(data), 'CLOUD_CONFLICT');
      await refused(f.cloud.startInstance(ended.instanceId), 'CLOUD_CONFLICT');
    },
  },
  {
    name: 'a running instance is rebooted and stays what it is; one that does not run is refused',
    async run(f) {
      const { instanceId, launchedAtWallMs } = await launch(f, 'rebooted');
      await f.cloud.rebootInstance(instanceId);
      const after = await inState(f, instanceId, 'running');
      assert.equal(after.launchedAtWallMs, launchedAtWallMs);
      await f.cloud.stopInstance(instanceId, STOP);
      await inState(f, instanceId, 'stopped');
      await refused(f.cloud.rebootInstance(instanceId), 'CLOUD_CONFLICT');
    },
  },
];
