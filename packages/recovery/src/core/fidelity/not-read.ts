/** A member of EC2's answers about an instance that no row of the fidelity table reads. */
export interface NotRead {
  /** As in `read` of a row. */
  readonly member: string;
  readonly why: string;
}

const each = (why: string, members: readonly string[]): readonly NotRead[] =>
  members.map((member) => ({ member, why }));

/** What is no attribute that a replacement could have or lack. */
export const NO_ATTRIBUTES: readonly NotRead[] = [
  ...each('Each instance, disk and interface has its own.', [
    'Instance.InstanceId',
    'Instance.AmiLaunchIndex',
    'Instance.ClientToken',
    'Instance.StateReason',
    'Instance.StateTransitionReason',
    'Instance.BlockDeviceMappings[].Ebs.AttachTime',
    'Instance.BlockDeviceMappings[].Ebs.Status',
    'Instance.MetadataOptions.State',
    'Instance.NetworkInterfaces[].Attachment.AttachmentId',
    'Instance.NetworkInterfaces[].Attachment.AttachTime',
    'Instance.NetworkInterfaces[].Attachment.DeleteOnTermination',
    'Instance.NetworkInterfaces[].Attachment.Status',
    'Instance.NetworkInterfaces[].Description',
    'Instance.NetworkInterfaces[].Status',
    'Volume.CreateTime',
    'Volume.SnapshotId',
    'Volume.SourceVolumeId',
    'Volume.State',
    'Volume.VolumeArn',
    'Volume.VolumeId',
  ]),
  ...each('It is the same for everything in the account.', [
    'Instance.BlockDeviceMappings[].Ebs.VolumeOwnerId',
    'Instance.NetworkInterfaces[].OwnerId',
    'Volume.OwnerId',
  ]),
  ...each('It follows from the type, the image, the subnet or the key.', [
    'Instance.CurrentInstanceBootMode',
    'Instance.Hypervisor',
    'Instance.NetworkInterfaces[].VpcId',
    'Instance.UsageOperationUpdateTime',
    'NetworkInterface.AvailabilityZone',
    'NetworkInterface.AvailabilityZoneId',
    'NetworkInterface.DenyAllIgwTraffic',
    'NetworkInterface.Ipv6Address',
    'NetworkInterface.Ipv6Native',
    'NetworkInterface.PublicDnsName',
    'Volume.AvailabilityZone',
    'Volume.AvailabilityZoneId',
    'Volume.SseType',
  ]),
  ...each('A row refuses what is bought in this way, by InstanceLifecycle.', ['Instance.CapacityBlockId']),
  ...each('It was the property of the snapshot the volume was made of.', ['Volume.FastRestored']),
  ...each('EC2 keeps it for later use.', ['Instance.Placement.SpreadDomain']),
  ...each('AWS has ended the service.', [
    'Instance.ElasticGpuAssociations',
    'Instance.ElasticInferenceAcceleratorAssociations',
  ]),
];

/**
 * Attributes that nobody looks at: a replacement lacks them and its plan does not say so. Each is
 * to become a row. There is none now; what a newer SDK brings is entered here until it has one.
 */
export const NOT_LOOKED_AT: readonly NotRead[] = [];
