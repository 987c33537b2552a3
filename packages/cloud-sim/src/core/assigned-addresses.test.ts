import { describe, expect, test } from 'vitest';
import { imdsContent } from '../http/imds-content.ts';
import { seedInstance, type SeededInstance } from '../seed-instance.ts';
import { launch, stateOf, testRegion, type TestRegion } from './region.fixtures.ts';

const LARGE = { instanceType: 'm5.large' };

const interfaceOf = (one: TestRegion, seeded: SeededInstance) =>
  one.sim.core.region.networkInterfaces.get(seeded.networkInterfaceId);

const addressesSeen = (one: TestRegion, seeded: SeededInstance): readonly string[] => {
  const mac = interfaceOf(one, seeded)?.macAddress ?? '';
  const path = `meta-data/network/interfaces/macs/${mac}/local-ipv4s`;
  return (imdsContent(one.sim, seeded.instanceId, path, {}) ?? '').split('\n');
};

async function assigned(one: TestRegion, seeded: SeededInstance): Promise<string> {
  const { AssignedPrivateIpAddresses } = await one.ok<{ AssignedPrivateIpAddresses: { PrivateIpAddress: string }[] }>(
    'AssignPrivateIpAddresses',
    { NetworkInterfaceId: seeded.networkInterfaceId, SecondaryPrivateIpAddressCount: 1 },
  );
  return AssignedPrivateIpAddresses[0]?.PrivateIpAddress ?? '';
}

describe('a secondary private address', () => {
  test('moves only with AllowReassignment, takes its Elastic IP along, and reaches the guest later', async () => {
    const one = testRegion();
    const [from, to] = [seedInstance(one.sim, LARGE), seedInstance(one.sim, LARGE)];
    const ip = await assigned(one, from);
    const { AllocationId } = one.sim.seed('AllocateAddress', { Domain: 'vpc' });
    const there = { AllocationId, NetworkInterfaceId: from.networkInterfaceId, PrivateIpAddress: ip };
    one.sim.seed('AssociateAddress', there);
    const move = { NetworkInterfaceId: to.networkInterfaceId, PrivateIpAddresses: [ip] };
    expect((await one.refused('AssignPrivateIpAddresses', move)).name).toBe('InvalidIPAddress.InUse');
    await one.ok('AssignPrivateIpAddresses', { ...move, AllowReassignment: true });
    expect(addressesSeen(one, to)).not.toContain(ip);
    await one.clock.advance(5_000);
    expect(addressesSeen(one, to)).toContain(ip);
    expect(interfaceOf(one, from)?.secondaryIps).toEqual([]);
    expect(await one.ok('DescribeAddresses', { AllocationIds: [AllocationId] })).toMatchObject({
      Addresses: [{ NetworkInterfaceId: to.networkInterfaceId, PrivateIpAddress: ip, InstanceId: to.instanceId }],
    });
  });

  test('is never the primary one of another interface', async () => {
    const one = testRegion();
    const [from, to] = [seedInstance(one.sim, LARGE), seedInstance(one.sim, LARGE)];
    const move = { NetworkInterfaceId: to.networkInterfaceId, PrivateIpAddresses: [from.privateIp] };
    const refused = await one.refused('AssignPrivateIpAddresses', { ...move, AllowReassignment: true });
    expect(refused.name).toBe('InvalidParameterValue');
  });

  test('is limited by the type, belongs to the subnet, and is assigned twice without harm', async () => {
    const one = testRegion();
    const [small, other] = [seedInstance(one.sim), seedInstance(one.sim, { az: 'us-east-1b', ...LARGE })];
    const ip = await assigned(one, small);
    const again = { NetworkInterfaceId: small.networkInterfaceId, PrivateIpAddresses: [ip] };
    await one.ok('AssignPrivateIpAddresses', again);
    expect(interfaceOf(one, small)?.secondaryIps).toEqual([ip]);
    const second = { NetworkInterfaceId: small.networkInterfaceId, SecondaryPrivateIpAddressCount: 1 };
    expect((await one.refused('AssignPrivateIpAddresses', second)).name).toBe('PrivateIpAddressLimitExceeded');
    const far = { ...again, NetworkInterfaceId: other.networkInterfaceId, AllowReassignment: true };
    expect((await one.refused('AssignPrivateIpAddresses', far)).name).toBe('InvalidParameterValue');
  });

  test('gives up its Elastic IP when it is unassigned, and is free for others', async () => {
    const one = testRegion();
    const [db, next] = [seedInstance(one.sim, LARGE), seedInstance(one.sim, LARGE)];
    const ip = await assigned(one, db);
    const { AllocationId } = one.sim.seed('AllocateAddress', { Domain: 'vpc' });
    const there = { AllocationId, NetworkInterfaceId: db.networkInterfaceId, PrivateIpAddress: ip };
    one.sim.seed('AssociateAddress', there);
    const off = { NetworkInterfaceId: db.networkInterfaceId, PrivateIpAddresses: [ip] };
    await one.ok('UnassignPrivateIpAddresses', off);
    expect((await one.refused('UnassignPrivateIpAddresses', off)).name).toBe('InvalidParameterValue');
    expect(one.sim.core.region.addresses.get(String(AllocationId))?.associationId).toBeNull();
    await one.ok('AssignPrivateIpAddresses', { ...off, NetworkInterfaceId: next.networkInterfaceId });
  });
});

describe('IPv6', () => {
  test('does not move: it is unassigned first, and the primary one stays', async () => {
    const one = testRegion();
    const [from, to] = [seedInstance(one.sim, LARGE), seedInstance(one.sim, LARGE)];
    const { AssignedIpv6Addresses: ips } = await one.ok<{ AssignedIpv6Addresses: string[] }>('AssignIpv6Addresses', {
      NetworkInterfaceId: from.networkInterfaceId,
      Ipv6AddressCount: 2,
    });
    const [first = '', second = ''] = ips;
    const move = { NetworkInterfaceId: to.networkInterfaceId, Ipv6Addresses: [second] };
    expect((await one.refused('AssignIpv6Addresses', move)).name).toBe('InvalidIPAddress.InUse');
    await one.ok('ModifyNetworkInterfaceAttribute', {
      NetworkInterfaceId: from.networkInterfaceId,
      EnablePrimaryIpv6: true,
    });
    const off = { NetworkInterfaceId: from.networkInterfaceId, Ipv6Addresses: [first] };
    expect((await one.refused('UnassignIpv6Addresses', off)).name).toBe('InvalidParameterValue');
    await one.ok('UnassignIpv6Addresses', { ...off, Ipv6Addresses: [second] });
    await one.ok('AssignIpv6Addresses', move);
    expect(interfaceOf(one, to)?.ipv6Addresses).toEqual([second]);
  });

  test('of another zone’s subnet is refused', async () => {
    const one = testRegion();
    const far = seedInstance(one.sim, { az: 'us-east-1b', ...LARGE });
    const input = { NetworkInterfaceId: far.networkInterfaceId, Ipv6Addresses: ['2001:db8::7'] };
    expect((await one.refused('AssignIpv6Addresses', input)).name).toBe('InvalidParameterValue');
  });
});

test('prefixes take all their addresses, and give them back with the interface', async () => {
  const one = testRegion();
  const db = seedInstance(one.sim, LARGE);
  const { AssignedIpv4Prefixes } = await one.ok<{ AssignedIpv4Prefixes: { Ipv4Prefix: string }[] }>(
    'AssignPrivateIpAddresses',
    { NetworkInterfaceId: db.networkInterfaceId, Ipv4PrefixCount: 1 },
  );
  const prefix = AssignedIpv4Prefixes[0]?.Ipv4Prefix ?? '';
  expect(prefix).toMatch(/^172\.31\.\d+\.\d+\/28$/);
  const inside = prefix.replace('/28', '');
  const taken = { SubnetId: db.subnetId, PrivateIpAddress: inside };
  expect((await one.refused('CreateNetworkInterface', taken)).name).toBe('InvalidIPAddress.InUse');
  const { AssignedIpv6Prefixes } = await one.ok<{ AssignedIpv6Prefixes: string[] }>('AssignIpv6Addresses', {
    NetworkInterfaceId: db.networkInterfaceId,
    Ipv6PrefixCount: 1,
  });
  expect(AssignedIpv6Prefixes[0]).toMatch(/\/80$/);
  await one.ok('TerminateInstances', { InstanceIds: [db.instanceId] });
  await one.clock.advance(60_000);
  expect(stateOf(one, db.instanceId)).toBe('terminated');
  await one.ok('CreateNetworkInterface', taken);
});

test('a launch asks for all of them at once', async () => {
  const one = testRegion();
  const spec = {
    DeviceIndex: 0,
    PrivateIpAddresses: [
      { Primary: true, PrivateIpAddress: '172.31.0.100' },
      { Primary: false, PrivateIpAddress: '172.31.0.101' },
    ],
    Ipv6AddressCount: 1,
    PrimaryIpv6: true,
    Ipv4PrefixCount: 1,
  };
  const id = await launch(one, { InstanceType: 'm5.large', NetworkInterfaces: [spec] });
  await one.clock.advance(1_000);
  expect(await one.ok('DescribeInstances', { InstanceIds: [id] })).toMatchObject({
    Reservations: [
      {
        Instances: [
          {
            NetworkInterfaces: [
              {
                PrivateIpAddress: '172.31.0.100',
                PrivateIpAddresses: [{ Primary: true }, { PrivateIpAddress: '172.31.0.101' }],
                Ipv6Addresses: [{ IsPrimaryIpv6: true }],
                Ipv4Prefixes: [{ Ipv4Prefix: expect.stringMatching(/\/28$/) as string }],
              },
            ],
          },
        ],
      },
    ],
  });
});
