import { type CloudInstance, type CloudInstanceType, DEFAULT_POLICY } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { NO_TYPE_FACTS } from '../candidate-fit.ts';
import { instanceFixture, planInputFixture, typeFactsFixture, typeFixture } from '../plan.fixture.ts';
import type { PlanInput } from '../plan-input.ts';
import { baseFor, imageOf, launchBaseOf } from './carried.ts';

const input = (raw: Record<string, unknown>, over: Partial<CloudInstance> = {}, more: Partial<PlanInput> = {}) =>
  planInputFixture({ instance: instanceFixture(over, raw), ...more });
const base = (...args: Parameters<typeof input>) => launchBaseOf({ input: input(...args), policy: DEFAULT_POLICY });
const image = (change: object) => ({
  ...{
    imageId: 'ami-1',
    name: '',
    state: 'available',
    rootSnapshotId: null,
    rootDeviceName: '/dev/xvda',
    otherDeviceNames: [],
    architecture: 'arm64',
    bootMode: 'uefi',
  },
  ...{ enaSupport: false, tpmSupport: 'v2.0', sriovNetSupport: 'simple', virtualizationType: 'paravirtual' },
  ...{ imdsSupport: 'v2.0', tags: {}, ...change },
});

describe('of the instance the launch repeats', () => {
  it('nothing that it does not have', () => {
    const bare = base(
      { MetadataOptions: undefined, Licenses: [], CapacityReservationSpecification: undefined },
      { keyName: null, iamInstanceProfileArn: null, ebsOptimized: false },
      { userData: null, shutdownBehavior: null },
    );
    expect(bare).toEqual({
      ...{ InstanceType: 'm7i.large', Monitoring: { Enabled: false }, Placement: { AvailabilityZone: 'us-east-1a' } },
    });
  });
  it('settings that are on, and none that are off', () => {
    const on = { EnclaveOptions: { Enabled: true }, HibernationOptions: { Configured: true } };
    expect(base(on)).toMatchObject(on);
    const off = base({ EnclaveOptions: { Enabled: false }, HibernationOptions: { Configured: false } });
    expect(off).not.toHaveProperty('EnclaveOptions');
    expect(off).not.toHaveProperty('HibernationOptions');
  });
  it('metadata options without their state', () => {
    const options = { HttpTokens: 'required', HttpProtocolIpv6: 'enabled', InstanceMetadataTags: 'enabled' };
    expect(base({ MetadataOptions: { ...options, State: 'applied' } })['MetadataOptions']).toEqual(options);
    expect(base({ MetadataOptions: { HttpPutResponseHopLimit: 3 } })['MetadataOptions']).toEqual({
      HttpPutResponseHopLimit: 3,
    });
    expect(base({ MetadataOptions: { State: 'pending' } })).not.toHaveProperty('MetadataOptions');
  });
  it.each<[string, Record<string, unknown>, object]>([
    ['a tenancy that is not the default', { Tenancy: 'dedicated' }, { Tenancy: 'dedicated' }],
    ['no default tenancy', { Tenancy: 'default' }, {}],
    ['the id of a group rather than its name', { GroupId: 'pg-1', GroupName: 'pg' }, { GroupId: 'pg-1' }],
    ['the name of a group that has no id', { GroupName: 'pg' }, { GroupName: 'pg' }],
    ['a partition', { PartitionNumber: 2 }, { PartitionNumber: 2 }],
    ['no partition that is none', { PartitionNumber: 0 }, {}],
    [
      'a group of hosts, not the host',
      { HostResourceGroupArn: 'arn', HostId: 'h-1', Affinity: 'host' },
      { HostResourceGroupArn: 'arn' },
    ],
  ])('%s', (_, placement, want) =>
    expect(base({ Placement: placement })['Placement']).toEqual({ AvailabilityZone: 'us-east-1a', ...want }),
  );
  it.each<[string, unknown, unknown]>([
    [
      'a reservation by its id',
      { CapacityReservationTarget: { CapacityReservationId: 'cr' }, CapacityReservationPreference: 'x' },
      { CapacityReservationTarget: { CapacityReservationId: 'cr' } },
    ],
    [
      'a reservation by its group',
      { CapacityReservationTarget: { CapacityReservationResourceGroupArn: 'a' } },
      { CapacityReservationTarget: { CapacityReservationResourceGroupArn: 'a' } },
    ],
    ['a preference', { CapacityReservationPreference: 'none' }, { CapacityReservationPreference: 'none' }],
    ['no preference that is the default', { CapacityReservationPreference: 'open' }, undefined],
  ])('%s', (_, CapacityReservationSpecification, want) =>
    expect(base({ CapacityReservationSpecification })['CapacityReservationSpecification']).toEqual(want),
  );
  it('credits and licences, where there are some', () => {
    expect(base({}, {}, { cpuCredits: 'standard' })['CreditSpecification']).toEqual({ CpuCredits: 'standard' });
    const Licenses = [{ LicenseConfigurationArn: 'a' }, {}, { LicenseConfigurationArn: 'b' }];
    expect(base({ Licenses })['LicenseSpecifications']).toEqual([
      { LicenseConfigurationArn: 'a' },
      { LicenseConfigurationArn: 'b' },
    ]);
  });
});

describe('CPU options', () => {
  const options = (CpuOptions: unknown, type: Partial<CloudInstanceType> | null = {}) =>
    base({ CpuOptions }, {}, { typeFacts: type ? typeFactsFixture(typeFixture(type)) : NO_TYPE_FACTS })['CpuOptions'];
  it('are repeated where they differ from the default of the type, in either number', () => {
    expect(options({ CoreCount: 1, ThreadsPerCore: 2 })).toEqual({ CoreCount: 1, ThreadsPerCore: 2 });
    expect(options({ CoreCount: 2, ThreadsPerCore: 1 })).toEqual({ CoreCount: 2, ThreadsPerCore: 1 });
    expect(options({ CoreCount: 2, ThreadsPerCore: 2 })).toBeUndefined();
    expect(options({ CoreCount: 2, ThreadsPerCore: 1 }, { defaultThreadsPerCore: null })).toBeUndefined();
  });
  it('are not repeated in part, or where the default is not known', () => {
    expect(options({ CoreCount: 1 })).toBeUndefined();
    expect(options({ ThreadsPerCore: 1 })).toBeUndefined();
    expect(options({ CoreCount: 1, ThreadsPerCore: 1 }, null)).toBeUndefined();
    expect(options({ CoreCount: 1, ThreadsPerCore: 1 }, { defaultCores: null })).toBeUndefined();
  });
  it('that are never a default are always repeated', () => {
    expect(options({ AmdSevSnp: 'enabled', NestedVirtualization: 'enabled' }, null)).toEqual({
      ...{ AmdSevSnp: 'enabled', NestedVirtualization: 'enabled' },
    });
    expect(options({ AmdSevSnp: 'disabled', NestedVirtualization: 'disabled' })).toBeUndefined();
  });
});

describe('the image that is registered', () => {
  const of = (raw: Record<string, unknown>, over: Partial<CloudInstance>, change: object | null) =>
    imageOf(input(raw, over, { image: change && image(change) }));
  const untold = { BootMode: undefined, EnaSupport: undefined, VirtualizationType: undefined };
  it('is what the instance says of itself, and then what its image says', () => {
    const own = { BootMode: 'legacy-bios', EnaSupport: true, TpmSupport: 'v1', SriovNetSupport: 'x' };
    expect(of(own, {}, {})).toMatchObject({
      ...{ architecture: 'x86_64', bootMode: 'legacy-bios', enaSupport: true, tpmSupport: 'v1', sriovNetSupport: 'x' },
      ...{ virtualizationType: 'hvm', imdsSupport: 'v2.0' },
    });
    expect(of(untold, { architecture: null }, {})).toMatchObject({
      ...{ architecture: 'arm64', bootMode: 'uefi', enaSupport: false, tpmSupport: 'v2.0', sriovNetSupport: 'simple' },
      virtualizationType: 'paravirtual',
    });
  });
  it('has ENA where nobody says, and nothing else', () =>
    expect(of(untold, {}, null)).toEqual({
      ...{ rootDeviceName: '/dev/xvda', architecture: 'x86_64', enaSupport: true, bootMode: null, tpmSupport: null },
      ...{ sriovNetSupport: null, virtualizationType: null, imdsSupport: null },
    }));
  it('cannot be described without an architecture or a root device', () => {
    expect(of({}, { architecture: null }, null)).toBeNull();
    expect(of({}, { rootDeviceName: null }, {})).toBeNull();
  });
});

describe('for a candidate', () => {
  const everything = {
    ...{ CpuOptions: { CoreCount: 1, ThreadsPerCore: 1 }, NetworkPerformanceOptions: { BandwidthWeighting: 'vpc-1' } },
    ...{ EnclaveOptions: { Enabled: true }, HibernationOptions: { Configured: true } },
    CapacityReservationSpecification: { CapacityReservationPreference: 'none' },
    Placement: { GroupId: 'pg', PartitionNumber: 2, Tenancy: 'dedicated', HostResourceGroupArn: 'arn' },
  };
  const whole = base(everything, { instanceType: 't3.small' }, { cpuCredits: 'unlimited' });
  const own = { subnetId: 'subnet-a', az: 'us-east-1a', instanceType: 't3.small' };
  /** The members that this one is launched without, those of Placement with a dot. */
  const lacking = (from: Record<string, unknown>, change: Partial<typeof own>) => {
    const found = baseFor(from, { ...own, ...change }) as Record<string, object>;
    const without = (all: object, left: object, dot = '') =>
      Object.keys(all)
        .filter((name) => !Object.hasOwn(left, name))
        .map((name) => `${dot}${name}`);
    return [...without(from, found), ...without(from['Placement'] as object, found['Placement'] ?? {}, '.')].sort();
  };
  it('of the own type and zone nothing is left out', () => expect(baseFor(whole, own)).toEqual(whole));
  it('of another type, what another type may refuse', () => {
    const bound = ['CpuOptions', 'EbsOptimized', 'EnclaveOptions', 'HibernationOptions', 'NetworkPerformanceOptions'];
    expect(lacking(whole, { instanceType: 't3.medium' })).toEqual(bound);
    expect(lacking(whole, { instanceType: 'm7i.large' })).toEqual([...bound, 'CreditSpecification'].sort());
  });
  it('in another zone, what is of one zone', () => {
    const bound = ['.GroupId', '.HostResourceGroupArn', '.PartitionNumber', 'CapacityReservationSpecification'];
    expect(lacking(whole, { az: 'us-east-1b' })).toEqual(bound);
    const byName = base({ Placement: { GroupName: 'pg' } });
    expect(lacking(byName, { az: 'us-east-1b', instanceType: 'm7i.large' })).toEqual(['.GroupName']);
  });
  it('the zone is that of the candidate', () =>
    expect(baseFor(whole, { ...own, az: 'us-east-1b' })).toMatchObject({
      Placement: { AvailabilityZone: 'us-east-1b', Tenancy: 'dedicated' },
    }));
  it('what an older record has and no row knows stays', () =>
    expect(baseFor({ ...whole, Warp: 9 }, { ...own, az: 'b', instanceType: 'x' })).toMatchObject({ Warp: 9 }));
});
