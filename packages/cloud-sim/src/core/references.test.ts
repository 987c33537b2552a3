import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { seedInstance } from '../seed-instance.ts';
import { NOT_SIMULATED } from './not-simulated.ts';
import { launch, testRegion, runRequest, stateOf } from './region.fixtures.ts';

interface Described {
  readonly KeyPairs?: readonly { readonly KeyName: string }[];
  readonly PlacementGroups?: readonly { readonly GroupId: string }[];
  readonly CapacityReservation?: { readonly CapacityReservationId: string };
  readonly CapacityReservations?: readonly { readonly AvailableInstanceCount: number }[];
  readonly RouteTable?: { readonly RouteTableId: string };
  readonly RouteTables?: readonly { readonly Routes: readonly Record<string, unknown>[] }[];
}

describe('what a launch names must be there', () => {
  test.each([
    [{ KeyName: 'gone' }, 'InvalidKeyPair.NotFound'],
    [{ Placement: { GroupName: 'gone' } }, 'InvalidPlacementGroup.Unknown'],
    [
      {
        CapacityReservationSpecification: {
          CapacityReservationTarget: { CapacityReservationId: 'cr-0123456789abcdef0' },
        },
      },
      'InvalidCapacityReservationId.NotFound',
    ],
    [{ IamInstanceProfile: { Name: 'gone' } }, 'InvalidParameterValue'],
    [{ IamInstanceProfile: { Arn: 'arn:aws:iam::123456789012:instance-profile/gone' } }, 'InvalidParameterValue'],
    [{ LicenseSpecifications: [{ LicenseConfigurationArn: 'arn:gone' }] }, 'InvalidParameterValue'],
    [{ InstanceType: 'm7g.large' }, 'InvalidParameterValue'],
    [{ NetworkPerformanceOptions: { BandwidthWeighting: 'default' } }, 'InvalidParameterCombination'],
    [{ NetworkInterfaces: [{ DeviceIndex: 0 }, { DeviceIndex: 0, NetworkCardIndex: 1 }] }, 'InvalidParameterValue'],
  ])('%j is refused with %s, tried and in earnest, and leaves nothing', async (over, code) => {
    const one = testRegion();
    expect((await one.refused('RunInstances', runRequest(one.sim, { ...over, DryRun: true }))).name).toBe(code);
    expect((await one.refused('RunInstances', runRequest(one.sim, over))).name).toBe(code);
    expect(one.sim.core.region.instances.all()).toEqual([]);
  });

  test('a type that is not sold in the zone, and more volumes than it takes, are refused', async () => {
    const one = testRegion();
    for (const az of one.sim.zones) one.sim.setOffered(az, 't3.micro', false);
    expect((await one.refused('RunInstances', runRequest(one.sim))).name).toBe('Unsupported');
    const disks = Array.from({ length: 28 }, (_, i) => ({
      DeviceName: `/dev/sd${String.fromCharCode(98 + (i % 25))}${i}`,
      Ebs: { VolumeSize: 1 },
    }));
    const full = runRequest(one.sim, { InstanceType: 'm5.large', BlockDeviceMappings: disks });
    expect((await one.refused('RunInstances', full)).name).toBe('AttachmentLimitExceeded');
  });

  test('what is there is taken and shown; a dry run makes nothing', async () => {
    const one = testRegion();
    await one.ok('CreateKeyPair', { KeyName: 'ops' });
    await one.ok('CreatePlacementGroup', { GroupName: 'near', Strategy: 'cluster' });
    one.sim.setInstanceProfile('db', true);
    const over = { KeyName: 'ops', Placement: { GroupName: 'near' }, IamInstanceProfile: { Name: 'db' } };
    const tried = await one.refused('RunInstances', runRequest(one.sim, { ...over, DryRun: true }));
    expect([tried.name, one.sim.core.region.instances.all().length]).toEqual(['DryRunOperation', 0]);
    const id = await launch(one, over);
    expect(stateOf(one, id)).toBeDefined();
    expect((await one.refused('DeletePlacementGroup', { GroupName: 'near' })).name).toBe('InvalidPlacementGroup.InUse');
    await one.ok('DeleteKeyPair', { KeyName: 'ops' });
    expect((await one.ok<Described>('DescribeKeyPairs', {})).KeyPairs).toEqual([]);
  });

  test('a capacity reservation has places, for its own zone and type; a stopped instance gives its place back', async () => {
    const one = testRegion();
    const [az = ''] = one.sim.zones;
    const asked = { AvailabilityZone: az, InstanceType: 't3.micro', InstanceCount: 1, InstancePlatform: 'Linux/UNIX' };
    const made = await one.ok<Described>('CreateCapacityReservation', asked);
    const id = made.CapacityReservation?.CapacityReservationId;
    await one.clock.advance(60_000);
    const over = { CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: id } } };
    const left = async () =>
      (await one.ok<Described>('DescribeCapacityReservations', {})).CapacityReservations?.[0]?.AvailableInstanceCount;
    expect((await one.refused('RunInstances', runRequest(one.sim, { ...over, InstanceType: 'm5.large' }))).name).toBe(
      'ReservationCapacityExceeded',
    );
    const instanceId = await launch(one, over);
    expect(await left()).toBe(0);
    expect((await one.refused('RunInstances', runRequest(one.sim, over))).name).toBe('ReservationCapacityExceeded');
    while (stateOf(one, instanceId) !== 'running') await one.clock.advance(1_000);
    await one.ok('StopInstances', { InstanceIds: [instanceId], SkipOsShutdown: true });
    while (stateOf(one, instanceId) !== 'stopped') await one.clock.advance(1_000);
    expect(await left()).toBe(1);
  });

  test('a machine of the past proves that what it names was there', () => {
    const { sim } = testRegion();
    seedInstance(sim, { request: { KeyName: 'ops', IamInstanceProfile: { Name: 'db' } } });
    expect(sim.core.region.keyPairs.has('ops')).toBe(true);
    expect(sim.core.region.instanceProfiles.has('db')).toBe(true);
  });
});

test('a route to an instance is told with its instance and interface, and leads nowhere once it is stopped', async () => {
  const one = testRegion();
  const { instanceId, networkInterfaceId } = seedInstance(one.sim, {});
  const { RouteTable } = await one.ok<Described>('CreateRouteTable', { VpcId: one.sim.defaultResources.vpcId });
  const route = { RouteTableId: RouteTable?.RouteTableId, DestinationCidrBlock: '10.9.0.0/16' };
  await one.ok('CreateRoute', { ...route, InstanceId: instanceId });
  const look = async () => {
    const Filters = [{ Name: 'route.instance-id', Values: [instanceId] }];
    return (await one.ok<Described>('DescribeRouteTables', { Filters })).RouteTables?.[0]?.Routes[0];
  };
  expect(await look()).toMatchObject({
    InstanceId: instanceId,
    NetworkInterfaceId: networkInterfaceId,
    State: 'active',
  });
  await one.ok('StopInstances', { InstanceIds: [instanceId], SkipOsShutdown: true });
  await one.clock.advance(120_000);
  expect(await look()).toMatchObject({ State: 'blackhole' });
});

test('volumes of a stopped instance read busy for a scripted time', async () => {
  const one = testRegion();
  const { instanceId, volumeIds } = seedInstance(one.sim, { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 1 }] });
  const state = () => one.sim.core.region.volumes.get(volumeIds['/dev/sdf'] ?? '')?.attachments[0]?.state;
  one.sim.addFault({ id: 'busy', action: 'StopInstances', kind: 'busy-after-stop', delayMs: 60_000 });
  await one.ok('StopInstances', { InstanceIds: [instanceId], SkipOsShutdown: true });
  while (stateOf(one, instanceId) !== 'stopped') await one.clock.advance(100);
  expect([state(), one.sim.fired('busy')]).toEqual(['busy', 1]);
  await one.clock.advance(60_000);
  expect(state()).toBe('attached');
});

test('what is not simulated stands in the documentation, word for word', () => {
  const docs = readFileSync(new URL('../../../../docs/cloud-sim.md', import.meta.url), 'utf8');
  // The page wraps its lines. An item ends where the next one or a blank line begins.
  const items = docs.split(/\n(?=- |\n)/).map((item) => item.replace(/\s+/g, ' ').trim());
  expect(NOT_SIMULATED.filter((text) => !items.includes(`- ${text}`))).toEqual([]);
});
