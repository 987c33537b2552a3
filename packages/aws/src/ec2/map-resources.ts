import {
  type CloudAddress,
  type CloudImage,
  type CloudInterfaceAttachment,
  type CloudNetworkInterface,
  type CloudSnapshot,
  type CloudSubnet,
  type CloudVolume,
  flagOf,
  numberOf,
  oneOf,
  type Raw,
  rawListOf,
  rawOf,
  tagsOf,
  textOf,
  wallMsOf,
} from '@understudy/shared';

/** Null when the resource shows no id to name it by, as in the other functions here. */

export function mapVolume(raw: Raw): CloudVolume | null {
  const volumeId = textOf(raw.VolumeId);
  if (volumeId === null) return null;
  return {
    volumeId,
    state: textOf(raw.State) ?? '',
    az: textOf(raw.AvailabilityZone) ?? '',
    sizeGiB: numberOf(raw.Size) ?? 0,
    volumeType: textOf(raw.VolumeType) ?? '',
    iops: numberOf(raw.Iops),
    throughputMiBps: numberOf(raw.Throughput),
    encrypted: flagOf(raw.Encrypted),
    kmsKeyId: textOf(raw.KmsKeyId),
    multiAttach: flagOf(raw.MultiAttachEnabled),
    fromSnapshotId: textOf(raw.SnapshotId) || null,
    attachments: rawListOf(raw.Attachments).map((attachment) => ({
      instanceId: textOf(attachment.InstanceId) ?? '',
      deviceName: textOf(attachment.Device) ?? '',
      state: textOf(attachment.State) ?? '',
    })),
    tags: tagsOf(raw.Tags),
    ...operatedOf(raw),
    ...(numberOf(raw.VolumeInitializationRate)
      ? { initializationRateMiBps: numberOf(raw.VolumeInitializationRate) ?? 0 }
      : {}),
  };
}

const SNAPSHOT_STATES = ['pending', 'completed', 'error', 'recoverable', 'recovering'] as const;

/** A state we do not know is read as `pending`: the snapshot cannot be used yet. */
export function mapSnapshot(raw: Raw): CloudSnapshot | null {
  const snapshotId = textOf(raw.SnapshotId);
  if (snapshotId === null) return null;
  return {
    snapshotId,
    volumeId: textOf(raw.VolumeId) ?? '',
    state: oneOf(SNAPSHOT_STATES, raw.State, 'pending'),
    progressPercent: percentOf(raw.Progress),
    startedAtWallMs: wallMsOf(raw.StartTime) ?? 0,
    tags: tagsOf(raw.Tags),
  };
}

/** EC2 says `42%`, or nothing while it does not know. */
function percentOf(value: unknown): number {
  const percent = Number.parseFloat(textOf(value) ?? '');
  return Number.isFinite(percent) ? Math.min(100, Math.max(0, percent)) : 0;
}

export function mapImage(raw: Raw): CloudImage | null {
  const imageId = textOf(raw.ImageId);
  if (imageId === null) return null;
  const mappings = rawListOf(raw.BlockDeviceMappings);
  const root = mappings.find((mapping) => mapping.DeviceName === raw.RootDeviceName);
  return {
    imageId,
    name: textOf(raw.Name) ?? '',
    ...(textOf(raw.PlatformDetails) === null ? {} : { platformDetails: textOf(raw.PlatformDetails) ?? '' }),
    ...(textOf(raw.OwnerId) === null ? {} : { ownerId: textOf(raw.OwnerId) ?? '' }),
    ...(textOf(raw.ImageOwnerAlias) === null ? {} : { ownerAlias: textOf(raw.ImageOwnerAlias) ?? '' }),
    state: textOf(raw.State) ?? '',
    rootSnapshotId: textOf(rawOf(root?.Ebs).SnapshotId),
    rootDeviceName: textOf(raw.RootDeviceName),
    otherDeviceNames: mappings.flatMap((mapping) => (mapping === root ? [] : (textOf(mapping.DeviceName) ?? []))),
    bootMode: textOf(raw.BootMode),
    enaSupport: flagOf(raw.EnaSupport),
    tpmSupport: textOf(raw.TpmSupport),
    sriovNetSupport: textOf(raw.SriovNetSupport),
    virtualizationType: textOf(raw.VirtualizationType),
    imdsSupport: textOf(raw.ImdsSupport),
    architecture: textOf(raw.Architecture),
    tags: tagsOf(raw.Tags),
  };
}

export function mapNetworkInterface(raw: Raw): CloudNetworkInterface | null {
  const networkInterfaceId = textOf(raw.NetworkInterfaceId);
  if (networkInterfaceId === null) return null;
  return {
    networkInterfaceId,
    state: textOf(raw.Status) ?? '',
    az: textOf(raw.AvailabilityZone) ?? '',
    subnetId: textOf(raw.SubnetId) ?? '',
    privateIp: textOf(raw.PrivateIpAddress) ?? '',
    attachedInstanceId: textOf(rawOf(raw.Attachment).InstanceId),
    attachment: attachmentOf(rawOf(raw.Attachment)),
    assigned: {
      'secondary-ip': rawListOf(raw.PrivateIpAddresses)
        .filter((one) => one.Primary !== true)
        .flatMap((one) => textOf(one.PrivateIpAddress) ?? []),
      'ipv6-address': rawListOf(raw.Ipv6Addresses).flatMap((one) => textOf(one.Ipv6Address) ?? []),
      'ipv4-prefix': rawListOf(raw.Ipv4Prefixes).flatMap((one) => textOf(one.Ipv4Prefix) ?? []),
      'ipv6-prefix': rawListOf(raw.Ipv6Prefixes).flatMap((one) => textOf(one.Ipv6Prefix) ?? []),
    },
    sourceDestCheck: raw.SourceDestCheck !== false,
    description: textOf(raw.Description) ?? '',
    tags: tagsOf(raw.TagSet),
    ...operatedOf(raw),
    ...furtherOf(raw),
  };
}

/** What is not ordinary about a resource: a service operates it, or it is on an Outpost. */
function operatedOf(raw: Raw): { readonly operatedBy?: string; readonly outpostArn?: string } {
  const operator = rawOf(raw.Operator);
  const isOperated = flagOf(operator.Managed) || flagOf(raw.RequesterManaged);
  const by = textOf(operator.Principal) ?? textOf(raw.RequesterId) ?? 'an AWS service';
  const outpostArn = textOf(raw.OutpostArn);
  return { ...(isOperated ? { operatedBy: by } : {}), ...(outpostArn === null ? {} : { outpostArn }) };
}

function furtherOf(raw: Raw): Pick<CloudNetworkInterface, 'publicHostnameType' | 'associatedSubnetIds'> {
  const type = textOf(rawOf(raw.PublicIpDnsNameOptions).DnsHostnameType);
  const subnets = Array.isArray(raw.AssociatedSubnets) ? raw.AssociatedSubnets.map(String) : [];
  return {
    ...(type === null ? {} : { publicHostnameType: type }),
    ...(subnets.length === 0 ? {} : { associatedSubnetIds: subnets }),
  };
}

function attachmentOf(raw: Raw): CloudInterfaceAttachment | null {
  const attachmentId = textOf(raw.AttachmentId);
  if (attachmentId === null) return null;
  return {
    attachmentId,
    state: textOf(raw.Status) ?? '',
    deviceIndex: numberOf(raw.DeviceIndex) ?? 0,
    deleteOnTermination: flagOf(raw.DeleteOnTermination),
  };
}

/** Null also for an address without an allocation, which cannot be associated by id. */
export function mapAddress(raw: Raw): CloudAddress | null {
  const allocationId = textOf(raw.AllocationId);
  if (allocationId === null) return null;
  return {
    allocationId,
    publicIp: textOf(raw.PublicIp) ?? '',
    associationId: textOf(raw.AssociationId),
    networkInterfaceId: textOf(raw.NetworkInterfaceId),
    instanceId: textOf(raw.InstanceId),
    privateIp: textOf(raw.PrivateIpAddress),
    tags: tagsOf(raw.Tags),
  };
}

export function mapSubnet(raw: Raw): CloudSubnet | null {
  const subnetId = textOf(raw.SubnetId);
  if (subnetId === null) return null;
  return {
    subnetId,
    az: textOf(raw.AvailabilityZone) ?? '',
    vpcId: textOf(raw.VpcId) ?? '',
    freeAddressCount: numberOf(raw.AvailableIpAddressCount) ?? 0,
    tags: tagsOf(raw.Tags),
  };
}
