import type { Instance, Reservation, Snapshot, Volume } from '@aws-sdk/client-ec2';
import { SimClock } from '@understudy/shared/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { CloudSim } from '../../cloud-sim.ts';
import { seedInstance } from '../../seed-instance.ts';
import type { SimKmsKey } from './keys.ts';

let clock: SimClock;
let sim: CloudSim;
let arn = '';

beforeEach(() => {
  clock = new SimClock();
  sim = new CloudSim({ clock });
  ({ arn } = sim.createKmsKey({ alias: 'alias/orders' }));
});

const encrypted = (KmsKeyId: string) => [
  { DeviceName: '/dev/sdf', Ebs: { VolumeSize: 4, VolumeType: 'gp3', Encrypted: true, KmsKeyId } },
];

const seeded = (KmsKeyId = arn) => seedInstance(sim, { request: { BlockDeviceMappings: encrypted(KmsKeyId) } });

async function call(action: string, input: Record<string, unknown>): Promise<Record<string, unknown>> {
  const reply = await clock.runUntilSettled(sim.call(action, input));
  if ('output' in reply) return reply.output;
  throw new Error(JSON.stringify(reply));
}

const instance = async (id: string): Promise<Instance> => {
  const { Reservations } = await call('DescribeInstances', { InstanceIds: [id] });
  return (Reservations as Reservation[])[0]?.Instances?.[0] ?? {};
};

async function launch(KmsKeyId = arn): Promise<string> {
  const { Instances } = await call('RunInstances', {
    ...{ MinCount: 1, MaxCount: 1, ImageId: sim.defaultResources.imageId, InstanceType: 't3.micro' },
    SubnetId: Object.values(sim.defaultResources.subnets)[0],
    BlockDeviceMappings: encrypted(KmsKeyId),
  });
  return (Instances as Instance[])[0]?.InstanceId ?? '';
}

const UNUSABLE: readonly (readonly [string, Partial<SimKmsKey>, string])[] = [
  ['disabled', { state: 'Disabled' }, 'Client.InvalidKMSKey.InvalidState'],
  ['to be deleted', { state: 'PendingDeletion' }, 'Client.InvalidKMSKey.InvalidState'],
  ['closed to us by its policy', { access: 'describe-only' }, 'Client.InternalError'],
];

describe.each(UNUSABLE)('under a key that is %s', (_, change, code) => {
  test('a launch is answered with success, and its instance is terminated', async () => {
    sim.changeKmsKey(arn, change);
    const id = await launch();
    await clock.advance(60_000);
    const seen = await instance(id);
    expect(seen.State?.Name).toBe('terminated');
    expect(seen.StateReason?.Code).toBe(code);
  });

  test('all snapshots of a set end in error, one of a plain volume too', async () => {
    const { instanceId } = seeded();
    sim.changeKmsKey(arn, change);
    const made = await call('CreateSnapshots', { InstanceSpecification: { InstanceId: instanceId } });
    const ids = (made.Snapshots as Snapshot[]).map((one) => one.SnapshotId ?? '');
    expect(ids).toHaveLength(2);
    await clock.advance(600_000);
    const { Snapshots } = await call('DescribeSnapshots', { SnapshotIds: ids });
    expect((Snapshots as Snapshot[]).map((one) => one.State)).toEqual(['error', 'error']);
  });

  test('a volume is there for a moment and then gone', async () => {
    sim.changeKmsKey(arn, change);
    const zone = sim.zones[0];
    const made = await call('CreateVolume', { AvailabilityZone: zone, Size: 1, Encrypted: true, KmsKeyId: arn });
    const { VolumeId = '' } = made as Volume;
    expect(sim.core.region.volumes.get(VolumeId)?.state).toBe('creating');
    await clock.advance(30_000);
    expect(sim.core.region.volumes.get(VolumeId)).toBeUndefined();
    expect(sim.log.events(0).filter((one) => one.kind === 'transition' && one.to === 'error')).toHaveLength(1);
  });

  test('a stopped instance does not start again', async () => {
    const { instanceId } = seeded();
    await call('StopInstances', { InstanceIds: [instanceId] });
    await clock.advance(120_000);
    sim.changeKmsKey(arn, change);
    await call('StartInstances', { InstanceIds: [instanceId] });
    await clock.advance(60_000);
    const seen = await instance(instanceId);
    expect(seen.State?.Name).toBe('stopped');
    expect(seen.StateReason?.Code).toBe(code);
    expect(seen.BlockDeviceMappings).toHaveLength(2);
  });

  test('a running instance notices nothing', async () => {
    const { instanceId } = seeded();
    sim.changeKmsKey(arn, change);
    await clock.advance(3_600_000);
    expect((await instance(instanceId)).State?.Name).toBe('running');
  });

  test('what needs the key works once it can be used again', async () => {
    sim.changeKmsKey(arn, change);
    sim.changeKmsKey(arn, { state: 'Enabled', access: 'all' });
    const id = await launch();
    await clock.advance(60_000);
    expect((await instance(id)).State?.Name).toBe('running');
  });
});

test('volumes show the ARN of their key, whatever name it was given by', async () => {
  const { volumeIds } = seeded('alias/orders');
  expect(sim.core.region.volumes.get(volumeIds['/dev/sdf'] ?? '')?.kmsKeyId).toBe(arn);
  const snapshot = sim.seed('CreateSnapshot', { VolumeId: volumeIds['/dev/sdf'] });
  expect(sim.core.region.snapshots.get(String(snapshot.SnapshotId))?.kmsKeyId).toBe(arn);
});

test('a key that does not exist ends a launch', async () => {
  const id = await launch('arn:aws:kms:us-east-1:123456789012:key/nobody');
  await clock.advance(60_000);
  expect((await instance(id)).StateReason?.Code).toBe('Client.InternalError');
});

test('the account’s own key cannot be disabled or deleted', () => {
  expect(sim.changeKmsKey('alias/aws/ebs', { state: 'Disabled' })).toBe(false);
  expect(sim.deleteKmsKey('alias/aws/ebs')).toBe(false);
});

test('a key that was deleted is gone, with its alias', () => {
  expect(sim.deleteKmsKey(arn)).toBe(true);
  expect(sim.core.region.kmsKeys.find('alias/orders')).toBeUndefined();
});
