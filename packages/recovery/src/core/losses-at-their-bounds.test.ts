import { type PolicyChange, policyWith } from '@understudy/shared/testing';
import type { CloudInstance } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import {
  instanceFixture,
  planFixture,
  planInputFixture,
  typeFactsFixture,
  typeFixture,
  volumeFixture,
} from './plan.fixture.ts';
import type { PlanInput } from './plan-input.ts';

/** What a plan calls lost, one step on this and on the other side of where it begins. */

const losses = (change: Partial<PlanInput>, policy: PolicyChange = {}) =>
  new Map(planFixture(change, policyWith(policy)).losses.map(({ code, text }) => [code, text]));
const raw = (members: Record<string, unknown>, over: Partial<CloudInstance> = {}): Partial<PlanInput> => ({
  instance: instanceFixture(over, members),
});
const eni = (members: Record<string, unknown>) =>
  raw({ NetworkInterfaces: [{ NetworkInterfaceId: 'eni-1', Attachment: { DeviceIndex: 0 }, ...members }] });
const type = (change: Parameters<typeof typeFixture>[0]): Partial<PlanInput> => ({
  typeFacts: typeFactsFixture(typeFixture(change)),
});
const placement = (members: Record<string, unknown>) =>
  raw({ Placement: { AvailabilityZone: 'us-east-1a', ...members } });
const disks = (...all: readonly Parameters<typeof volumeFixture>[0][]): Partial<PlanInput> => ({
  volumes: all.map(volumeFixture),
});

describe('is named, with what it is', () => {
  it.each<[string, string, Partial<PlanInput>, string]>([
    ['a private address', 'PrivateIpChanges', {}, 'private address 10.0.1.10'],
    ['whom nothing leads to the next one', 'PrivateIpChanges', {}, 'names no records and no target groups'],
    [
      'secondary addresses, the primary one not counted',
      'SecondaryPrivateIpsLost',
      eni({ PrivateIpAddresses: [{ Primary: true }, { Primary: false }, { Primary: false }] }),
      '2 secondary',
    ],
    ['IPv6 addresses', 'Ipv6AddressesLost', eni({ Ipv6Addresses: [{}, {}] }), '2 IPv6 addresses'],
    ['IPv6 prefixes alone', 'PrefixesLost', eni({ Ipv6Prefixes: [{}] }), '1 delegated'],
    ['prefixes of both kinds', 'PrefixesLost', eni({ Ipv4Prefixes: [{}], Ipv6Prefixes: [{}, {}] }), '3 delegated'],
    ['the type of the interface', 'InterfaceTypeLost', eni({ InterfaceType: 'branch' }), 'of type branch'],
    [
      'IPv6 names by the resource alone',
      'PrivateDnsOptionsLost',
      { ...raw({ PrivateDnsNameOptions: { EnableResourceNameDnsAAAARecord: true } }), level: 1 },
      'private DNS',
    ],
    ['an automatic address', 'PublicIpLost', { addresses: [] }, '203.0.113.7'],
    [
      'Elastic IPs on other interfaces',
      'AddressesNotMoved',
      { addresses: planInputFixture().addresses.map((one) => ({ ...one, networkInterfaceId: 'eni-x' })) },
      '203.0.113.7',
    ],
    [
      'disks on further EBS cards',
      'EbsCardIndexLost',
      raw({ BlockDeviceMappings: [{ Ebs: { EbsCardIndex: 1 } }, { Ebs: { EbsCardIndex: 0 } }, { Ebs: {} }] }),
      '1 volumes return',
    ],
    [
      'disks of a type whose instance store comes by itself',
      'InstanceStoreLost',
      type({ instanceStorage: true, instanceStoreNvme: null }),
      'empty',
    ],
    [
      'disks of a Xen type whose instance store is NVMe',
      'InstanceStoreLost',
      type({ instanceStorage: true, instanceStoreNvme: 'required', hypervisor: 'xen' }),
      'empty',
    ],
    [
      'disks of a type that wants a mapping for them',
      'InstanceStoreNotMapped',
      type({ instanceStorage: true, instanceStoreNvme: null, hypervisor: 'xen' }),
      'm7i.large wants ephemeralN',
    ],
    [
      'products of the Marketplace',
      'MarketplaceProduct',
      raw({ ProductCodes: [{ ProductCodeId: 'a' }, {}, { ProductCodeId: 'b' }] }),
      'product a, b stays',
    ],
    ['a place on a host', 'DedicatedHostNotKept', placement({ HostId: 'h-1' }), 'auto-placement'],
    [
      'reboot migration',
      'RebootMigrationLost',
      { ...raw({ MaintenanceOptions: { RebootMigration: 'x' } }), level: 1 },
      'is x',
    ],
    ['UEFI variables of what may boot either way', 'UefiVariablesLost', raw({ BootMode: 'uefi-preferred' }), 'UEFI'],
    [
      'a stack',
      'CloudFormationDrift',
      { instance: instanceFixture({ tags: { 'aws:cloudformation:stack-name': 'S' } }) },
      'stack S',
    ],
    [
      'a launch template',
      'LaunchTemplateLinkLost',
      { instance: instanceFixture({ tags: { 'aws:ec2launchtemplate:id': 'lt-1' } }) },
      'lt-1',
    ],
  ])('%s', (_, code, change, text) => expect(losses(change).get(code)).toContain(text));
});

describe('is not named', () => {
  it.each<[string, string, Partial<PlanInput>]>([
    [
      'an interface without secondary addresses',
      'SecondaryPrivateIpsLost',
      eni({ PrivateIpAddresses: [{ Primary: true }] }),
    ],
    ['names by the address', 'PrivateDnsOptionsLost', raw({ PrivateDnsNameOptions: { HostnameType: 'ip-name' } })],
    ['no IPv6, no prefixes', 'Ipv6AddressesLost', eni({ Ipv6Addresses: [] })],
    ['no prefixes', 'PrefixesLost', eni({ Ipv4Prefixes: [], Ipv6Prefixes: [] })],
    ['tracking without an option', 'ConnectionTrackingLost', eni({ ConnectionTrackingConfiguration: {} })],
    ['a plain interface', 'InterfaceTypeLost', eni({ InterfaceType: 'interface' })],
    ['an interface of which no type is told', 'InterfaceTypeLost', eni({})],
    ['only one interface', 'ExtraNetworkInterfacesLost', {}],
    ['a public address that is elastic', 'PublicIpLost', {}],
    ['no public address', 'PublicIpLost', { ...raw({}, { publicIp: null }), addresses: [] }],
    ['an address that moves', 'AddressesNotMoved', {}],
    [
      'device names where there is one disk',
      'DeviceNamesMayChange',
      {
        ...raw({}, { volumes: instanceFixture().volumes.filter((one) => one.volumeId === 'vol-root') }),
        ...disks({ volumeId: 'vol-root' }),
      },
    ],
    ['device names where disks are not NVMe', 'DeviceNamesMayChange', type({ hypervisor: 'xen' })],
    ['a key where nothing is encrypted', 'KmsKeyUnnamed', disks({ volumeId: 'vol-root' }, { volumeId: 'vol-data' })],
    [
      'a key where it has a name',
      'KmsKeyUnnamed',
      disks({ volumeId: 'vol-root' }, { volumeId: 'vol-data', encrypted: true, kmsKeyId: 'k' }),
    ],
    ['a key id in user data without one', 'AgentKeyInUserData', { userData: null }],
    ['no EBS cards', 'EbsCardIndexLost', raw({ BlockDeviceMappings: [{ Ebs: { EbsCardIndex: 0 } }] })],
    [
      'a type without instance store',
      'InstanceStoreLost',
      type({ instanceStorage: false, instanceStoreNvme: 'required' }),
    ],
    [
      'a host of a group, which EC2 chooses anyway',
      'DedicatedHostNotKept',
      placement({ HostId: 'h-1', HostResourceGroupArn: 'arn' }),
    ],
    ['no host', 'DedicatedHostNotKept', placement({ HostResourceGroupArn: 'arn' })],
    ['affinity that is none', 'HostAffinityLost', placement({ Affinity: 'default' })],
    ['no product', 'MarketplaceProduct', raw({ ProductCodes: [{}] })],
    ['credits of a type that has none', 'CpuCreditsUnknown', {}],
    [
      'credits that are known',
      'CpuCreditsUnknown',
      { ...raw({}, { instanceType: 't3.small' }), cpuCredits: 'standard' },
    ],
    ['cores where the type is known', 'CpuOptionsNotCompared', {}],
    [
      'cores that are not told',
      'CpuOptionsNotCompared',
      { ...raw({ CpuOptions: {} }), typeFacts: { types: new Map(), offeredIn: new Map() } },
    ],
    ['a shutdown behaviour that is known', 'ShutdownBehaviorUnknown', { shutdownBehavior: 'stop' }],
    [
      'the default of reboot migration',
      'RebootMigrationLost',
      raw({ MaintenanceOptions: { RebootMigration: 'default' } }),
    ],
    ['no TPM', 'TpmSecretsLost', {}],
    ['a boot without UEFI', 'UefiVariablesLost', {}],
    ['a boot mode that nobody tells', 'UefiVariablesLost', raw({ BootMode: undefined })],
    ['no stack', 'CloudFormationDrift', {}],
    ['no template', 'LaunchTemplateLinkLost', {}],
  ])('%s', (_, code, change) => expect([...losses(change).keys()]).not.toContain(code));
});

describe('what candidates elsewhere give up', () => {
  const GROUP = placement({ GroupName: 'pg' });
  const RESERVED = raw({
    CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: 'cr-1' } },
  });
  const ENCLAVE = raw({ EnclaveOptions: { Enabled: true } });
  const elsewhere = { recover: { placements: [{ subnetId: 'subnet-a' }, { subnetId: 'subnet-b' }] } };
  const otherType = {
    recover: { placements: [{ subnetId: 'subnet-a' }, { subnetId: 'subnet-a', instanceType: 'm6i.large' }] },
  };

  it('is the placement group in another zone, by id or by name; in the own zone nothing', () => {
    expect([...losses(GROUP, elsewhere).keys()]).toContain('PlacementGroupInOwnZoneOnly');
    expect([...losses(placement({ GroupId: 'pg-1' }), elsewhere).keys()]).toContain('PlacementGroupInOwnZoneOnly');
    expect([...losses(GROUP).keys()]).not.toContain('PlacementGroupInOwnZoneOnly');
    expect([...losses({}, elsewhere).keys()]).not.toContain('PlacementGroupInOwnZoneOnly');
  });
  it('is the reservation in another zone; in the own zone nothing', () => {
    expect([...losses(RESERVED, elsewhere).keys()]).toContain('ReservationInOwnZoneOnly');
    expect([...losses(RESERVED).keys()]).not.toContain('ReservationInOwnZoneOnly');
    expect([...losses({}, elsewhere).keys()]).not.toContain('ReservationInOwnZoneOnly');
  });
  it('is what is bound to the type on another type, by name; on the own type nothing', () => {
    expect(losses(ENCLAVE, otherType).get('TypeBoundOptionsDropped')).toBe(
      'candidates of another type are launched without EbsOptimized, EnclaveOptions',
    );
    expect([...losses(ENCLAVE).keys()]).not.toContain('TypeBoundOptionsDropped');
    expect([...losses(raw({}, { ebsOptimized: false }), otherType).keys()]).not.toContain('TypeBoundOptionsDropped');
  });
});

describe('tags over the limit', () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));
  const over = (change: Partial<PlanInput>, policy: PolicyChange = {}) => losses(change, policy).get('TagsOverLimit');
  it('begin with the 49th: two places are kept for the marks of the recovery', () => {
    expect(over(disks({ volumeId: 'vol-root', tags: many(48) }, { volumeId: 'vol-data' }))).toBeUndefined();
    expect(over(disks({ volumeId: 'vol-root', tags: many(49) }, { volumeId: 'vol-data' }))).toBe(
      '1 resources have more than 48 tags: the last by name are dropped',
    );
  });
  it('begin with the 48th on an instance, which also gets the image that its line began with', () => {
    expect(over({ instance: instanceFixture({ tags: many(47) }) })).toBeUndefined();
    expect(over({ instance: instanceFixture({ tags: many(48) }) })).toBe(
      '1 resources have more than 48 tags: the last by name are dropped',
    );
    const tags = { ...many(47), 'understudy:seed-image': 'ami-0f' };
    expect(over({ instance: instanceFixture({ tags }) })).toBeUndefined();
  });
  it('are counted with those that the policy wants, on instance, disks and interface', () => {
    const tags = { team: 'db' };
    const [own] = planInputFixture().networkInterfaces;
    if (!own) throw new Error('fixture without an interface');
    const all = {
      ...{ instance: instanceFixture({ tags: many(47) }), networkInterfaces: [{ ...own, tags: many(48) }] },
      ...disks({ volumeId: 'vol-root', tags: many(48) }, { volumeId: 'vol-data' }),
    };
    expect(over(all)).toBeUndefined();
    expect(over(all, { recover: { tags } })).toBe(
      '3 resources have more than 48 tags, 1 of the policy included: the last by name are dropped',
    );
  });
});
