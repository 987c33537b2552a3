import { describe, expect, test } from 'vitest';
import { seedInstance } from '../seed-instance.ts';
import { stateOf, testRegion, type TestRegion } from './region.fixtures.ts';

interface VolumesView {
  readonly Volumes: readonly { readonly VolumeId: string; readonly VolumeType: string; readonly Encrypted: boolean }[];
}
interface TaskView {
  readonly ReplaceRootVolumeTask: { readonly ReplaceRootVolumeTaskId: string; readonly TaskState: string };
}

const ROOT = '/dev/xvda';
const FIVE_GIB = { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 5 }] };

const volumeOf = (one: TestRegion, id: string) => one.sim.core.region.volumes.get(id);

async function copy(one: TestRegion, source: string, over: Record<string, unknown> = {}): Promise<string> {
  const input = { SourceVolumeId: source, VolumeType: 'gp3', ...over };
  return (await one.ok<VolumesView>('CopyVolumes', input)).Volumes[0]?.VolumeId ?? '';
}

describe('a volume is copied', () => {
  test('while it is in use, in its own zone, and the copy is usable long before it is initialized', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim, { az: 'us-east-1b', ...FIVE_GIB });
    const id = await copy(one, db.volumeIds['/dev/sdf'] ?? '');
    await one.clock.advance(6_000);
    expect(volumeOf(one, id)).toMatchObject({ state: 'available', az: 'us-east-1b', sizeGiB: 5 });
    interface StatusView {
      readonly VolumeStatuses: readonly { readonly InitializationStatusDetails: { readonly Progress: number } }[];
    }
    const status = () => one.ok<StatusView>('DescribeVolumeStatus', { VolumeIds: [id] });
    const early = await status();
    expect(early.VolumeStatuses[0]).toMatchObject({
      VolumeStatus: { Status: 'ok' },
      InitializationStatusDetails: { InitializationType: 'volume-copy' },
    });
    expect(early.VolumeStatuses[0]?.InitializationStatusDetails.Progress).toBeLessThan(100);
    await one.clock.advance(110_000);
    expect(await status()).toMatchObject({ VolumeStatuses: [{ InitializationStatusDetails: { Progress: 100 } }] });
  });

  test('as gp2 where no type is named, whatever the source is', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim, FIVE_GIB);
    const { Volumes } = await one.ok<VolumesView>('CopyVolumes', { SourceVolumeId: db.volumeIds['/dev/sdf'] });
    expect([Volumes[0]?.VolumeType, volumeOf(one, db.volumeIds['/dev/sdf'] ?? '')?.volumeType]).toEqual(['gp2', 'gp3']);
  });

  test('once at a time per source, and five times per Region', async () => {
    const one = testRegion();
    const sources = Array.from({ length: 6 }, () => seedInstance(one.sim, FIVE_GIB).volumeIds['/dev/sdf'] ?? '');
    for (const source of sources.slice(0, 5)) await copy(one, source);
    const again = await one.refused('CopyVolumes', { SourceVolumeId: sources[0] });
    const sixth = await one.refused('CopyVolumes', { SourceVolumeId: sources[5] });
    expect([again.name, sixth.name]).toEqual(['CopyVolumesLimitExceeded', 'CopyVolumesLimitExceeded']);
    await one.clock.advance(110_000);
    expect(await copy(one, sources[0] ?? '')).toMatch(/^vol-/);
  });

  test('with a token once only, and never into something smaller', async () => {
    const one = testRegion();
    const source = seedInstance(one.sim, FIVE_GIB).volumeIds['/dev/sdf'] ?? '';
    expect(await copy(one, source, { ClientToken: 't' })).toBe(await copy(one, source, { ClientToken: 't' }));
    const other = await one.refused('CopyVolumes', { SourceVolumeId: source, ClientToken: 't', Size: 9 });
    const small = await one.refused('CopyVolumes', { SourceVolumeId: source, Size: 4 });
    expect([other.name, small.name]).toEqual(['IdempotentParameterMismatch', 'CopyVolumesLimitExceeded']);
    const fresh = seedInstance(one.sim, FIVE_GIB).volumeIds['/dev/sdf'];
    expect((await one.refused('CopyVolumes', { SourceVolumeId: fresh, Size: 4 })).name).toBe('InvalidParameterValue');
  });

  test('and vanishes, seconds later, under a key that cannot be used', async () => {
    const one = testRegion();
    const key = one.sim.createKmsKey();
    const source = seedInstance(one.sim, FIVE_GIB).volumeIds['/dev/sdf'] ?? '';
    one.sim.changeKmsKey(key.id, { state: 'Disabled' });
    const id = await copy(one, source, { Encrypted: true, KmsKeyId: key.id });
    await one.clock.advance(10_000);
    expect((await one.refused('DescribeVolumes', { VolumeIds: [id] })).name).toBe('InvalidVolume.NotFound');
  });
});

describe('a root volume', () => {
  test('comes off a stopped instance only, and without one the instance does not start', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim);
    const root = db.volumeIds[ROOT];
    expect((await one.refused('DetachVolume', { VolumeId: root })).name).toBe('OperationNotPermitted');
    await one.ok('StopInstances', { InstanceIds: [db.instanceId] });
    await one.clock.advance(60_000);
    await one.ok('DetachVolume', { VolumeId: root });
    const onItsWay = await one.refused('StartInstances', { InstanceIds: [db.instanceId] });
    await one.clock.advance(10_000);
    const gone = await one.refused('StartInstances', { InstanceIds: [db.instanceId] });
    expect([onItsWay.name, gone.name]).toEqual(['IncorrectInstanceState', 'IncorrectInstanceState']);
    await one.ok('AttachVolume', { VolumeId: root, InstanceId: db.instanceId, Device: ROOT });
    await one.clock.advance(10_000);
    await one.ok('StartInstances', { InstanceIds: [db.instanceId] });
    await one.clock.advance(10_000);
    expect(stateOf(one, db.instanceId)).toBe('running');
  });

  test('is replaced by a free volume under a running instance, which reboots', async () => {
    const one = testRegion();
    const [old, seed] = [seedInstance(one.sim), seedInstance(one.sim)];
    const freed = await freeRoot(one, old);
    const { ReplaceRootVolumeTask: task } = await one.ok<TaskView>('CreateReplaceRootVolumeTask', {
      InstanceId: seed.instanceId,
      VolumeId: freed,
    });
    expect(task.TaskState).toBe('pending');
    await one.clock.advance(60_000);
    const found = await one.ok('DescribeReplaceRootVolumeTasks', {
      Filters: [{ Name: 'instance-id', Values: [seed.instanceId] }],
    });
    expect(found).toMatchObject({ ReplaceRootVolumeTasks: [{ TaskState: 'succeeded' }] });
    expect(volumeOf(one, freed)?.attachments[0]).toMatchObject({ instanceId: seed.instanceId, device: ROOT });
    expect(volumeOf(one, seed.volumeIds[ROOT] ?? '')?.state).toBe('available');
    expect(rebooted(one, seed.instanceId)).toBe(true);
  });

  test('is replaced from a snapshot of its own kind only, never across instances', async () => {
    const one = testRegion();
    const [db, stranger] = [seedInstance(one.sim), seedInstance(one.sim)];
    const snapshot = (volumeId: string | undefined) =>
      one.sim.seed('CreateSnapshot', { VolumeId: volumeId })['SnapshotId'] as string;
    const foreign = { InstanceId: db.instanceId, SnapshotId: snapshot(stranger.volumeIds[ROOT]) };
    expect((await one.refused('CreateReplaceRootVolumeTask', foreign)).name).toBe('InvalidParameterValue');
    await one.ok('CreateReplaceRootVolumeTask', {
      InstanceId: db.instanceId,
      SnapshotId: snapshot(db.volumeIds[ROOT]),
      DeleteReplacedRootVolume: true,
    });
    await one.clock.advance(60_000);
    expect(volumeOf(one, db.volumeIds[ROOT] ?? '')).toBeUndefined();
  });

  test.each([
    ['replace-root-failed', 'failed', true],
    ['replace-root-detached', 'failed-detached', false],
  ] as const)('stays or is gone when its replacement fails (%s)', async (kind, end, stays) => {
    const one = testRegion();
    const db = seedInstance(one.sim);
    one.sim.addFault({ id: 'broken', action: 'CreateReplaceRootVolumeTask', kind });
    await one.ok('CreateReplaceRootVolumeTask', { InstanceId: db.instanceId });
    await one.clock.advance(60_000);
    expect(one.sim.fired('broken')).toBe(1);
    expect(await one.ok('DescribeReplaceRootVolumeTasks', {})).toMatchObject({
      ReplaceRootVolumeTasks: [{ TaskState: end }],
    });
    expect(volumeOf(one, db.volumeIds[ROOT] ?? '')?.attachments.length).toBe(stays ? 1 : 0);
  });

  test('is refused a replacement that is elsewhere, in use, unencrypted, or under a stopped instance', async () => {
    const one = testRegion();
    const key = one.sim.createKmsKey();
    const mappings = [{ DeviceName: ROOT, Ebs: { Encrypted: true, KmsKeyId: key.arn } }];
    const locked = seedInstance(one.sim, { request: { BlockDeviceMappings: mappings } });
    const volume = (az: string) =>
      one.sim.seed('CreateVolume', { AvailabilityZone: az, Size: 8, VolumeType: 'gp3' })['VolumeId'];
    const replace = async (VolumeId: unknown) =>
      (await one.refused('CreateReplaceRootVolumeTask', { InstanceId: locked.instanceId, VolumeId })).name;
    expect(await replace(volume('us-east-1b'))).toBe('InvalidVolume.ZoneMismatch');
    expect(await replace(seedInstance(one.sim).volumeIds[ROOT])).toBe('VolumeInUse');
    expect(await replace(volume('us-east-1a'))).toBe('InvalidParameterValue');
    await one.ok('StopInstances', { InstanceIds: [locked.instanceId] });
    expect(await replace(volume('us-east-1a'))).toBe('IncorrectInstanceState');
  });
});

test('a Multi-Attach volume is attached twice, detached by name, and is nobody’s root', async () => {
  const one = testRegion();
  const [a, b] = [seedInstance(one.sim), seedInstance(one.sim)];
  const shape = { AvailabilityZone: 'us-east-1a', Size: 8, Iops: 100, MultiAttachEnabled: true };
  const { VolumeId } = one.sim.seed('CreateVolume', { ...shape, VolumeType: 'io2' });
  const attach = (instance: { instanceId: string }, Device = '/dev/sdf') => ({
    VolumeId,
    InstanceId: instance.instanceId,
    Device,
  });
  await one.ok('AttachVolume', attach(a));
  await one.ok('AttachVolume', attach(b));
  expect((await one.refused('AttachVolume', attach(b, '/dev/sdg'))).name).toBe('VolumeInUse');
  await one.clock.advance(10_000);
  expect((await one.refused('DetachVolume', { VolumeId })).name).toBe('MissingParameter');
  await one.ok('DetachVolume', { VolumeId, InstanceId: a.instanceId });
  await one.clock.advance(10_000);
  expect(volumeOf(one, String(VolumeId))).toMatchObject({
    state: 'in-use',
    attachments: [{ instanceId: b.instanceId, state: 'attached' }],
  });
  const gp3 = await one.refused('CreateVolume', { ...shape, Iops: undefined, VolumeType: 'gp3' });
  expect(gp3.name).toBe('InvalidParameterCombination');
});

test('a volume under a provisioned rate is initialized when the rate says so', async () => {
  const one = testRegion();
  const db = seedInstance(one.sim);
  const { SnapshotId } = one.sim.seed('CreateSnapshot', { VolumeId: db.volumeIds[ROOT] });
  const shape = { AvailabilityZone: 'us-east-1a', VolumeType: 'gp3', SnapshotId };
  const { VolumeId } = await one.ok('CreateVolume', { ...shape, VolumeInitializationRate: 100 });
  const left = async () => {
    const { VolumeStatuses } = await one.ok<{ VolumeStatuses: { InitializationStatusDetails: object }[] }>(
      'DescribeVolumeStatus',
      { VolumeIds: [VolumeId] },
    );
    return VolumeStatuses[0]?.InitializationStatusDetails;
  };
  // 8 GiB at 100 MiB/s are 82 s.
  await one.clock.advance(40_000);
  expect(await left()).toMatchObject({ InitializationType: 'provisioned-rate', Progress: expect.closeTo(49, -1) });
  await one.clock.advance(42_000);
  expect(await left()).toMatchObject({ Progress: 100, EstimatedTimeToCompleteInSeconds: 0 });
  expect((await one.refused('CreateVolume', { ...shape, VolumeInitializationRate: 301 })).name).toBe(
    'InvalidParameterValue',
  );
});

test('maintenance options are changed and shown', async () => {
  const one = testRegion();
  const db = seedInstance(one.sim);
  await one.ok('ModifyInstanceMaintenanceOptions', { InstanceId: db.instanceId, AutoRecovery: 'disabled' });
  await one.clock.advance(1_000);
  expect(await one.ok('DescribeInstances', { InstanceIds: [db.instanceId] })).toMatchObject({
    Reservations: [{ Instances: [{ MaintenanceOptions: { AutoRecovery: 'disabled', RebootMigration: 'default' } }] }],
  });
});

test('user data are changed only while the instance is stopped', async () => {
  const one = testRegion();
  const db = seedInstance(one.sim, { userData: 'old' });
  const change = { InstanceId: db.instanceId, UserData: { Value: new TextEncoder().encode('new') } };
  expect((await one.refused('ModifyInstanceAttribute', change)).name).toBe('IncorrectInstanceState');
  await one.ok('StopInstances', { InstanceIds: [db.instanceId] });
  await one.clock.advance(60_000);
  await one.ok('ModifyInstanceAttribute', change);
  await one.clock.advance(1_000);
  const shown = { InstanceId: db.instanceId, Attribute: 'userData' };
  expect(await one.ok('DescribeInstanceAttribute', shown)).toMatchObject({ UserData: { Value: btoa('new') } });
});

/** Stops the instance and takes its root off. Returns the volume's id. */
async function freeRoot(one: TestRegion, instance: ReturnType<typeof seedInstance>): Promise<string> {
  const root = instance.volumeIds[ROOT] ?? '';
  await one.ok('StopInstances', { InstanceIds: [instance.instanceId] });
  await one.clock.advance(60_000);
  await one.ok('DetachVolume', { VolumeId: root });
  await one.clock.advance(10_000);
  return root;
}

const rebooted = (one: TestRegion, instanceId: string): boolean =>
  one.sim.log
    .events(0)
    .some((event) => event.kind === 'transition' && event.resourceId === instanceId && event.detail['reboot'] === true);
