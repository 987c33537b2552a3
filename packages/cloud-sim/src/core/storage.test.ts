import { describe, expect, test } from 'vitest';
import { seedInstance } from '../seed-instance.ts';
import { testRegion, stateOf } from './region.fixtures.ts';

interface SnapshotsView {
  readonly Snapshots: readonly { readonly SnapshotId: string; readonly State: string; readonly Progress: string }[];
}
const withData = { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 1 }] };

describe('snapshots', () => {
  test('a set is pending with progress, then completed, volume by volume', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim, withData);
    const set = { InstanceSpecification: { InstanceId: db.instanceId } };
    const { Snapshots } = await one.ok<SnapshotsView>('CreateSnapshots', set);
    expect(Snapshots.map((snapshot) => snapshot.State)).toEqual(['pending', 'pending']);
    await one.clock.advance(10_000);
    const input = { SnapshotIds: Snapshots.map((snapshot) => snapshot.SnapshotId) };
    for (const half of (await one.ok<SnapshotsView>('DescribeSnapshots', input)).Snapshots) {
      expect(half.State).toBe('pending');
      expect(Number.parseInt(half.Progress, 10)).toSatisfy((percent: number) => percent > 5 && percent < 99);
    }
    await one.clock.advance(600_000);
    const done = (await one.ok<SnapshotsView>('DescribeSnapshots', input)).Snapshots;
    expect(done.map(({ State, Progress }) => [State, Progress])).toEqual([
      ['completed', '100%'],
      ['completed', '100%'],
    ]);
  });

  test('if one of a set fails, all of them end in error', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim, withData);
    one.sim.addFault({ id: 'broken', action: 'CreateSnapshots', kind: 'snapshot-error' });
    await one.ok('CreateSnapshots', { InstanceSpecification: { InstanceId: db.instanceId } });
    await one.clock.advance(600_000);
    const { Snapshots } = await one.ok<SnapshotsView>('DescribeSnapshots', {
      Filters: [{ Name: 'volume-id', Values: Object.values(db.volumeIds) }],
    });
    expect(Snapshots.map((snapshot) => snapshot.State)).toEqual(['error', 'error']);
    expect(one.sim.fired('broken')).toBe(1);
  });

  test('a blind repeat is refused at first, and makes second snapshots later: there is no token', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim);
    const set = { InstanceSpecification: { InstanceId: db.instanceId } };
    await one.ok('CreateSnapshots', set);
    expect((await one.refused('CreateSnapshots', set)).name).toBe('SnapshotCreationPerVolumeRateExceeded');
    await one.clock.advance(15_000);
    await one.ok('CreateSnapshots', set);
    const { Snapshots } = await one.ok<SnapshotsView>('DescribeSnapshots', {
      Filters: [{ Name: 'volume-id', Values: Object.values(db.volumeIds) }],
    });
    expect(Snapshots).toHaveLength(2);
  });

  test('one volume has at most five pending', async () => {
    const one = testRegion({ latency: { 'snapshot.minimum': [3_600_000, 3_600_000] } });
    const db = seedInstance(one.sim);
    const input = { VolumeId: db.volumeIds['/dev/xvda'] };
    for (let i = 0; i < 5; i++) {
      await one.ok('CreateSnapshot', input);
      await one.clock.advance(16_000);
    }
    expect((await one.refused('CreateSnapshot', input)).name).toBe('ConcurrentSnapshotLimitExceeded');
  });

  test('one that an image needs cannot be deleted; a name serves one image', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim);
    const { SnapshotId } = one.sim.seed('CreateSnapshot', { VolumeId: db.volumeIds['/dev/xvda'] });
    const input = {
      Name: 'understudy-1',
      Architecture: 'x86_64',
      RootDeviceName: '/dev/xvda',
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId } }],
    };
    const { ImageId } = await one.ok<{ ImageId: string }>('RegisterImage', input);
    expect((await one.refused('RegisterImage', input)).name).toBe('InvalidAMIName.Duplicate');
    expect((await one.refused('DeleteSnapshot', { SnapshotId })).name).toBe('InvalidSnapshot.InUse');
    expect(await one.ok('DescribeImages', { ImageIds: [ImageId] })).toMatchObject({ Images: [{ State: 'pending' }] });
    await one.clock.advance(5_000);
    expect(await one.ok('DescribeImages', { ImageIds: [ImageId] })).toMatchObject({ Images: [{ State: 'available' }] });
    await one.ok('DeregisterImage', { ImageId });
    await one.ok('DeleteSnapshot', { SnapshotId });
    await one
      .refused('DeleteSnapshot', { SnapshotId })
      .then((error) => expect(error.name).toBe('InvalidSnapshot.NotFound'));
  });

  test('an image from a pending snapshot is refused', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim);
    const { SnapshotId } = await one.ok<{ SnapshotId: string }>('CreateSnapshot', {
      VolumeId: db.volumeIds['/dev/xvda'],
    });
    const refused = await one.refused('RegisterImage', {
      Name: 'early',
      RootDeviceName: '/dev/xvda',
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId } }],
    });
    expect(refused.name).toBe('IncorrectState');
  });
});

describe('volumes', () => {
  test('serve one instance, in their zone, under a free device name', async () => {
    const one = testRegion();
    const [here, there] = [seedInstance(one.sim, withData), seedInstance(one.sim, { az: 'us-east-1b' })];
    const data = here.volumeIds['/dev/sdf'];
    const elsewhere = { VolumeId: data, InstanceId: there.instanceId, Device: '/dev/sdf' };
    expect((await one.refused('AttachVolume', elsewhere)).name).toBe('VolumeInUse');
    await one.ok('DetachVolume', { VolumeId: data });
    expect((await one.refused('AttachVolume', elsewhere)).name).toBe('VolumeInUse');
    await one.clock.advance(10_000);
    expect((await one.refused('AttachVolume', elsewhere)).name).toBe('InvalidVolume.ZoneMismatch');
    const taken = { VolumeId: data, InstanceId: here.instanceId, Device: '/dev/xvda' };
    expect((await one.refused('AttachVolume', taken)).name).toBe('InvalidParameterValue');
    await one.ok('AttachVolume', { ...taken, Device: '/dev/sdf' });
    expect((await one.refused('DeleteVolume', { VolumeId: data })).name).toBe('VolumeInUse');
  });

  test('a busy volume comes free by force, or when its instance stops', async () => {
    const one = testRegion();
    const [forced, stopped] = [seedInstance(one.sim, withData), seedInstance(one.sim, withData)];
    one.sim.addFault({ id: 'busy', action: 'DetachVolume', kind: 'busy-detach', times: 2 });
    const volumeOf = (id: string | undefined) => one.sim.core.region.volumes.get(id ?? '');
    for (const { volumeIds } of [forced, stopped]) await one.ok('DetachVolume', { VolumeId: volumeIds['/dev/sdf'] });
    await one.clock.advance(3_600_000);
    expect(volumeOf(forced.volumeIds['/dev/sdf'])?.attachments[0]?.state).toBe('busy');
    await one.ok('DetachVolume', { VolumeId: forced.volumeIds['/dev/sdf'], Force: true });
    await one.ok('StopInstances', { InstanceIds: [stopped.instanceId], SkipOsShutdown: true });
    await one.clock.advance(30_000);
    expect(stateOf(one, stopped.instanceId)).toBe('stopped');
    expect(volumeOf(forced.volumeIds['/dev/sdf'])?.state).toBe('available');
    expect(volumeOf(stopped.volumeIds['/dev/sdf'])?.state).toBe('available');
    expect(one.sim.fired('busy')).toBe(2);
  });

  test('the root of a running instance cannot be detached, that of a stopped one can', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim);
    const root = { VolumeId: db.volumeIds['/dev/xvda'] };
    expect((await one.refused('DetachVolume', root)).name).toBe('OperationNotPermitted');
    await one.ok('StopInstances', { InstanceIds: [db.instanceId], SkipOsShutdown: true });
    await one.clock.advance(30_000);
    await one.ok('DetachVolume', root);
    await one.clock.advance(10_000);
    expect((await one.refused('StartInstances', { InstanceIds: [db.instanceId] })).name).toBe('IncorrectInstanceState');
    expect((await one.refused('DetachVolume', root)).name).toBe('IncorrectState');
  });

  test('a volume token is idempotent', async () => {
    const one = testRegion();
    const input = { AvailabilityZone: 'us-east-1a', Size: 1, ClientToken: 'v' };
    const first = await one.ok<{ VolumeId: string }>('CreateVolume', input);
    expect(await one.ok('CreateVolume', input)).toMatchObject({ VolumeId: first.VolumeId });
    expect((await one.refused('CreateVolume', { ...input, Size: 2 })).name).toBe('IdempotentParameterMismatch');
  });
});
