import {
  isPrimary,
  type SimAddress,
  type SimInstance,
  type SimInstanceState,
  type SimNetworkInterface,
} from '../model.ts';
import type { Instance, InstanceNetworkInterface, Reservation, RunInstancesRequest } from '@aws-sdk/client-ec2';
import { tagList } from '../filters.ts';
import { INSTANCE_TYPES } from '../instance-types.ts';
import { ACCOUNT_ID, type Call, type Region } from '../region.ts';
import { reservedPlaceOf } from './capacity-reservations.ts';
import { date } from './common.ts';
import { dnsNameOptionsOf } from './dns-name-options.ts';

const STATE_CODES: Readonly<Record<SimInstanceState, number>> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

/** `State` of an instance. */
export const stateView = (state: SimInstanceState) => ({ Code: STATE_CODES[state], Name: state });

/** Elastic IPs by interface and private address. An interface may have one on each address. */
export class AddressesSeen {
  readonly #found = new Map<string, SimAddress>();

  constructor(addresses: readonly SimAddress[]) {
    for (const one of addresses) {
      if (one.networkInterfaceId) this.#found.set(`${one.networkInterfaceId}/${one.privateIp}`, one);
    }
  }

  /** The one on the interface's primary address, or on the address that is named. */
  on(one: SimNetworkInterface, privateIp: string = one.privateIp): SimAddress | undefined {
    return this.#found.get(`${one.id}/${privateIp}`);
  }

  /** All on the interface, that of the primary address first. */
  all(one: SimNetworkInterface): readonly SimAddress[] {
    return [one.privateIp, ...one.secondaryIps].flatMap((ip) => this.on(one, ip) ?? []);
  }
}

/** The Elastic IPs as this reader sees them. Computed once per call. */
export const addressesByInterface = (region: Region, call: Call): AddressesSeen =>
  new AddressesSeen(region.addresses.allSeen(call));

/** What DescribeInstances and DescribeNetworkInterfaces show of an interface's addresses. */
export const addressViews = (region: Region, one: SimNetworkInterface, addresses: AddressesSeen) => ({
  PrivateIpAddress: one.privateIp,
  PrivateDnsName: hostName(region, one.privateIp),
  PrivateIpAddresses: [one.privateIp, ...one.secondaryIps].map((ip, i) => ({
    Primary: i === 0,
    PrivateIpAddress: ip,
    PrivateDnsName: hostName(region, ip),
    Association: associationView(addresses.on(one, ip)),
  })),
  Ipv6Addresses: one.ipv6Addresses.map((Ipv6Address, i) => ({
    Ipv6Address,
    IsPrimaryIpv6: one.primaryIpv6 && i === 0,
  })),
  Ipv4Prefixes: one.ipv4Prefixes.map((Ipv4Prefix) => ({ Ipv4Prefix })),
  Ipv6Prefixes: one.ipv6Prefixes.map((Ipv6Prefix) => ({ Ipv6Prefix })),
  Association: associationView(addresses.on(one)),
});

/** DescribeInstances leaves the ids out. */
const associationView = (address: SimAddress | undefined) =>
  address?.associationId
    ? {
        AllocationId: address.id,
        AssociationId: address.associationId,
        PublicIp: address.publicIp,
        IpOwnerId: ACCOUNT_ID,
      }
    : undefined;

function groupViews(region: Region, ids: readonly string[]) {
  return ids.map((GroupId) => ({ GroupId, GroupName: region.securityGroups.get(GroupId)?.name }));
}

const hostName = (region: Region, ip: string): string =>
  `ip-${ip.replaceAll('.', '-')}.${region.name}.compute.internal`;

type Association = { readonly PublicIp: string; readonly IpOwnerId: string } | undefined;

const withoutIds = (association: Association): Association =>
  association && { PublicIp: association.PublicIp, IpOwnerId: association.IpOwnerId };

function interfaceView(region: Region, one: SimNetworkInterface, addresses: AddressesSeen): InstanceNetworkInterface {
  const attachment = one.attachment;
  const views = addressViews(region, one, addresses);
  return {
    NetworkInterfaceId: one.id,
    SubnetId: one.subnetId,
    VpcId: one.vpcId,
    Description: one.description,
    OwnerId: ACCOUNT_ID,
    Status: one.state === 'in-use' ? 'in-use' : 'available',
    MacAddress: one.macAddress,
    ...views,
    PrivateIpAddresses: views.PrivateIpAddresses.map((ip) => ({ ...ip, Association: withoutIds(ip.Association) })),
    Association: withoutIds(views.Association),
    SourceDestCheck: one.sourceDestCheck,
    InterfaceType: one.interfaceType,
    ConnectionTrackingConfiguration: one.connectionTracking ?? undefined,
    Groups: groupViews(region, one.groupIds),
    Attachment: attachment
      ? {
          AttachmentId: attachment.attachmentId,
          DeviceIndex: attachment.deviceIndex,
          Status: attachment.state,
          AttachTime: date(attachment.attachedAtWallMs),
          DeleteOnTermination: attachment.deleteOnTermination,
          NetworkCardIndex: attachment.networkCardIndex,
        }
      : undefined,
  };
}

function blockDeviceViews(region: Region, call: Call, instance: SimInstance): Instance['BlockDeviceMappings'] {
  return instance.volumeIds.flatMap((id) => {
    const volume = region.volumes.seenAsPart(id, call);
    const attachment = volume?.attachments.find((one) => one.instanceId === instance.id);
    if (!volume || !attachment) return [];
    return [
      {
        DeviceName: attachment.device,
        Ebs: {
          VolumeId: volume.id,
          Status: attachment.state === 'busy' ? ('detaching' as const) : attachment.state,
          AttachTime: date(attachment.attachedAtWallMs),
          DeleteOnTermination: attachment.deleteOnTermination,
        },
      },
    ];
  });
}

function optionViews(region: Region, instance: SimInstance): Partial<Instance> {
  const { request } = instance;
  const type = INSTANCE_TYPES.get(instance.instanceType);
  return {
    KeyName: request.KeyName,
    EbsOptimized: instance.ebsOptimized,
    Monitoring: { State: instance.detailedMonitoring ? 'enabled' : 'disabled' },
    Placement: {
      AvailabilityZone: instance.az,
      ...groupView(region, request.Placement),
      Tenancy: request.Placement?.Tenancy ?? 'default',
      PartitionNumber: request.Placement?.PartitionNumber,
      HostId: request.Placement?.HostId,
      Affinity: request.Placement?.Affinity,
    },
    IamInstanceProfile: profileView(instance),
    MetadataOptions: {
      State: 'applied',
      HttpTokens: request.MetadataOptions?.HttpTokens ?? 'required',
      HttpPutResponseHopLimit: request.MetadataOptions?.HttpPutResponseHopLimit ?? 2,
      HttpEndpoint: request.MetadataOptions?.HttpEndpoint ?? 'enabled',
      HttpProtocolIpv6: request.MetadataOptions?.HttpProtocolIpv6 ?? 'disabled',
      InstanceMetadataTags: request.MetadataOptions?.InstanceMetadataTags ?? 'disabled',
    },
    CpuOptions: {
      CoreCount: request.CpuOptions?.CoreCount ?? Math.max(1, (type?.vcpus ?? 2) / 2),
      ThreadsPerCore: request.CpuOptions?.ThreadsPerCore ?? 2,
    },
    HibernationOptions: { Configured: request.HibernationOptions?.Configured ?? false },
    EnclaveOptions: { Enabled: request.EnclaveOptions?.Enabled ?? false },
    MaintenanceOptions: {
      AutoRecovery: instance.maintenance.autoRecovery,
      RebootMigration: instance.maintenance.rebootMigration,
    },
    CapacityReservationSpecification: reservationSpecificationView(request),
    CapacityReservationId: reservedPlaceOf(instance),
    NetworkPerformanceOptions: { BandwidthWeighting: 'default' },
    Licenses: request.LicenseSpecifications?.map(({ LicenseConfigurationArn }) => ({ LicenseConfigurationArn })),
    PrivateDnsNameOptions: dnsNameOptionsOf(instance),
  };
}

function groupView(
  region: Region,
  placement: RunInstancesRequest['Placement'],
): { GroupName: string; GroupId?: string } {
  const group = region.placementGroups
    .all()
    .find((one) => one.id === placement?.GroupName || one.groupId === placement?.GroupId);
  if (!group) return { GroupName: placement?.GroupName ?? '' };
  return { GroupName: group.id, GroupId: group.groupId };
}

function reservationSpecificationView({ CapacityReservationSpecification: asked }: RunInstancesRequest) {
  const target = asked?.CapacityReservationTarget;
  if (target) return { CapacityReservationTarget: { CapacityReservationId: target.CapacityReservationId } };
  return { CapacityReservationPreference: asked?.CapacityReservationPreference ?? ('open' as const) };
}

function profileView(instance: SimInstance): Instance['IamInstanceProfile'] {
  const profile = instance.request.IamInstanceProfile;
  if (!profile) return undefined;
  const Arn = profile.Arn ?? `arn:aws:iam::${ACCOUNT_ID}:instance-profile/${profile.Name}`;
  return { Arn, Id: 'AIPASIMULATED00000000' };
}

function imageViews(region: Region, instance: SimInstance): Partial<Instance> {
  const image = region.images.get(instance.imageId)?.request;
  return {
    Architecture: instance.architecture as Instance['Architecture'],
    VirtualizationType: 'hvm',
    Hypervisor: 'xen',
    EnaSupport: image?.EnaSupport ?? true,
    SriovNetSupport: image?.SriovNetSupport,
    BootMode: image?.BootMode,
    TpmSupport: image?.TpmSupport,
    RootDeviceName: instance.rootDeviceName,
    RootDeviceType: 'ebs',
    PlatformDetails: 'Linux/UNIX',
    UsageOperation: 'RunInstances',
  };
}

function networkViews(region: Region, call: Call, instance: SimInstance, addresses: AddressesSeen) {
  const interfaces = instance.networkInterfaceIds.flatMap((id) => region.networkInterfaces.seenAsPart(id, call) ?? []);
  const primary = interfaces.find((one) => isPrimary(one.attachment)) ?? interfaces[0];
  const elastic = primary && addresses.on(primary);
  const publicIp = elastic?.publicIp ?? instance.autoPublicIp ?? undefined;
  const terminated = instance.state === 'terminated';
  return {
    NetworkInterfaces: interfaces.map((one) => interfaceView(region, one, addresses)),
    SecurityGroups: groupViews(region, primary?.groupIds ?? []),
    SourceDestCheck: primary?.sourceDestCheck,
    PrivateIpAddress: terminated ? undefined : primary?.privateIp,
    PrivateDnsName: primary && !terminated ? hostName(region, primary.privateIp) : '',
    PublicIpAddress: publicIp,
    PublicDnsName: '',
    SubnetId: terminated ? undefined : instance.subnetId,
    VpcId: terminated ? undefined : instance.vpcId,
  };
}

export function instanceView(region: Region, call: Call, instance: SimInstance, addresses: AddressesSeen): Instance {
  return {
    InstanceId: instance.id,
    ImageId: instance.imageId,
    InstanceType: instance.instanceType as Instance['InstanceType'],
    State: stateView(instance.state),
    StateReason: instance.stateReason
      ? { Code: instance.stateReason.code, Message: instance.stateReason.message }
      : undefined,
    StateTransitionReason: instance.transitionReason,
    LaunchTime: date(instance.launchedAtWallMs),
    AmiLaunchIndex: 0,
    ProductCodes: instance.productCodes.map((ProductCodeId) => ({
      ProductCodeId,
      ProductCodeType: 'marketplace' as const,
    })),
    ClientToken: instance.clientToken ?? '',
    Tags: tagList(instance.tags),
    BlockDeviceMappings: blockDeviceViews(region, call, instance),
    ...optionViews(region, instance),
    ...imageViews(region, instance),
    ...networkViews(region, call, instance, addresses),
  };
}

export function reservationView(region: Region, call: Call, instances: readonly SimInstance[]): Reservation {
  const addresses = addressesByInterface(region, call);
  return {
    ReservationId: instances[0]?.reservationId,
    OwnerId: ACCOUNT_ID,
    Groups: [],
    Instances: instances.map((one) => instanceView(region, call, one, addresses)),
  };
}
