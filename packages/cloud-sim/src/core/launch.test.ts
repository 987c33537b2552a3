import { describe, expect, test } from 'vitest';
import { seedInstance } from '../seed-instance.ts';
import { launch, testRegion, runRequest, stateOf, subnetOf } from './region.fixtures.ts';

describe('a launch', () => {
  test('goes from pending to running, and its disks from attaching to attached', async () => {
    const one = testRegion({ latency: { 'instance.pending': [5_000, 5_000] } });
    const id = await launch(one);
    expect(stateOf(one, id)).toBe('pending');
    await one.clock.advance(10_000);
    expect(stateOf(one, id)).toBe('running');
    expect(one.sim.log.stays(id)).toMatchObject([{ state: 'pending', durationMs: 5_000 }]);
    expect(one.sim.core.region.volumes.all()[0]?.attachments[0]?.state).toBe('attached');
  });

  test('that is accepted may still end in terminated, with the reason', async () => {
    const one = testRegion();
    one.sim.addFault({
      id: 'doomed',
      action: 'RunInstances',
      kind: 'launch-then-terminate',
      code: 'Server.InternalError',
    });
    const id = await launch(one);
    await one.clock.advance(60_000);
    expect(one.sim.fired('doomed')).toBe(1);
    const { Reservations } = await one.ok<{ Reservations: { Instances: object[] }[] }>('DescribeInstances', {
      InstanceIds: [id],
    });
    expect(Reservations[0]?.Instances[0]).toMatchObject({
      State: { Code: 48, Name: 'terminated' },
      StateReason: { Code: 'Server.InternalError' },
      BlockDeviceMappings: [],
    });
  });

  test('without capacity in one zone is refused with 500, and another zone still has room', async () => {
    const one = testRegion();
    one.sim.setCapacity('us-east-1a', 't3.micro', 0);
    const input = runRequest(one.sim, { SubnetId: subnetOf(one, 'a'), ClientToken: 'full' });
    const full = await one.refused('RunInstances', input);
    expect(full).toMatchObject({
      name: 'InsufficientInstanceCapacity',
      $fault: 'server',
      $metadata: { httpStatusCode: 500 },
    });
    await launch(one, { SubnetId: subnetOf(one, 'b') });
    expect(one.sim.log.launches()).toHaveLength(1);
    expect(one.sim.core.region.volumes.all()).toHaveLength(1);
  });

  test('cannot bring another root snapshot than its image has', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim);
    const snapshot = one.sim.seed('CreateSnapshot', { VolumeId: db.volumeIds['/dev/xvda'] });
    const refused = await one.refused(
      'RunInstances',
      runRequest(one.sim, {
        BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: snapshot['SnapshotId'] } }],
      }),
    );
    expect(refused).toMatchObject({
      name: 'InvalidBlockDeviceMapping',
      message: 'snapshotId cannot be modified on root device',
    });
  });

  test('beyond the quota is refused, and terminated instances count for an hour', async () => {
    const one = testRegion({ quotas: { instances: 1 } });
    const { instanceId } = seedInstance(one.sim);
    await one.ok('TerminateInstances', { InstanceIds: [instanceId] });
    await one.clock.advance(120_000);
    expect(stateOf(one, instanceId)).toBe('terminated');
    expect((await one.refused('RunInstances', runRequest(one.sim))).name).toBe('InstanceLimitExceeded');
    await one.clock.advance(3_600_000);
    expect(stateOf(one, instanceId)).toBeUndefined();
    await launch(one);
  });

  test('with a pending image or a pending snapshot is refused', async () => {
    const one = testRegion({ latency: { 'image.pending': [60_000, 60_000] } });
    const db = seedInstance(one.sim, { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 1 }] });
    const root = one.sim.seed('CreateSnapshot', { VolumeId: db.volumeIds['/dev/xvda'] });
    const { ImageId } = await one.ok<{ ImageId: string }>('RegisterImage', {
      Name: 'copy',
      Architecture: 'x86_64',
      RootDeviceName: '/dev/xvda',
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: root['SnapshotId'] } }],
    });
    expect((await one.refused('RunInstances', runRequest(one.sim, { ImageId }))).name).toBe('InvalidAMIID.Unavailable');
    const { SnapshotId } = await one.ok<{ SnapshotId: string }>('CreateSnapshot', {
      VolumeId: db.volumeIds['/dev/sdf'],
    });
    const mapping = { BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: { SnapshotId } }] };
    expect((await one.refused('RunInstances', runRequest(one.sim, mapping))).name).toBe('IncorrectState');
    const volume = { AvailabilityZone: 'us-east-1a', SnapshotId };
    expect((await one.refused('CreateVolume', volume)).name).toBe('IncorrectState');
  });

  test('repeats unknown, missing and mistyped members as the wire would', async () => {
    const one = testRegion();
    const { ImageId: _image, ...rest } = runRequest(one.sim);
    expect((await one.refused('RunInstances', { ...rest, Colour: 'red' })).name).toBe('UnknownParameter');
    expect((await one.refused('RunInstances', { ImageId: 'ami-1', MinCount: 1 })).name).toBe('MissingParameter');
    expect((await one.refused('RunInstances', runRequest(one.sim, { MaxCount: '1' }))).name).toBe(
      'InvalidParameterValue',
    );
    expect((await one.refused('MakeCoffee', {})).name).toBe('InvalidAction');
  });
});

describe('a client token', () => {
  test('repeated in its zone gives the same instance, in another zone a second one', async () => {
    const one = testRegion();
    const first = await launch(one, { ClientToken: 't', SubnetId: subnetOf(one, 'a') });
    const again = await launch(one, { ClientToken: 't', SubnetId: subnetOf(one, 'a') });
    expect(again).toBe(first);
    const other = await launch(one, { ClientToken: 't', SubnetId: subnetOf(one, 'b') });
    expect(other).not.toBe(first);
    expect(one.sim.log.launchesByToken().get('t')).toHaveLength(2);
  });

  test('with other parameters is a mismatch', async () => {
    const one = testRegion();
    await launch(one, { ClientToken: 't', SubnetId: subnetOf(one, 'a') });
    const refused = await one.refused(
      'RunInstances',
      runRequest(one.sim, { ClientToken: 't', SubnetId: subnetOf(one, 'a'), InstanceType: 't3.small' }),
    );
    expect(refused.name).toBe('IdempotentParameterMismatch');
  });

  test('of a terminated instance does not launch again', async () => {
    const one = testRegion();
    const input = runRequest(one.sim, { ClientToken: 't', SubnetId: subnetOf(one, 'a') });
    const id = await launch(one, input);
    await one.clock.advance(30_000);
    await one.ok('TerminateInstances', { InstanceIds: [id] });
    await one.clock.advance(120_000);
    expect((await one.refused('RunInstances', input)).name).toBe('IdempotentInstanceTerminated');
    expect(one.sim.log.launches()).toHaveLength(1);
  });

  test('of a refused launch is free again', async () => {
    const one = testRegion();
    one.sim.addFault({ id: 'full', action: 'RunInstances', kind: 'capacity' });
    const input = runRequest(one.sim, { ClientToken: 't', SubnetId: subnetOf(one, 'a') });
    expect((await one.refused('RunInstances', input)).name).toBe('InsufficientInstanceCapacity');
    await launch(one, input);
    expect(one.sim.fired('full')).toBe(1);
    expect(one.sim.log.launches()).toHaveLength(1);
  });

  test('of an interface that was deleted does not bring it back', async () => {
    const one = testRegion();
    const input = { SubnetId: subnetOf(one, 'a'), ClientToken: 'permit' };
    const { NetworkInterface } = await one.ok<{ NetworkInterface: { NetworkInterfaceId: string } }>(
      'CreateNetworkInterface',
      input,
    );
    const again = await one.ok<{ NetworkInterface: object }>('CreateNetworkInterface', input);
    expect(again.NetworkInterface).toMatchObject({ NetworkInterfaceId: NetworkInterface.NetworkInterfaceId });
    await one.ok('DeleteNetworkInterface', { NetworkInterfaceId: NetworkInterface.NetworkInterfaceId });
    expect((await one.refused('CreateNetworkInterface', input)).name).toBe('InvalidNetworkInterfaceID.NotFound');
    expect(one.sim.core.region.networkInterfaces.all()).toHaveLength(0);
  });
});

describe('a permit (an interface made before the launch)', () => {
  const permit = async (one: ReturnType<typeof testRegion>): Promise<string> => {
    const made = await one.ok<{ NetworkInterface: { NetworkInterfaceId: string } }>('CreateNetworkInterface', {
      SubnetId: subnetOf(one, 'a'),
    });
    return made.NetworkInterface.NetworkInterfaceId;
  };
  const withPermit = (id: string) => ({ NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: id }] });

  test('that is gone makes the launch impossible', async () => {
    const one = testRegion();
    const id = await permit(one);
    await one.ok('DeleteNetworkInterface', { NetworkInterfaceId: id });
    const refused = await one.refused('RunInstances', runRequest(one.sim, withPermit(id)));
    expect(refused.name).toBe('InvalidNetworkInterfaceID.NotFound');
  });

  test('serves one launch only, and cannot be deleted from its acceptance on', async () => {
    const one = testRegion({ latency: { 'instance.pending': [60_000, 60_000] } });
    const id = await permit(one);
    const instanceId = await launch(one, withPermit(id));
    expect(stateOf(one, instanceId)).toBe('pending');
    const second = await one.refused('RunInstances', runRequest(one.sim, withPermit(id)));
    expect(second.name).toBe('InvalidNetworkInterface.InUse');
    const deletion = await one.refused('DeleteNetworkInterface', { NetworkInterfaceId: id });
    expect(deletion.name).toBe('InvalidNetworkInterface.InUse');
  });

  test('is not combined with a subnet or a group on the instance', async () => {
    const one = testRegion();
    const id = await permit(one);
    const refused = await one.refused(
      'RunInstances',
      runRequest(one.sim, { ...withPermit(id), SubnetId: subnetOf(one, 'a') }),
    );
    expect(refused.name).toBe('InvalidParameterCombination');
  });
});
