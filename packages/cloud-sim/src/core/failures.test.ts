import { describe, expect, test } from 'vitest';
import { seedInstance } from '../seed-instance.ts';
import { launch, stateOf, subnetOf, testRegion, type TestRegion } from './region.fixtures.ts';

const ROOT = '/dev/xvda';

const checksOf = async (one: TestRegion, id: string): Promise<readonly unknown[]> => {
  interface View {
    readonly InstanceStatuses: readonly {
      readonly SystemStatus: { readonly Status: string };
      readonly AttachedEbsStatus: { readonly Status: string };
    }[];
  }
  const { InstanceStatuses } = await one.ok<View>('DescribeInstanceStatus', { InstanceIds: [id] });
  return InstanceStatuses.map((status) => [status.SystemStatus.Status, status.AttachedEbsStatus.Status]);
};

const boots = (one: TestRegion, id: string, detail: string): number =>
  one.sim.log
    .events(0)
    .filter((event) => event.kind === 'transition' && event.resourceId === id && event.detail[detail] === true).length;

describe('a zone that fails', () => {
  test('takes its instances down, refuses launches and describes, and leaves other zones alone', async () => {
    const one = testRegion();
    const [here, there] = [seedInstance(one.sim), seedInstance(one.sim, { az: 'us-east-1b' })];
    one.sim.failZone('us-east-1a');
    const refused = [
      await one.refused('DescribeInstances', { InstanceIds: [here.instanceId] }),
      await one.refused('DescribeInstances', {}),
      await one.refused('StopInstances', { InstanceIds: [here.instanceId] }),
      await one.refused('DetachVolume', { VolumeId: here.volumeIds[ROOT] }),
      await one.refused('RunInstances', {
        ImageId: one.sim.defaultResources.imageId,
        MinCount: 1,
        MaxCount: 1,
        SubnetId: subnetOf(one, 'a'),
      }),
    ];
    expect(new Set(refused.map(({ name }) => name))).toEqual(new Set(['Unavailable']));
    expect(await checksOf(one, there.instanceId)).toEqual([['ok', 'ok']]);
    expect(boots(one, here.instanceId, 'crash')).toBe(1);
  });

  test('ends what was launched there, and loses snapshots that are not completed', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim);
    const { SnapshotId: old } = one.sim.seed('CreateSnapshot', { VolumeId: db.volumeIds[ROOT] });
    await one.clock.advance(15_000);
    const { SnapshotId } = await one.ok('CreateSnapshot', { VolumeId: db.volumeIds[ROOT] });
    const launched = await launch(one, { SubnetId: subnetOf(one, 'a') });
    one.sim.failZone('us-east-1a');
    await one.clock.advance(600_000);
    expect(stateOf(one, launched)).toBe('terminated');
    const found = one.sim.core.region.snapshots;
    expect([found.get(String(SnapshotId))?.state, found.get(String(old))?.state]).toEqual(['error', 'completed']);
    const elsewhere = { AvailabilityZone: 'us-east-1b', SnapshotId: old };
    await one.ok('CreateVolume', elsewhere);
  });

  test('stops nothing that was stopping until it is well again', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim);
    await one.ok('StopInstances', { InstanceIds: [db.instanceId] });
    one.sim.failZone('us-east-1a');
    await one.clock.advance(600_000);
    expect(stateOf(one, db.instanceId)).toBe('stopping');
    one.sim.healZone('us-east-1a');
    await one.clock.advance(10_000);
    expect(stateOf(one, db.instanceId)).toBe('stopped');
  });

  test.each([
    ['power', 'come-back', 'reboot', [['initializing', 'initializing']]],
    ['power', 'stay-down', 'reboot', [['impaired', 'ok']]],
    ['hang', 'come-back', 'resume', [['initializing', 'initializing']]],
  ] as const)('after %s, with instances that %s, heals as it is told (%s)', async (how, instances, detail, checks) => {
    const one = testRegion();
    const db = seedInstance(one.sim);
    one.sim.failZone('us-east-1a', how);
    await one.clock.advance(300_000);
    one.sim.healZone('us-east-1a', instances);
    expect(boots(one, db.instanceId, detail)).toBe(instances === 'come-back' ? 1 : 0);
    expect(await checksOf(one, db.instanceId)).toEqual(checks);
  });
});

describe('automatic recovery', () => {
  const struck = async (over: Record<string, unknown> = {}) => {
    const one = testRegion();
    const db = seedInstance(one.sim, { request: over });
    await one.clock.advance(10_000);
    one.sim.failHost(db.instanceId, 240_000);
    await one.clock.advance(130_000);
    return { one, id: db.instanceId };
  };

  test('brings an instance back that everybody took for dead', async () => {
    const { one, id } = await struck();
    expect(await checksOf(one, id)).toEqual([['impaired', 'ok']]);
    await one.clock.advance(130_000);
    expect([boots(one, id, 'recovered'), stateOf(one, id)]).toEqual([1, 'running']);
  });

  test('leaves alone what was stopped before it came', async () => {
    const { one, id } = await struck();
    await one.ok('StopInstances', { InstanceIds: [id], SkipOsShutdown: true });
    await one.clock.advance(200_000);
    expect([boots(one, id, 'recovered'), stateOf(one, id)]).toEqual([0, 'stopped']);
  });

  test('does not happen where it is disabled', async () => {
    const { one, id } = await struck({ MaintenanceOptions: { AutoRecovery: 'disabled' } });
    await one.clock.advance(200_000);
    expect(boots(one, id, 'recovered')).toBe(0);
  });
});

describe('disks that do not do what they are told', () => {
  const stopped = async (one: TestRegion, force: boolean) => {
    const db = seedInstance(one.sim);
    await one.ok('StopInstances', { InstanceIds: [db.instanceId], Force: force, SkipOsShutdown: true });
    while (stateOf(one, db.instanceId) !== 'stopped') await one.clock.advance(1_000);
    return db;
  };

  test('after a forced stop the guest may go on writing, but never to a volume that was detached', async () => {
    const one = testRegion();
    one.sim.addFault({ id: 'late', action: 'StopInstances', kind: 'late-writes', times: 2 });
    const [naive, careful] = [await stopped(one, true), await stopped(one, true)];
    await one.ok('DetachVolume', { VolumeId: careful.volumeIds[ROOT] });
    await one.clock.advance(60_000);
    const written = (id: string | undefined) => boots(one, id ?? '', 'written');
    expect([written(naive.volumeIds[ROOT]), written(careful.volumeIds[ROOT])]).toEqual([1, 0]);
    expect(one.sim.fired('late')).toBe(2);
  });

  test('a detach may take minutes, from a stopped instance too, and force does not hasten it', async () => {
    const one = testRegion();
    const db = await stopped(one, false);
    const volume = db.volumeIds[ROOT] ?? '';
    one.sim.addFault({ id: 'stuck', action: 'DetachVolume', kind: 'stuck-detach', delayMs: 300_000 });
    await one.ok('DetachVolume', { VolumeId: volume });
    await one.ok('DetachVolume', { VolumeId: volume, Force: true });
    await one.clock.advance(200_000);
    expect(one.sim.core.region.volumes.get(volume)?.attachments[0]?.state).toBe('detaching');
    const other = { VolumeId: volume, InstanceId: seedInstance(one.sim).instanceId, Device: '/dev/sdf' };
    expect((await one.refused('AttachVolume', other)).name).toBe('VolumeInUse');
    await one.clock.advance(110_000);
    expect(one.sim.core.region.volumes.get(volume)?.state).toBe('available');
    expect(one.sim.fired('stuck')).toBe(1);
  });

  test('I/O that EC2 holds back impairs the volume and its instance until somebody enables it', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim);
    const VolumeId = db.volumeIds[ROOT] ?? '';
    one.sim.holdBackIo(VolumeId);
    await one.clock.advance(1_000);
    const status = { VolumeIds: [VolumeId] };
    expect(await one.ok('DescribeVolumeStatus', status)).toMatchObject({
      VolumeStatuses: [{ VolumeStatus: { Status: 'impaired' }, Actions: [{ Code: 'enable-volume-io' }] }],
    });
    expect(await checksOf(one, db.instanceId)).toEqual([['ok', 'impaired']]);
    await one.ok('EnableVolumeIO', { VolumeId });
    await one.clock.advance(1_000);
    expect(await one.ok('DescribeVolumeStatus', status)).toMatchObject({
      VolumeStatuses: [{ VolumeStatus: { Status: 'ok' }, Actions: [] }],
    });
  });
});

test.each([
  [1, 20],
  [8, 80],
  [100, 1_000],
  [1_000, 10_000],
])('a first snapshot of %d GiB takes %d s or a little more, a second one a twentieth', async (sizeGiB, seconds) => {
  const one = testRegion({ latency: { 'snapshot.minimum': [20_000, 20_000] } });
  const db = seedInstance(one.sim, { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB }] });
  const take = async () => {
    const { SnapshotId } = await one.ok('CreateSnapshot', { VolumeId: db.volumeIds['/dev/sdf'] });
    const made = one.sim.core.region.snapshots.get(String(SnapshotId));
    await one.clock.advance(12_000_000);
    return ((made?.dueAtMs ?? 0) - (made?.startedAtMs ?? 0)) / 1_000;
  };
  expect([await take(), await take()]).toEqual([seconds, Math.max(20, seconds / 20)]);
});

test('a private address is in use until its interface is deleted, not only until its instance has stopped', async () => {
  const one = testRegion();
  const db = seedInstance(one.sim);
  const wanted = { SubnetId: db.subnetId, PrivateIpAddress: db.privateIp };
  await one.ok('StopInstances', { InstanceIds: [db.instanceId] });
  await one.clock.advance(60_000);
  expect((await one.refused('CreateNetworkInterface', wanted)).name).toBe('InvalidIPAddress.InUse');
  await one.ok('TerminateInstances', { InstanceIds: [db.instanceId] });
  await one.clock.advance(60_000);
  await one.ok('CreateNetworkInterface', wanted);
});
