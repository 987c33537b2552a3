import {
  type CloudCapacityReservation,
  type CloudInstance,
  type CloudInstanceType,
  type CloudVolume,
  DEFAULT_POLICY,
  type GroupPolicy,
  opIdOf,
  type SnapshotAndReplacePlan,
} from '@understudy/shared';
import type { RequestIntent } from './launch-request.ts';
import { NOT_TRIED } from './launch-trial.ts';
import { UNKNOWN_REFERENCES } from './references.ts';
import { NO_USER_DATA } from './user-data/first-boot.ts';
import { makePlan } from './plan.ts';
import type { PlanInput } from './plan-input.ts';

/** A plain member for tests: root and one data volume, one Elastic IP, everything ordinary. */

export const OLD_INSTANCE_ID = 'i-0aaaaaaaaaaaaaaa1';
const ENI = 'eni-0aaaaaaaaaaaaaaa1';

const rawInstance: Record<string, unknown> = {
  InstanceId: OLD_INSTANCE_ID,
  RootDeviceType: 'ebs',
  PlatformDetails: 'Linux/UNIX',
  VirtualizationType: 'hvm',
  EnaSupport: true,
  BootMode: 'legacy-bios',
  CpuOptions: { CoreCount: 2, ThreadsPerCore: 2 },
  MetadataOptions: { State: 'applied', HttpTokens: 'required', HttpPutResponseHopLimit: 2, HttpEndpoint: 'enabled' },
  Placement: { AvailabilityZone: 'us-east-1a', Tenancy: 'default', GroupName: '' },
  MaintenanceOptions: { AutoRecovery: 'default', RebootMigration: 'default' },
  CapacityReservationSpecification: { CapacityReservationPreference: 'open' },
  NetworkInterfaces: [
    {
      NetworkInterfaceId: ENI,
      InterfaceType: 'interface',
      Attachment: { DeviceIndex: 0 },
      PrivateIpAddresses: [{ Primary: true, PrivateIpAddress: '10.0.1.10' }],
    },
  ],
};

export function instanceFixture(change: Partial<CloudInstance> = {}, raw: Record<string, unknown> = {}): CloudInstance {
  return {
    instanceId: OLD_INSTANCE_ID,
    state: 'running',
    stateReasonCode: null,
    stateReasonText: null,
    imageId: 'ami-0aaaaaaaaaaaaaaa1',
    instanceType: 'm7i.large',
    az: 'us-east-1a',
    subnetId: 'subnet-a',
    privateIp: '10.0.1.10',
    publicIp: '203.0.113.7',
    keyName: 'ops',
    iamInstanceProfileArn: 'arn:aws:iam::123456789012:instance-profile/db',
    architecture: 'x86_64',
    rootDeviceName: '/dev/xvda',
    ebsOptimized: true,
    detailedMonitoring: false,
    clientToken: null,
    launchedAtWallMs: 0,
    tags: { 'understudy:group': 'db', 'understudy:member': 'one', Name: 'db one' },
    volumes: [
      { volumeId: 'vol-data', deviceName: '/dev/sdf', status: 'attached', deleteOnTermination: false },
      { volumeId: 'vol-root', deviceName: '/dev/xvda', status: 'attached', deleteOnTermination: true },
    ],
    networkInterfaces: [
      {
        networkInterfaceId: ENI,
        attachmentId: 'eni-attach-1',
        deviceIndex: 0,
        networkCardIndex: 0,
        subnetId: 'subnet-a',
        privateIp: '10.0.1.10',
        groupIds: ['sg-1', 'sg-2'],
        deleteOnTermination: true,
      },
    ],
    ...change,
    raw: { ...rawInstance, ...raw },
  };
}

export const volumeFixture = (change: Partial<CloudVolume> & { readonly volumeId: string }): CloudVolume => ({
  state: 'in-use',
  az: 'us-east-1a',
  sizeGiB: 8,
  volumeType: 'gp3',
  iops: 3000,
  throughputMiBps: 125,
  encrypted: false,
  kmsKeyId: null,
  multiAttach: false,
  attachments: [{ instanceId: OLD_INSTANCE_ID, deviceName: '', state: 'attached' }],
  tags: { Name: 'disk', team: change.volumeId },
  ...change,
});

export const typeFixture = (change: Partial<CloudInstanceType> = {}): CloudInstanceType => ({
  instanceType: 'm7i.large',
  defaultCores: 2,
  defaultThreadsPerCore: 2,
  burstable: false,
  instanceStorage: false,
  instanceStoreDisks: 0,
  instanceStoreNvme: null,
  hypervisor: 'nitro',
  architectures: ['x86_64'],
  virtualizationTypes: ['hvm'],
  bootModes: ['legacy-bios', 'uefi'],
  rootDeviceTypes: ['ebs'],
  usageClasses: ['on-demand', 'spot'],
  enaSupport: 'required',
  nitroTpmSupport: 'supported',
  maxAttachments: 28,
  attachmentLimit: 'shared',
  ...change,
});

/** Offered in every zone. */
/** An active reservation with a place, of the own zone and type. */
export const reservationFixture = (change: Partial<CloudCapacityReservation> = {}): CloudCapacityReservation => ({
  ...{ reservationId: 'cr-1', state: 'active', az: 'us-east-1a', instanceType: 'm7i.large' },
  ...{ platform: 'Linux/UNIX', tenancy: 'default', available: 1, tags: {}, ...change },
});

export const typeFactsFixture = (...types: readonly CloudInstanceType[]): PlanInput['typeFacts'] => ({
  types: new Map(types.map((type) => [type.instanceType, type])),
  offeredIn: new Map(
    types.map(({ instanceType }) => [instanceType, new Set(['us-east-1a', 'us-east-1b', 'us-east-1c'])]),
  ),
});

export function planInputFixture(change: Partial<PlanInput> = {}): PlanInput {
  return {
    instance: instanceFixture(),
    volumes: [
      volumeFixture({ volumeId: 'vol-root' }),
      volumeFixture({ volumeId: 'vol-data', sizeGiB: 100, encrypted: true, kmsKeyId: 'arn:aws:kms:::key/1' }),
    ],
    snapshots: [],
    impairedVolumeIds: new Set(),
    readAtWallMs: 0,
    image: null,
    addresses: [
      {
        allocationId: 'eipalloc-1',
        publicIp: '203.0.113.7',
        associationId: 'eipassoc-1',
        networkInterfaceId: ENI,
        instanceId: OLD_INSTANCE_ID,
        privateIp: '10.0.1.10',
        tags: {},
      },
    ],
    networkInterfaces: [
      {
        networkInterfaceId: ENI,
        state: 'in-use',
        az: 'us-east-1a',
        subnetId: 'subnet-a',
        privateIp: '10.0.1.10',
        attachedInstanceId: OLD_INSTANCE_ID,
        attachment: { attachmentId: 'eni-attach-1', state: 'attached', deviceIndex: 0, deleteOnTermination: true },
        assigned: { 'secondary-ip': [], 'ipv6-address': [], 'ipv4-prefix': [], 'ipv6-prefix': [] },
        sourceDestCheck: false,
        description: '',
        tags: { Name: 'eni of db one' },
      },
    ],
    subnets: ['a', 'b', 'c'].map((letter) => ({
      subnetId: `subnet-${letter}`,
      az: `us-east-1${letter}`,
      vpcId: 'vpc-1',
      freeAddressCount: 200,
      tags: {},
    })),
    userData: 'bWVtYmVyOiBkYi9vbmU=',
    firstBoot: NO_USER_DATA,
    protection: { stop: false, termination: true },
    shutdownBehavior: 'stop',
    cpuCredits: null,
    typeFacts: typeFactsFixture(typeFixture({ instanceType: change.instance?.instanceType ?? 'm7i.large' })),
    references: { ...UNKNOWN_REFERENCES, routes: [] },
    trial: NOT_TRIED,
    ...change,
  };
}

export function planFixture(
  change: Partial<PlanInput> = {},
  policy: GroupPolicy = DEFAULT_POLICY,
): SnapshotAndReplacePlan {
  const result = makePlan(planInputFixture(change), policy);
  if (result.kind === 'blocked') throw new Error(result.problems.map((problem) => problem.code).join(', '));
  return result.plan;
}

export const requestIntentFixture = (plan: SnapshotAndReplacePlan = planFixture()): RequestIntent => ({
  opId: opIdOf(OLD_INSTANCE_ID),
  member: 'db/one',
  oldInstanceId: OLD_INSTANCE_ID,
  ordinal: 0,
  plan,
});
