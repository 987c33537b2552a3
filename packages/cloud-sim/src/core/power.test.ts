import { describe, expect, test } from 'vitest';
import { seedInstance } from '../seed-instance.ts';
import { launch, testRegion, runRequest, stateOf } from './region.fixtures.ts';

interface Statuses {
  readonly InstanceStatuses: readonly { readonly InstanceStatus: { readonly Status: string } }[];
}

describe('stop', () => {
  test('an API stop names the user, keeps disks, interface and Elastic IP', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim, { elasticIp: true, dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 1 }] });
    await one.ok('StopInstances', { InstanceIds: [db.instanceId], Force: true, SkipOsShutdown: true });
    expect(stateOf(one, db.instanceId)).toBe('stopping');
    await one.clock.advance(20_000);
    const { Reservations } = await one.ok<{ Reservations: { Instances: object[] }[] }>('DescribeInstances', {
      InstanceIds: [db.instanceId],
    });
    expect(Reservations[0]?.Instances[0]).toMatchObject({
      State: { Name: 'stopped' },
      StateReason: { Code: 'Client.UserInitiatedShutdown' },
      PublicIpAddress: db.publicIp,
      PrivateIpAddress: db.privateIp,
      BlockDeviceMappings: [{}, {}],
    });
  });

  test('a repeat while stopping is a success; a stop of something pending needs force', async () => {
    const one = testRegion({ latency: { 'instance.pending': [60_000, 60_000] } });
    const id = await launch(one);
    expect((await one.refused('StopInstances', { InstanceIds: [id] })).name).toBe('IncorrectInstanceState');
    await one.ok('StopInstances', { InstanceIds: [id], Force: true });
    await one.ok('StopInstances', { InstanceIds: [id] });
    await one.clock.advance(90_000);
    expect(stateOf(one, id)).toBe('stopped');
  });

  test('a guest that hangs delays a graceful stop by minutes, a skipped shutdown does not', async () => {
    const one = testRegion();
    const [slow, quick] = [seedInstance(one.sim), seedInstance(one.sim)];
    for (const { instanceId } of [slow, quick]) expect(one.sim.crashInstance(instanceId)).toBe(true);
    await one.ok('StopInstances', { InstanceIds: [slow.instanceId], Force: true });
    await one.ok('StopInstances', { InstanceIds: [quick.instanceId], Force: true, SkipOsShutdown: true });
    await one.clock.advance(60_000);
    expect([stateOf(one, slow.instanceId), stateOf(one, quick.instanceId)]).toEqual(['stopping', 'stopped']);
    await one.clock.advance(240_000);
    expect(stateOf(one, slow.instanceId)).toBe('stopped');
  });

  test('a stuck instance stays stopping until force has waited ten minutes', async () => {
    const one = testRegion();
    const { instanceId } = seedInstance(one.sim);
    one.sim.addFault({ id: 'stuck', action: 'StopInstances', kind: 'stuck-stopping' });
    await one.ok('StopInstances', { InstanceIds: [instanceId] });
    await one.clock.advance(3_600_000);
    expect(stateOf(one, instanceId)).toBe('stopping');
    await one.ok('StopInstances', { InstanceIds: [instanceId], Force: true });
    await one.clock.advance(590_000);
    expect(stateOf(one, instanceId)).toBe('stopping');
    await one.clock.advance(20_000);
    expect(stateOf(one, instanceId)).toBe('stopped');
    expect(one.sim.fired('stuck')).toBe(1);
  });

  test('stop protection refuses stop and terminate, and is lifted late', async () => {
    const one = testRegion({ latency: { 'consistency.protection': [3_000, 3_000] } });
    const { instanceId } = seedInstance(one.sim, { request: { DisableApiStop: true } });
    const stop = { InstanceIds: [instanceId], Force: true };
    expect((await one.refused('StopInstances', stop)).name).toBe('OperationNotPermitted');
    expect((await one.refused('TerminateInstances', { InstanceIds: [instanceId] })).name).toBe('OperationNotPermitted');
    await one.ok('ModifyInstanceAttribute', { InstanceId: instanceId, DisableApiStop: { Value: false } });
    expect((await one.refused('StopInstances', stop)).name).toBe('OperationNotPermitted');
    await one.clock.advance(3_000);
    await one.ok('StopInstances', stop);
  });

  test('an operating system that shuts down by itself is told apart', async () => {
    const one = testRegion();
    const { instanceId } = seedInstance(one.sim);
    expect(one.sim.shutDownFromInside(instanceId)).toBe(true);
    await one.clock.advance(60_000);
    expect(one.sim.core.region.instances.get(instanceId)).toMatchObject({
      state: 'stopped',
      stateReason: { code: 'Client.InstanceInitiatedShutdown' },
    });
  });

  test('a batch with one instance that does not exist stops none', async () => {
    const one = testRegion();
    const { instanceId } = seedInstance(one.sim);
    const refused = await one.refused('StopInstances', { InstanceIds: [instanceId, 'i-00000000000000000'] });
    expect(refused.name).toBe('InvalidInstanceID.NotFound');
    expect(stateOf(one, instanceId)).toBe('running');
  });
});

describe('terminate', () => {
  test('deletes what is marked so and sets the rest free', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim, { elasticIp: true, dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 1 }] });
    await one.ok('TerminateInstances', { InstanceIds: [db.instanceId] });
    await one.clock.advance(120_000);
    const { region } = one.sim.core;
    expect(stateOf(one, db.instanceId)).toBe('terminated');
    expect(region.volumes.get(db.volumeIds['/dev/xvda'] ?? '')).toBeUndefined();
    expect(region.volumes.get(db.volumeIds['/dev/sdf'] ?? '')).toMatchObject({ state: 'available', attachments: [] });
    expect(region.networkInterfaces.get(db.networkInterfaceId)).toBeUndefined();
    expect(region.addresses.get(db.allocationId ?? '')).toMatchObject({ associationId: null, publicIp: db.publicIp });
  });

  test('a root volume whose mark was taken off survives', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim);
    await one.ok('ModifyInstanceAttribute', {
      InstanceId: db.instanceId,
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { DeleteOnTermination: false } }],
    });
    await one.ok('TerminateInstances', { InstanceIds: [db.instanceId] });
    await one.clock.advance(120_000);
    expect(one.sim.core.region.volumes.get(db.volumeIds['/dev/xvda'] ?? '')?.state).toBe('available');
  });

  test('a repeat is a success, and a stopped instance cannot be stopped or started afterwards', async () => {
    const one = testRegion();
    const { instanceId } = seedInstance(one.sim);
    await one.ok('TerminateInstances', { InstanceIds: [instanceId] });
    await one.ok('TerminateInstances', { InstanceIds: [instanceId] });
    expect((await one.refused('StopInstances', { InstanceIds: [instanceId] })).name).toBe('IncorrectInstanceState');
    expect((await one.refused('StartInstances', { InstanceIds: [instanceId] })).name).toBe('IncorrectInstanceState');
  });
});

describe('status checks', () => {
  const statusOf = async (one: ReturnType<typeof testRegion>, id: string) =>
    (await one.ok<Statuses>('DescribeInstanceStatus', { InstanceIds: [id] })).InstanceStatuses[0]?.InstanceStatus
      .Status;

  test('are initializing first, ok after minutes, impaired a minute or two after a crash', async () => {
    const one = testRegion();
    const id = await launch(one);
    await one.clock.advance(20_000);
    expect(await statusOf(one, id)).toBe('initializing');
    await one.clock.advance(180_000);
    expect(await statusOf(one, id)).toBe('ok');
    one.sim.crashInstance(id);
    expect(await statusOf(one, id)).toBe('ok');
    await one.clock.advance(130_000);
    expect(await statusOf(one, id)).toBe('impaired');
    expect(stateOf(one, id)).toBe('running');
  });

  test('list running instances only, unless all are asked for', async () => {
    const one = testRegion();
    const { instanceId } = seedInstance(one.sim);
    await one.ok('StopInstances', { InstanceIds: [instanceId], SkipOsShutdown: true });
    await one.clock.advance(30_000);
    expect(await one.ok('DescribeInstanceStatus', { InstanceIds: [instanceId] })).toMatchObject({
      InstanceStatuses: [],
    });
    const all = await one.ok('DescribeInstanceStatus', { InstanceIds: [instanceId], IncludeAllInstances: true });
    expect(all).toMatchObject({ InstanceStatuses: [{ InstanceStatus: { Status: 'not-applicable' } }] });
  });

  test('a failed system check fails the instance check too', async () => {
    const one = testRegion();
    const { instanceId } = seedInstance(one.sim);
    one.sim.setImpairedChecks(instanceId, ['system']);
    expect(await one.ok('DescribeInstanceStatus', { InstanceIds: [instanceId] })).toMatchObject({
      InstanceStatuses: [
        {
          SystemStatus: { Status: 'impaired' },
          InstanceStatus: { Status: 'impaired' },
          AttachedEbsStatus: { Status: 'ok' },
        },
      ],
    });
  });
});

test('a start needs capacity, and goes through pending', async () => {
  const one = testRegion();
  const { instanceId } = seedInstance(one.sim);
  await one.ok('StopInstances', { InstanceIds: [instanceId], SkipOsShutdown: true });
  await one.clock.advance(30_000);
  one.sim.setCapacity('us-east-1a', 't3.micro', 0);
  expect((await one.refused('StartInstances', { InstanceIds: [instanceId] })).name).toBe(
    'InsufficientInstanceCapacity',
  );
  one.sim.setCapacity('us-east-1a', 't3.micro', null);
  await one.ok('StartInstances', { InstanceIds: [instanceId] });
  expect(stateOf(one, instanceId)).toBe('pending');
  await one.clock.advance(10_000);
  expect(stateOf(one, instanceId)).toBe('running');
});

test('a dry run changes nothing and says so with 412', async () => {
  const one = testRegion();
  const refused = await one.refused('RunInstances', runRequest(one.sim, { DryRun: true }));
  expect(refused).toMatchObject({ name: 'DryRunOperation', $metadata: { httpStatusCode: 412 } });
  expect(one.sim.log.launches()).toHaveLength(0);
  one.sim.setDeniedActions(['RunInstances']);
  const denied = await one.refused('RunInstances', runRequest(one.sim, { DryRun: true }));
  expect(denied).toMatchObject({ name: 'UnauthorizedOperation', $metadata: { httpStatusCode: 403 } });
});
