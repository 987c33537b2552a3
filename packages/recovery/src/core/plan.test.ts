import { type PolicyChange, policyWith } from '@understudy/shared/testing';
import { type CloudInstanceType, DEFAULT_POLICY, RecoveryPlanSchema } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { NO_TYPE_FACTS } from './candidate-fit.ts';
import {
  instanceFixture,
  OLD_INSTANCE_ID,
  planFixture,
  planInputFixture,
  typeFactsFixture,
  typeFixture,
  volumeFixture,
} from './plan.fixture.ts';
import { makePlan, readinessProblemsOf } from './plan.ts';
import type { PlanInput } from './plan-input.ts';
import { type Fate, FIDELITY } from './plan-fidelity.ts';

const problemCodes = (change: Partial<PlanInput>, policy = DEFAULT_POLICY): string[] => {
  const result = makePlan(planInputFixture(change), policy);
  return result.kind === 'blocked' ? result.problems.map((problem) => problem.code) : [];
};
const lossCodes = (change: Partial<PlanInput>, policy: PolicyChange = {}): string[] =>
  planFixture(change, policyWith(policy)).losses.map((loss) => loss.code);
const rawChange = (raw: Record<string, unknown>): Partial<PlanInput> => ({ instance: instanceFixture({}, raw) });
const tagged = (key: string, value = 'x'): Partial<PlanInput> => {
  const instance = instanceFixture();
  return { instance: { ...instance, tags: { ...instance.tags, [key]: value } } };
};
const eni = (members: Record<string, unknown>): Partial<PlanInput> =>
  rawChange({ NetworkInterfaces: [{ NetworkInterfaceId: 'eni-1', Attachment: { DeviceIndex: 0 }, ...members }] });
const manyTags = Object.fromEntries(Array.from({ length: 49 }, (_, i) => [`k${i}`, 'v']));
const withInterfaces = (deviceIndexes: readonly number[]): Partial<PlanInput> => {
  const [first] = instanceFixture().networkInterfaces;
  if (!first) throw new Error('fixture without an interface');
  return {
    instance: instanceFixture({ networkInterfaces: deviceIndexes.map((deviceIndex) => ({ ...first, deviceIndex })) }),
  };
};
const otherZone = { recover: { placements: [{ subnetId: 'subnet-b' }] } };
const rawPlacement = (members: Record<string, unknown>) =>
  rawChange({ Placement: { AvailabilityZone: 'us-east-1a', ...members } });

const ownType = (change: Partial<CloudInstanceType>): Partial<PlanInput> => ({
  typeFacts: typeFactsFixture(typeFixture(change)),
});
const references = (change: Partial<PlanInput['references']>): Partial<PlanInput> => ({
  references: { ...planInputFixture().references, ...change },
});
const FORMATS = { where: 'fs_setup', what: '/dev/nvme1n1', canBeOverridden: true };
const firstBoot = (change: Partial<PlanInput['firstBoot']>): Partial<PlanInput> => ({
  firstBoot: { formatting: [], unexamined: [], neutralised: null, ...change },
});

/**
 * Every code a plan can name, with the smallest change of the ordinary member that brings it about.
 */
const BLOCKED: Record<string, Partial<PlanInput>> = {
  ManagedByAutoScaling: tagged('aws:autoscaling:groupName'),
  ManagedByEks: tagged('eks:cluster-name'),
  ManagedByBeanstalk: tagged('elasticbeanstalk:environment-id'),
  ManagedByEmr: tagged('aws:elasticmapreduce:job-flow-id'),
  ManagedByFleet: tagged('aws:ec2:fleet-id'),
  ManagedByOperator: rawChange({ Operator: { Managed: true, Principal: 'eks.amazonaws.com' } }),
  SpotInstance: rawChange({ InstanceLifecycle: 'spot' }),
  MarketUnsupported: rawChange({ InstanceLifecycle: 'capacity-block' }),
  InstanceGone: { instance: instanceFixture({ state: 'terminated' }) },
  InstanceStoreRoot: rawChange({ RootDeviceType: 'instance-store' }),
  NoNetworkInterface: withInterfaces([]),
  ArchitectureUnknown: { instance: instanceFixture({ architecture: null }) },
  Paravirtual: rawChange({ VirtualizationType: 'paravirtual' }),
  SecondaryNetwork: rawChange({ SecondaryInterfaces: [{ SecondaryInterfaceId: 'x' }] }),
  PlatformUnsupported: rawChange({ PlatformDetails: 'Red Hat Enterprise Linux' }),
  RootVolumeMissing: { instance: instanceFixture({ rootDeviceName: '/dev/sda1' }) },
  VolumeUnknown: { volumes: [volumeFixture({ volumeId: 'vol-root' })] },
  VolumeMultiAttach: {
    volumes: [volumeFixture({ volumeId: 'vol-root' }), volumeFixture({ volumeId: 'vol-data', multiAttach: true })],
  },
  FirstBootFormats: firstBoot({ formatting: [FORMATS], neutralised: 'bmV1dHJhbA==' }),
  KmsKeyUnusable: references({
    keys: new Map([['arn:aws:kms:::key/1', { kind: 'unusable', what: 'disabled', remedy: '' }]]),
  }),
  PlacementGroupGone: references({ placementGroup: 'gone' }),
  CapacityReservationGone: references({ capacityReservation: 'gone' }),
  InstanceProfileGone: references({ instanceProfile: 'gone' }),
  LicenceGone: references({ licences: 'gone' }),
  PlacementTypeUnknown: { typeFacts: { types: new Map([['m7i.large', null]]), offeredIn: new Map() } },
  PlacementNotOffered: {
    typeFacts: { types: new Map(), offeredIn: new Map([['m7i.large', new Set(['us-east-1b'])]]) },
  },
  PlacementArchitecture: ownType({ architectures: ['arm64'] }),
  PlacementVirtualization: ownType({ virtualizationTypes: ['paravirtual'] }),
  PlacementBootMode: ownType({ bootModes: ['uefi'] }),
  PlacementEna: { ...ownType({}), ...rawChange({ EnaSupport: false }) },
  PlacementTpm: { ...ownType({ nitroTpmSupport: 'unsupported' }), ...rawChange({ TpmSupport: 'v2.0' }) },
  PlacementNoEbsRoot: ownType({ rootDeviceTypes: ['instance-store'] }),
  PlacementNotOnDemand: ownType({ usageClasses: ['capacity-block'] }),
  PlacementTooManyVolumes: ownType({ maxAttachments: 3, attachmentLimit: 'shared', instanceStoreDisks: 1 }),
  NoPlacement: { subnets: [] },
  PlacementSubnetUnknown: { subnets: [] },
};

const LOST: Record<string, readonly [Partial<PlanInput>, PolicyChange?]> = {
  PrivateIpChanges: [{}],
  OutsideReferences: [{}],
  MemoryLost: [{}],
  FirstBootRunsAgain: [{}],
  HostIdentityRenewed: [{ userData: null }],
  FirstBootMayFormat: [firstBoot({ formatting: [FORMATS] }), { recover: { firstBootFormatting: 'allow' } }],
  FirstBootNeutralised: [
    firstBoot({ formatting: [FORMATS], neutralised: 'bmV1dHJhbA==' }),
    { recover: { firstBootFormatting: 'neutralise' } },
  ],
  FirstBootNotExamined: [firstBoot({ unexamined: ['it includes what is kept elsewhere (#include)'] })],
  AgentKeyInUserData: [{ userData: Buffer.from('member: db/one\nkey: { id: 1, hex: aa }\n').toString('base64') }],
  SecondaryPrivateIpsLost: [eni({ PrivateIpAddresses: [{ Primary: true }, { Primary: false }] })],
  Ipv6AddressesLost: [eni({ Ipv6Addresses: [{ Ipv6Address: '2001:db8::1' }] })],
  PrefixesLost: [eni({ Ipv4Prefixes: [{ Ipv4Prefix: '10.0.1.16/28' }] })],
  ExtraNetworkInterfacesLost: [withInterfaces([0, 1])],
  InterfaceTypeLost: [eni({ InterfaceType: 'efa' })],
  ConnectionTrackingLost: [eni({ ConnectionTrackingConfiguration: { TcpEstablishedTimeout: 60 } })],
  PrivateDnsOptionsLost: [rawChange({ PrivateDnsNameOptions: { HostnameType: 'resource-name' } })],
  PublicIpLost: [{ addresses: [] }],
  AddressesNotMoved: [
    { addresses: planInputFixture().addresses.map((address) => ({ ...address, privateIp: '10.0.1.99' })) },
  ],
  InstanceStoreLost: [ownType({ instanceStorage: true, instanceStoreNvme: 'required' })],
  InstanceStoreNotMapped: [ownType({ instanceStorage: true, instanceStoreNvme: 'unsupported', hypervisor: 'xen' })],
  FirstReadsSlow: [{}],
  DeviceNamesMayChange: [{}],
  KmsKeyNotChecked: [{}],
  InsideReferences: [{}],
  RoutesUnknown: [references({ routes: null })],
  RoutesNotMoved: [
    references({
      routes: [
        { routeTableId: 'rtb-1', destination: '10.9.0.0/16', instanceId: OLD_INSTANCE_ID, networkInterfaceId: null },
      ],
    }),
  ],
  KeyPairGone: [references({ keyPair: 'gone' })],
  PlacementGroupLeftOut: [
    references({ placementGroup: 'gone' }),
    { recover: { leaveOutWhenGone: ['placement-group'] } },
  ],
  CapacityReservationLeftOut: [
    references({ capacityReservation: 'gone' }),
    { recover: { leaveOutWhenGone: ['capacity-reservation'] } },
  ],
  InstanceProfileLeftOut: [
    references({ instanceProfile: 'gone' }),
    { recover: { leaveOutWhenGone: ['instance-profile'] } },
  ],
  LicenceLeftOut: [references({ licences: 'gone' }), { recover: { leaveOutWhenGone: ['licence'] } }],
  HostAffinityLost: [rawPlacement({ Affinity: 'host' })],
  MarketplaceProduct: [rawChange({ ProductCodes: [{ ProductCodeId: 'abc', ProductCodeType: 'marketplace' }] })],
  EbsCardIndexLost: [rawChange({ BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: { EbsCardIndex: 1 } }] })],
  KmsKeyUnnamed: [
    { volumes: [volumeFixture({ volumeId: 'vol-root' }), volumeFixture({ volumeId: 'vol-data', encrypted: true })] },
  ],
  DedicatedHostNotKept: [rawPlacement({ Tenancy: 'host', HostId: 'h-1' })],
  CpuCreditsUnknown: [{ instance: instanceFixture({ instanceType: 't3.small' }) }],
  CpuOptionsNotCompared: [{ typeFacts: NO_TYPE_FACTS }],
  ShutdownBehaviorUnknown: [{ shutdownBehavior: null }],
  RebootMigrationLost: [rawChange({ MaintenanceOptions: { RebootMigration: 'disabled' } })],
  TpmSecretsLost: [rawChange({ TpmSupport: 'v2.0' })],
  UefiVariablesLost: [rawChange({ BootMode: 'uefi' })],
  CloudFormationDrift: [tagged('aws:cloudformation:stack-name')],
  LaunchTemplateLinkLost: [tagged('aws:ec2launchtemplate:id')],
  PlacementInOtherVpc: [
    {
      subnets: planInputFixture().subnets.map((subnet) => ({
        ...subnet,
        vpcId: subnet.az.endsWith('c') ? 'vpc-2' : 'vpc-1',
      })),
    },
    { recover: { placements: [{ subnetId: 'subnet-b' }, { subnetId: 'subnet-c' }] } },
  ],
  PlacementSubnetUnknown: [{}, { recover: { placements: [{ subnetId: 'subnet-b' }, { subnetId: 'subnet-nowhere' }] } }],
  PlacementGroupInOwnZoneOnly: [rawPlacement({ GroupName: 'pg' }), otherZone],
  ReservationInOwnZoneOnly: [
    rawChange({ CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: 'cr-1' } } }),
    otherZone,
  ],
  TypeBoundOptionsDropped: [
    rawChange({ EnclaveOptions: { Enabled: true } }),
    { recover: { placements: [{ subnetId: 'subnet-a', instanceType: 'm6i.large' }] } },
  ],
  TagsOverLimit: [{ instance: instanceFixture({ tags: manyTags }) }],
};

describe('a plan is refused', () => {
  it.each(Object.entries(BLOCKED))('%s', (code, change) => {
    expect(problemCodes({})).toEqual([]);
    expect(problemCodes(change)).toContain(code);
  });

  it('with every problem at once, which enrolment shows as readiness problems', () => {
    const both = { instance: instanceFixture({ state: 'terminated' }, { InstanceLifecycle: 'spot' }) };
    const result = makePlan(planInputFixture(both), DEFAULT_POLICY);
    expect(readinessProblemsOf(result).map((problem) => problem.code)).toEqual(['SpotInstance', 'InstanceGone']);
  });
});

describe('a plan names as lost', () => {
  const ordinary = [
    'PrivateIpChanges',
    'InsideReferences',
    'OutsideReferences',
    'MemoryLost',
    'FirstBootRunsAgain',
    'HostIdentityRenewed',
    'FirstReadsSlow',
    'DeviceNamesMayChange',
    'KmsKeyNotChecked',
  ];
  it.each(Object.entries(LOST))('%s', (code, [change, policy]) => {
    if (!ordinary.includes(code)) expect(lossCodes({})).not.toContain(code);
    expect(lossCodes(change, policy)).toContain(code);
  });
});

describe('user data that formats at the first boot', () => {
  const formats = firstBoot({ formatting: [FORMATS], neutralised: 'bmV1dHJhbA==' });
  const withPolicy = (input: Partial<PlanInput>, firstBootFormatting: 'refuse' | 'neutralise' | 'allow') =>
    makePlan(planInputFixture(input), policyWith({ recover: { firstBootFormatting } }));

  it('is refused by default, naming key, device and the way out', () => {
    const result = makePlan(planInputFixture(formats), DEFAULT_POLICY);
    const [problem] = readinessProblemsOf(result);
    expect(problem?.text).toMatch(/fs_setup: \/dev\/nvme1n1.*set recover.firstBootFormatting/s);
  });

  it('is launched as it is where the policy allows it', () => {
    const result = withPolicy(formats, 'allow');
    expect(result.kind === 'plan' && result.plan.launchBase.UserData).toBe(planInputFixture().userData);
  });

  it('is launched without what formats where the policy wants it neutralised', () => {
    const result = withPolicy(formats, 'neutralise');
    expect(result.kind === 'plan' && result.plan.launchBase.UserData).toBe('bmV1dHJhbA==');
  });

  it('is refused where it cannot be neutralised', () => {
    const result = withPolicy(firstBoot({ formatting: [FORMATS] }), 'neutralise');
    expect(readinessProblemsOf(result).map((one) => one.code)).toEqual(['FirstBootFormats']);
  });
});

describe('the fidelity table', () => {
  it('has the 42 rows in order', () => {
    expect(FIDELITY.map((row) => row.row)).toEqual(Array.from({ length: 42 }, (_, i) => i + 1));
  });

  it('names only codes a plan really produces, and all of them', () => {
    const produced = new Set([...Object.keys(BLOCKED), ...Object.keys(LOST)]);
    const named = new Set(FIDELITY.flatMap((row) => row.codes));
    expect([...named].filter((code) => !produced.has(code))).toEqual([]);
    expect([...produced].filter((code) => !named.has(code)).sort()).toEqual(['InstanceGone', 'NoNetworkInterface']);
  });
});

describe('every attribute of the fidelity table', () => {
  it.each(FIDELITY.map((row) => [row.attribute, row] as const))('%s', (_, { fates, by, codes }) => {
    const has = (...some: readonly Fate[]) => some.some((fate) => fates.includes(fate));
    expect(has('carried', 'reapplied'), 'something carries it').toBe(by.length > 0);
    expect(has('lost'), 'a code is among the losses').toBe(codes.some((code) => code in LOST));
    expect(has('refused'), 'a code blocks').toBe(codes.some((code) => code in BLOCKED));
  });
});

describe('a plan of an ordinary member', () => {
  it('fits the schema and survives the way through etcd unchanged', () => {
    const plan = planFixture();
    expect(RecoveryPlanSchema.parse(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
  });

  it('is the same for the same input', () => {
    expect(JSON.stringify(planFixture())).toBe(JSON.stringify(planFixture()));
  });

  it('lists the root volume first', () => {
    expect(planFixture().volumes.map((volume) => [volume.deviceName, volume.isRoot])).toEqual([
      ['/dev/xvda', true],
      ['/dev/sdf', false],
    ]);
  });

  it('moves the Elastic IP and keeps the source/destination check and protection', () => {
    const plan = planFixture();
    expect(plan.addresses).toEqual([
      { allocationId: 'eipalloc-1', publicIp: '203.0.113.7', associationId: 'eipassoc-1' },
    ]);
    expect(plan.sourceDestCheck).toBe(false);
    expect(plan.protection).toEqual({ stop: false, termination: true });
    expect(plan.networkInterfaceTags).toEqual({ Name: 'eni of db one' });
  });

  it('leaves out aws: tags and the marks of an earlier recovery', () => {
    const tags = {
      'aws:cloudformation:stack-name': 's',
      'understudy:op': 'op-1',
      'understudy:attempt': '2',
      Name: 'n',
    };
    expect(planFixture({ instance: instanceFixture({ tags }) }).instanceTags).toEqual({ Name: 'n' });
  });

  it('drops tags over the limit of 50, never its own', () => {
    const tags = {
      ...Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`a${i}`, 'v'])),
      'understudy:group': 'db',
    };
    const { instanceTags } = planFixture({ instance: instanceFixture({ tags }) });
    expect(Object.keys(instanceTags)).toHaveLength(50);
    expect(instanceTags['understudy:group']).toBe('db');
  });

  it('carries what a launch can set', () => {
    const instance = instanceFixture(
      { instanceType: 't3.small', detailedMonitoring: true },
      {
        CpuOptions: { CoreCount: 1, ThreadsPerCore: 1 },
        EnclaveOptions: { Enabled: true },
        HibernationOptions: { Configured: true },
        Licenses: [{ LicenseConfigurationArn: 'arn:l' }],
        NetworkPerformanceOptions: { BandwidthWeighting: 'vpc-1' },
        MaintenanceOptions: { AutoRecovery: 'disabled' },
        Placement: {
          AvailabilityZone: 'us-east-1a',
          Tenancy: 'dedicated',
          GroupId: 'pg-1',
          GroupName: 'pg',
          PartitionNumber: 3,
        },
        CapacityReservationSpecification: { CapacityReservationPreference: 'none' },
      },
    );
    expect(planFixture({ instance, cpuCredits: 'unlimited' }).launchBase).toEqual({
      CapacityReservationSpecification: { CapacityReservationPreference: 'none' },
      CpuOptions: { CoreCount: 1, ThreadsPerCore: 1 },
      CreditSpecification: { CpuCredits: 'unlimited' },
      EbsOptimized: true,
      EnclaveOptions: { Enabled: true },
      HibernationOptions: { Configured: true },
      IamInstanceProfile: { Arn: 'arn:aws:iam::123456789012:instance-profile/db' },
      InstanceInitiatedShutdownBehavior: 'stop',
      InstanceType: 't3.small',
      KeyName: 'ops',
      LicenseSpecifications: [{ LicenseConfigurationArn: 'arn:l' }],
      MaintenanceOptions: { AutoRecovery: 'disabled' },
      MetadataOptions: { HttpEndpoint: 'enabled', HttpPutResponseHopLimit: 2, HttpTokens: 'required' },
      Monitoring: { Enabled: true },
      NetworkPerformanceOptions: { BandwidthWeighting: 'vpc-1' },
      Placement: { AvailabilityZone: 'us-east-1a', GroupId: 'pg-1', PartitionNumber: 3, Tenancy: 'dedicated' },
      UserData: 'bWVtYmVyOiBkYi9vbmU=',
    });
  });

  it('does not repeat the default CPU options of the type, which other types would refuse', () => {
    expect(planFixture().launchBase.CpuOptions).toBeUndefined();
  });
});
