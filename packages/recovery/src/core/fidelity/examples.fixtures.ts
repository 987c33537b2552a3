import { DEFAULT_POLICY } from '@understudy/shared';
import { NO_TYPE_FACTS } from '../candidate-fit.ts';
import { instanceFixture, OLD_INSTANCE_ID, planInputFixture, volumeFixture } from '../plan.fixture.ts';
import type { PlanInput } from '../plan-input.ts';
import {
  type Example,
  FORMATS,
  eni,
  firstBoot,
  manyTags,
  otherZone,
  ownType,
  rawChange,
  rawPlacement,
  references,
  tagged,
  withInterfaces,
} from './example-parts.fixtures.ts';
import { PLACEMENT_LOST, RESERVATION_REFUSED } from './placement-examples.fixtures.ts';
import {
  FOLLOWS,
  INTERFACE_LOST,
  MUST_FOLLOW,
  mustFollow,
  NOTHING_CARRIED,
  TRACKED,
} from './identity-examples.fixtures.ts';

const BLOCKED: Record<string, Partial<PlanInput>> = {
  ManagedByAutoScaling: tagged('aws:autoscaling:groupName'),
  ManagedByEks: tagged('eks:cluster-name'),
  ManagedByBeanstalk: tagged('elasticbeanstalk:environment-id'),
  ManagedByEmr: tagged('aws:elasticmapreduce:job-flow-id'),
  ManagedByFleet: tagged('aws:ec2:fleet-id'),
  OnOutpost: rawChange({ OutpostArn: 'arn:aws:outposts:us-east-1:1:outpost/op-1' }),
  OperatedPart: {
    volumes: [
      volumeFixture({ volumeId: 'vol-root' }),
      volumeFixture({ volumeId: 'vol-data', operatedBy: 'backup.amazonaws.com' }),
    ],
  },
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

/** Every code that refuses a recovery, with the smallest change that brings it about. */
export const REFUSED: Readonly<Record<string, Example>> = {
  ...Object.fromEntries(Object.entries(BLOCKED).map(([code, change]): [string, Example] => [code, [change]])),
  ...RESERVATION_REFUSED,
  VolumePathImpossible: [{}, { recover: { volumes: { ...DEFAULT_POLICY.recover.volumes, pin: { all: 'copy' } } } }],
  PlacementInOtherVpc: [
    { subnets: planInputFixture().subnets.map((subnet) => ({ ...subnet, vpcId: subnet.az })) },
    { recover: { placements: [{ subnetId: 'subnet-b' }] } },
  ],
  ...MUST_FOLLOW,
  InterfacesMustFollow: [withInterfaces([0, 1]), mustFollow('interfaces')],
  PlacementNeedsLevel: [
    { level: 1 },
    { recover: { placements: [{ subnetId: 'subnet-a', capacityReservation: 'cr-1' }] } },
  ],
  PlacementInLostZone: [{}, {}, 'us-east-1a'],
  NoPlacementOutsideZone: [{}, {}, 'us-east-1a'],
};

/** Every code of a loss, with the smallest change that brings it about. */
export const LOST: Readonly<Record<string, Example>> = {
  PlacementInLostZone: [
    {},
    { recover: { placements: [{ subnetId: 'subnet-a' }, { subnetId: 'subnet-b' }] } },
    'us-east-1a',
  ],
  ...PLACEMENT_LOST,
  StaysInZone: [{}],
  PlacementNeedsLevel: [
    { level: 1 },
    { recover: { placements: [{ subnetId: 'subnet-a' }, { subnetId: 'subnet-b', capacityReservation: 'cr-1' }] } },
  ],
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
  ...INTERFACE_LOST,
  ExtraNetworkInterfacesLost: [withInterfaces([0, 1]), NOTHING_CARRIED],
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
  RebootMigrationLost: [{ ...rawChange({ MaintenanceOptions: { RebootMigration: 'disabled' } }), level: 1 }],
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
  AssociatedResourceNotMoved: [
    rawChange({ BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: { AssociatedResource: 'arn:aws:x' } }] }),
  ],
  EnaOptionsLost: [eni({ Attachment: { DeviceIndex: 0, EnaQueueCount: 4 } })],
  InitializationRateNotKept: [
    {
      volumes: [
        volumeFixture({ volumeId: 'vol-root' }),
        volumeFixture({ volumeId: 'vol-data', initializationRateMiBps: 200 }),
      ],
    },
  ],
  PublicHostNameLost: [
    { networkInterfaces: planInputFixture().networkInterfaces.map((one) => ({ ...one, publicHostnameType: 'x' })) },
  ],
  AssociatedSubnetsLost: [
    {
      networkInterfaces: planInputFixture().networkInterfaces.map((one) => ({
        ...one,
        associatedSubnetIds: ['subnet-9'],
      })),
    },
  ],
  TagsOverLimit: [{ instance: instanceFixture({ tags: manyTags }) }],
};

/** Notices that no loss of the same code comes with, or that need another example. */
export const NOTICED: Readonly<Record<string, Example>> = {
  StaysInZone: [
    { typeFacts: { types: new Map(), offeredIn: new Map([['m7i.large', new Set(['us-east-1a'])]]) } },
    { recover: { placements: [{ subnetId: 'subnet-a' }, { subnetId: 'subnet-b' }] } },
  ],
  KmsKeyNotChecked: [
    references({ keys: new Map([['arn:aws:kms:::key/1', { kind: 'unknown', why: 'KMS does not answer' }]]) }),
  ],
};

/** The requests that a plan leads to, and what is done once it serves. */
export interface Shown {
  readonly launch?: object;
  /** Tags by resource type. */
  readonly tags?: object;
  readonly permit?: object;
  readonly image?: object;
  readonly plan?: object;
  readonly chores?: readonly object[];
  readonly kept?: readonly string[];
}

/** What shows in the requests; the ordinary instance, or `without`, does not show it. */
export interface CarriedExample {
  readonly example: Example;
  readonly shows: Shown;
  readonly without?: Example;
}

const base = (change: Partial<Parameters<typeof instanceFixture>[0]>): Example => [
  { instance: instanceFixture(change) },
];
const raw = (change: Record<string, unknown>): Example => [rawChange(change)];
const launch = (example: Example, shown: object, without?: Example): CarriedExample => ({
  example,
  shows: { launch: shown },
  ...(without ? { without } : {}),
});
const [ownInterface] = instanceFixture().networkInterfaces;
const elsewhere = ownInterface ? [{ ...ownInterface, subnetId: 'subnet-b' }] : [];
const described = (change: object): Example => [
  { networkInterfaces: planInputFixture().networkInterfaces.map((one) => ({ ...one, ...change })) },
];
const twoVolumes = (change: Partial<Parameters<typeof volumeFixture>[0]>): Example => [
  { volumes: [volumeFixture({ volumeId: 'vol-root' }), volumeFixture({ volumeId: 'vol-data', ...change })] },
];
const disk = (shown: object) => ({ BlockDeviceMappings: [{}, { Ebs: shown }] });

/** For each number of a row, examples that show every part of its `carry` and `reapply`. */
export const CARRIED: Readonly<Record<number, readonly CarriedExample[]>> = {
  1: [
    {
      example: [
        {
          image: {
            ...{
              imageId: 'ami-1',
              name: '',
              state: 'available',
              rootSnapshotId: null,
              rootDeviceName: '/dev/xvda',
              otherDeviceNames: [],
              architecture: 'x86_64',
            },
            ...{ bootMode: null, enaSupport: true, tpmSupport: null, sriovNetSupport: null, virtualizationType: 'hvm' },
            ...{ imdsSupport: 'v2.0', tags: {} },
          },
        },
      ],
      shows: { image: { imdsSupport: 'v2.0' } },
    },
  ],
  2: [launch(base({ instanceType: 't3.small' }), { InstanceType: 't3.small' })],
  3: [launch(base({ keyName: 'other' }), { KeyName: 'other' })],
  4: [
    {
      example: base({ az: 'us-east-1b', networkInterfaces: elsewhere }),
      shows: {
        launch: { Placement: { AvailabilityZone: 'us-east-1b' } },
        permit: { subnetId: 'subnet-b' },
        plan: { candidates: [{ subnetId: 'subnet-b', az: 'us-east-1b', instanceType: 'm7i.large' }] },
      },
    },
  ],
  5: [
    {
      example: base({ networkInterfaces: ownInterface ? [{ ...ownInterface, groupIds: ['sg-9'] }] : [] }),
      shows: { permit: { groupIds: ['sg-9'] }, plan: { securityGroupIds: ['sg-9'] } },
    },
  ],
  ...FOLLOWS,
  10: [
    {
      example: base({ networkInterfaces: ownInterface ? [{ ...ownInterface, networkInterfaceId: 'eni-9' }] : [] }),
      shows: { plan: { primaryInterfaceId: 'eni-9' } },
    },
    {
      example: [withInterfaces([0, 1])],
      shows: { plan: { interfaces: [{ deviceIndex: 1, az: 'us-east-1a' }] } },
    },
    {
      example: [eni({ InterfaceType: 'efa' })],
      shows: { permit: { interfaceType: 'efa' }, plan: { interfaceType: 'efa' } },
    },
    {
      example: [TRACKED],
      shows: {
        permit: { connectionTracking: { TcpEstablishedTimeout: 60 } },
        plan: { connectionTracking: { TcpEstablishedTimeout: 60 } },
      },
    },
  ],
  11: [{ example: described({ sourceDestCheck: true }), shows: { plan: { sourceDestCheck: true } } }],
  13: [
    {
      example: [{ addresses: planInputFixture().addresses.map((one) => ({ ...one, allocationId: 'eipalloc-9' })) }],
      shows: { plan: { addresses: [{ allocationId: 'eipalloc-9' }] } },
    },
  ],
  14: [
    {
      example: described({ tags: { Name: 'other' } }),
      shows: { permit: { tags: { Name: 'other' } }, plan: { networkInterfaceTags: { Name: 'other' } } },
    },
  ],
  16: [launch(base({ iamInstanceProfileArn: 'arn:other' }), { IamInstanceProfile: { Arn: 'arn:other' } })],
  17: [launch([{ userData: 'b3RoZXI=' }], { UserData: 'b3RoZXI=' })],
  18: [
    {
      example: twoVolumes({ sizeGiB: 9, volumeType: 'gp3', iops: 4_000, throughputMiBps: 200 }),
      shows: {
        launch: disk({ VolumeSize: 9, VolumeType: 'gp3', Iops: 4_000, Throughput: 200 }),
        plan: { volumes: [{}, { sizeGiB: 9 }] },
        kept: ['/dev/sdf'],
      },
      without: [
        {
          ...{ instance: instanceFixture({ volumes: instanceFixture().volumes.slice(1) }) },
          volumes: [volumeFixture({ volumeId: 'vol-root' })],
        },
      ],
    },
    {
      example: [{}, { recover: { volumes: { ...DEFAULT_POLICY.recover.volumes, initializationRateMiBps: 200 } } }],
      shows: { launch: disk({ VolumeInitializationRate: 200 }) },
    },
    {
      example: base({
        rootDeviceName: '/dev/sda1',
        volumes: [{ volumeId: 'vol-root', deviceName: '/dev/sda1', status: 'attached', deleteOnTermination: true }],
      }),
      shows: { image: { rootDeviceName: '/dev/sda1' } },
    },
  ],
  20: [launch([{}], { EbsOptimized: true }, base({ ebsOptimized: false }))],
  21: [launch(base({ detailedMonitoring: true }), { Monitoring: { Enabled: true } })],
  22: [
    launch([rawPlacement({ Tenancy: 'dedicated', HostResourceGroupArn: 'arn' })], {
      Placement: { Tenancy: 'dedicated', HostResourceGroupArn: 'arn' },
    }),
  ],
  23: [
    launch([rawPlacement({ GroupId: 'pg-1', PartitionNumber: 2 })], {
      Placement: { GroupId: 'pg-1', PartitionNumber: 2 },
    }),
    launch([rawPlacement({ GroupName: 'pg' })], { Placement: { GroupName: 'pg' } }),
  ],
  24: [launch([{ cpuCredits: 'unlimited' }], { CreditSpecification: { CpuCredits: 'unlimited' } })],
  25: [
    launch(raw({ CpuOptions: { CoreCount: 1, ThreadsPerCore: 1 } }), {
      CpuOptions: { CoreCount: 1, ThreadsPerCore: 1 },
    }),
  ],
  26: [launch(raw({ MetadataOptions: { HttpTokens: 'optional' } }), { MetadataOptions: { HttpTokens: 'optional' } })],
  27: [
    launch(raw({ EnclaveOptions: { Enabled: true } }), { EnclaveOptions: { Enabled: true } }),
    launch(raw({ HibernationOptions: { Configured: true } }), { HibernationOptions: { Configured: true } }),
  ],
  28: [
    launch(raw({ CapacityReservationSpecification: { CapacityReservationPreference: 'none' } }), {
      CapacityReservationSpecification: { CapacityReservationPreference: 'none' },
    }),
  ],
  29: [
    launch(raw({ Licenses: [{ LicenseConfigurationArn: 'arn:l' }] }), {
      LicenseSpecifications: [{ LicenseConfigurationArn: 'arn:l' }],
    }),
  ],
  30: [
    {
      example: [{ shutdownBehavior: 'terminate', protection: { stop: true, termination: false } }],
      shows: {
        launch: { InstanceInitiatedShutdownBehavior: 'terminate' },
        plan: { protection: { stop: true, termination: false } },
        chores: [{ kind: 'protect', instanceId: 'i-new', stop: true, termination: false }],
      },
    },
  ],
  31: [
    launch(raw({ MaintenanceOptions: { AutoRecovery: 'disabled' } }), {
      MaintenanceOptions: { AutoRecovery: 'disabled' },
    }),
    {
      example: raw({ MaintenanceOptions: { RebootMigration: 'disabled' } }),
      shows: {
        plan: { rebootMigration: 'disabled' },
        chores: [{ kind: 'reboot-migration', instanceId: 'i-new', value: 'disabled' }],
      },
    },
  ],
  32: [
    {
      example: raw({ PrivateDnsNameOptions: { EnableResourceNameDnsAAAARecord: true } }),
      shows: {
        plan: { dnsRecords: { a: false, aaaa: true } },
        chores: [{ kind: 'dns-records', instanceId: 'i-new', a: false, aaaa: true }],
      },
    },
  ],
  33: [
    launch(raw({ NetworkPerformanceOptions: { BandwidthWeighting: 'vpc-1' } }), {
      NetworkPerformanceOptions: { BandwidthWeighting: 'vpc-1' },
    }),
  ],
  34: [
    {
      example: [
        {
          instance: instanceFixture(
            { architecture: 'arm64' },
            {
              ...{ BootMode: 'uefi', EnaSupport: false, TpmSupport: 'v2.0', SriovNetSupport: 'simple' },
              VirtualizationType: 'other',
            },
          ),
          typeFacts: NO_TYPE_FACTS,
        },
      ],
      shows: {
        image: {
          ...{ architecture: 'arm64', bootMode: 'uefi', enaSupport: false, tpmSupport: 'v2.0' },
          ...{ sriovNetSupport: 'simple', virtualizationType: 'other' },
        },
      },
    },
  ],
  37: [
    {
      example: [
        {
          instance: instanceFixture({ tags: { team: 'db' } }),
          volumes: [
            volumeFixture({ volumeId: 'vol-root', tags: {} }),
            volumeFixture({ volumeId: 'vol-data', tags: { content: 'x' } }),
          ],
        },
      ],
      shows: {
        tags: { instance: { team: 'db' } },
        plan: { instanceTags: { team: 'db' } },
        chores: [{ kind: 'volume-tags', instanceId: 'i-new', deviceName: '/dev/sdf', tags: { content: 'x' } }],
      },
    },
  ],
  43: [{ example: base({ launchedAtWallMs: 9 }), shows: { plan: { oldLaunchedAtWallMs: 9 } } }],
  42: [launch(twoVolumes({ encrypted: true, kmsKeyId: 'k' }), disk({ Encrypted: true, KmsKeyId: 'k' }))],
};
