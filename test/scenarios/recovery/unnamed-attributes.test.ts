import type {
  CapacityReservationSpecificationResponse,
  CpuOptions,
  EbsInstanceBlockDevice,
  EnclaveOptions,
  HibernationOptions,
  Instance,
  InstanceAttribute,
  InstanceBlockDeviceMapping,
  InstanceMaintenanceOptions,
  InstanceMetadataOptionsResponse,
  InstanceNetworkInterface,
  InstanceNetworkInterfaceAttachment,
  InstanceNetworkPerformanceOptions,
  NetworkInterface,
  Placement,
  PrivateDnsNameOptionsResponse,
  Volume,
} from '@aws-sdk/client-ec2';
import { FIDELITY, NO_ATTRIBUTES, NOT_LOOKED_AT } from '@understudy/recovery/testing';
import { describe, expect, it, test } from 'vitest';
import { MEMBER, RecoveryFixture } from './recovery-fixture.ts';

/**
 * Every member of EC2's answers about an instance is read by a row of the fidelity table, or listed
 * with the reason why not. What EC2 has is told by the types of the SDK, completely (a newer SDK
 * does not compile here before its members are added), and by the answers of the simulated EC2.
 */

type Members<T> = Record<keyof T, true>;

const INSTANCE: Members<Instance> = {
  ...{ AmiLaunchIndex: true, Architecture: true, BlockDeviceMappings: true, BootMode: true, CapacityBlockId: true },
  ...{ CapacityReservationId: true, CapacityReservationSpecification: true, ClientToken: true, CpuOptions: true },
  ...{ CurrentInstanceBootMode: true, EbsOptimized: true, ElasticGpuAssociations: true, EnaSupport: true },
  ...{ ElasticInferenceAcceleratorAssociations: true, EnclaveOptions: true, HibernationOptions: true },
  ...{ Hypervisor: true, IamInstanceProfile: true, ImageId: true, InstanceId: true, InstanceLifecycle: true },
  ...{ InstanceType: true, Ipv6Address: true, KernelId: true, KeyName: true, LaunchTime: true, Licenses: true },
  ...{ MaintenanceOptions: true, MetadataOptions: true, Monitoring: true, NetworkInterfaces: true },
  ...{ NetworkPerformanceOptions: true, Operator: true, OutpostArn: true, Placement: true, Platform: true },
  ...{ PlatformDetails: true, PrivateDnsName: true, PrivateDnsNameOptions: true, PrivateIpAddress: true },
  ...{ ProductCodes: true, PublicDnsName: true, PublicIpAddress: true, RamdiskId: true, RootDeviceName: true },
  ...{ RootDeviceType: true, SecondaryInterfaces: true, SecurityGroups: true, SourceDestCheck: true },
  ...{ SpotInstanceRequestId: true, SriovNetSupport: true, State: true, StateReason: true, SubnetId: true },
  ...{ StateTransitionReason: true, Tags: true, TpmSupport: true, UsageOperation: true },
  ...{ UsageOperationUpdateTime: true, VirtualizationType: true, VpcId: true },
};
const PLACEMENT: Members<Placement> = {
  ...{ Affinity: true, AvailabilityZone: true, AvailabilityZoneId: true, GroupId: true, GroupName: true },
  ...{ HostId: true, HostResourceGroupArn: true, PartitionNumber: true, SpreadDomain: true, Tenancy: true },
};
const INTERFACE: Members<InstanceNetworkInterface> = {
  ...{ Association: true, Attachment: true, ConnectionTrackingConfiguration: true, Description: true, Groups: true },
  ...{ InterfaceType: true, Ipv4Prefixes: true, Ipv6Addresses: true, Ipv6Prefixes: true, MacAddress: true },
  ...{ NetworkInterfaceId: true, Operator: true, OwnerId: true, PrivateDnsName: true, PrivateIpAddress: true },
  ...{ PrivateIpAddresses: true, SourceDestCheck: true, Status: true, SubnetId: true, VpcId: true },
};
const ATTACHMENT: Members<InstanceNetworkInterfaceAttachment> = {
  ...{ AttachTime: true, AttachmentId: true, DeleteOnTermination: true, DeviceIndex: true, EnaQueueCount: true },
  ...{ EnaSrdSpecification: true, NetworkCardIndex: true, Status: true },
};
const MAPPING: Members<InstanceBlockDeviceMapping> = { DeviceName: true, Ebs: true };
const EBS: Members<EbsInstanceBlockDevice> = {
  ...{ AssociatedResource: true, AttachTime: true, DeleteOnTermination: true, EbsCardIndex: true, Operator: true },
  ...{ Status: true, VolumeId: true, VolumeOwnerId: true },
};
const CPU: Members<CpuOptions> = {
  ...{ AmdSevSnp: true, CoreCount: true, NestedVirtualization: true, ThreadsPerCore: true },
};
const METADATA: Members<InstanceMetadataOptionsResponse> = {
  ...{ HttpEndpoint: true, HttpProtocolIpv6: true, HttpPutResponseHopLimit: true, HttpTokens: true },
  ...{ InstanceMetadataTags: true, State: true },
};
const MAINTENANCE: Members<InstanceMaintenanceOptions> = { AutoRecovery: true, RebootMigration: true };
const PERFORMANCE: Members<InstanceNetworkPerformanceOptions> = { BandwidthWeighting: true };
const DNS: Members<PrivateDnsNameOptionsResponse> = {
  ...{ EnableResourceNameDnsAAAARecord: true, EnableResourceNameDnsARecord: true, HostnameType: true },
};
const RESERVATION: Members<CapacityReservationSpecificationResponse> = {
  ...{ CapacityReservationPreference: true, CapacityReservationTarget: true },
};
const ENCLAVE: Members<EnclaveOptions> = { Enabled: true };
const HIBERNATION: Members<HibernationOptions> = { Configured: true };
const VOLUME: Members<Volume> = {
  ...{ Attachments: true, AvailabilityZone: true, AvailabilityZoneId: true, CreateTime: true, Encrypted: true },
  ...{ FastRestored: true, Iops: true, KmsKeyId: true, MultiAttachEnabled: true, Operator: true, OutpostArn: true },
  ...{ OwnerId: true, Size: true, SnapshotId: true, SourceVolumeId: true, SseType: true, State: true, Tags: true },
  ...{ Throughput: true, VolumeArn: true, VolumeId: true, VolumeInitializationRate: true, VolumeType: true },
};
/** What DescribeInstances shows of an interface is named there. */
const FURTHER_OF_INTERFACE: Members<Omit<NetworkInterface, keyof InstanceNetworkInterface>> = {
  ...{ AssociatedSubnets: true, AvailabilityZone: true, AvailabilityZoneId: true, DenyAllIgwTraffic: true },
  ...{ Ipv6Address: true, Ipv6Native: true, OutpostArn: true, PublicDnsName: true, PublicIpDnsNameOptions: true },
  ...{ RequesterId: true, RequesterManaged: true, TagSet: true },
};
/** What DescribeInstances shows, too, is named there. */
const FURTHER_OF_ATTRIBUTE: Members<Omit<InstanceAttribute, keyof Instance | 'Groups'>> = {
  ...{ DisableApiStop: true, DisableApiTermination: true, InstanceInitiatedShutdownBehavior: true, UserData: true },
};

/** The members in which one looks further; the rest is looked at whole. */
const TYPES: Readonly<Record<string, object>> = {
  Instance: INSTANCE,
  'Instance.Placement': PLACEMENT,
  'Instance.NetworkInterfaces': INTERFACE,
  'Instance.NetworkInterfaces.Attachment': ATTACHMENT,
  'Instance.BlockDeviceMappings': MAPPING,
  'Instance.BlockDeviceMappings.Ebs': EBS,
  'Instance.CpuOptions': CPU,
  'Instance.MetadataOptions': METADATA,
  'Instance.MaintenanceOptions': MAINTENANCE,
  'Instance.NetworkPerformanceOptions': PERFORMANCE,
  'Instance.PrivateDnsNameOptions': DNS,
  'Instance.CapacityReservationSpecification': RESERVATION,
  'Instance.EnclaveOptions': ENCLAVE,
  'Instance.HibernationOptions': HIBERNATION,
  InstanceAttribute: FURTHER_OF_ATTRIBUTE,
  NetworkInterface: FURTHER_OF_INTERFACE,
  Volume: VOLUME,
};

const withoutBrackets = (path: string): string => path.replaceAll(/\[[^\]]*\]/g, '');
const READ: readonly string[] = FIDELITY.flatMap((row) => row.read).map(withoutBrackets);
const LISTED: readonly string[] = [...NO_ATTRIBUTES, ...NOT_LOOKED_AT].map(({ member }) => withoutBrackets(member));
const NAMED: ReadonlySet<string> = new Set([...READ, ...LISTED]);

/** Those of the members that neither they nor what they are part of is named. */
const unnamed = (members: readonly string[]): readonly string[] =>
  members.filter((member) => {
    const parts = member.split('.');
    return !parts.some((_, index) => index > 0 && NAMED.has(parts.slice(0, index + 1).join('.')));
  });

/** The members at the ends of an answer: what is in a list is named as if there were no list. */
function endsOf(value: unknown, path: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((one) => endsOf(one, path));
  if (typeof value !== 'object' || value instanceof Date) return [path];
  return Object.entries(value).flatMap(([name, member]) => endsOf(member, `${path}.${name}`));
}

const KNOWN_TO_EC2 = Object.entries(TYPES).flatMap(([path, members]) =>
  Object.keys(members).map((name) => `${path}.${name}`),
);

describe('no row and no list names', () => {
  test.each(Object.keys(TYPES))('nothing of the members that the SDK gives %s', (path) => {
    const members = Object.keys(TYPES[path] ?? {}).map((name) => `${path}.${name}`);
    expect(unnamed(members.filter((member) => TYPES[member] === undefined))).toEqual([]);
  });

  it('nothing of what the simulated EC2 answers about a member', async () => {
    const scene = new RecoveryFixture({});
    const { instanceId } = scene.seedMember(MEMBER, {});
    const answer = scene.sim.seed('DescribeInstances', { InstanceIds: [instanceId] }) as {
      Reservations?: { Instances?: Instance[] }[];
    };
    const ends = endsOf(answer.Reservations?.[0]?.Instances?.[0], 'Instance');
    expect(ends.length).toBeGreaterThan(60);
    expect(unnamed(ends)).toEqual([]);
  });

  it.each(['userData', 'disableApiStop', 'disableApiTermination', 'instanceInitiatedShutdownBehavior'])(
    'nothing of its answer to DescribeInstanceAttribute %s',
    (Attribute) => {
      const scene = new RecoveryFixture({});
      const { instanceId } = scene.seedMember(MEMBER, {});
      const answer = scene.sim.seed('DescribeInstanceAttribute', { InstanceId: instanceId, Attribute });
      const { InstanceId: _, ...attribute } = answer;
      expect(unnamed(endsOf(attribute, 'InstanceAttribute'))).toEqual([]);
    },
  );

  it('is said of one that nobody thought of', () => {
    const answer = { KeyName: 'k', Warp: { Factor: 9 }, Placement: { Tenancy: 'default', Deck: 4 } };
    expect(unnamed(endsOf(answer, 'Instance'))).toEqual(['Instance.Warp.Factor', 'Instance.Placement.Deck']);
  });
});

describe('what is listed as not read', () => {
  it('is known to EC2, and no row reads it', () => {
    expect(LISTED.filter((member) => !KNOWN_TO_EC2.includes(member))).toEqual([]);
    expect(LISTED.filter((member) => READ.includes(member))).toEqual([]);
  });

  it('stands in one list, once', () => {
    expect(LISTED.filter((member, index) => LISTED.indexOf(member) !== index)).toEqual([]);
  });
});
