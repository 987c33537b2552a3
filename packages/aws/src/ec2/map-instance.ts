import {
  type CheckSummary,
  type CloudInstance,
  type CloudInstanceStatus,
  type CloudInstanceType,
  type CloudNetworkAttachment,
  type CloudVolumeAttachment,
  flagOf,
  type InstanceState,
  numberOf,
  oneOf,
  type Raw,
  rawListOf,
  rawOf,
  tagsOf,
  textOf,
  textsOf,
  wallMsOf,
} from '@understudy/shared';

const STATES = ['pending', 'running', 'stopping', 'stopped', 'shutting-down', 'terminated'] as const;

/**
 * An instance's state. A word EC2 invents later is read as `pending`: it proves no fence and
 * activates nothing.
 */
const stateOf = (value: unknown): InstanceState => oneOf(STATES, rawOf(value).Name, 'pending');

/** Null when the answer has no id to name it by. */
export function mapInstance(raw: Raw): CloudInstance | null {
  const instanceId = textOf(raw.InstanceId);
  if (instanceId === null) return null;
  const reason = rawOf(raw.StateReason);
  return {
    instanceId,
    state: stateOf(raw.State),
    stateReasonCode: textOf(reason.Code),
    stateReasonText: textOf(reason.Message),
    imageId: textOf(raw.ImageId) ?? '',
    instanceType: textOf(raw.InstanceType) ?? '',
    az: textOf(rawOf(raw.Placement).AvailabilityZone) ?? '',
    subnetId: textOf(raw.SubnetId),
    privateIp: textOf(raw.PrivateIpAddress),
    publicIp: textOf(raw.PublicIpAddress),
    keyName: textOf(raw.KeyName),
    iamInstanceProfileArn: textOf(rawOf(raw.IamInstanceProfile).Arn),
    architecture: textOf(raw.Architecture),
    rootDeviceName: textOf(raw.RootDeviceName),
    ebsOptimized: flagOf(raw.EbsOptimized),
    detailedMonitoring: ['enabled', 'pending'].includes(textOf(rawOf(raw.Monitoring).State) ?? ''),
    clientToken: textOf(raw.ClientToken),
    launchedAtWallMs: wallMsOf(raw.LaunchTime) ?? 0,
    tags: tagsOf(raw.Tags),
    volumes: rawListOf(raw.BlockDeviceMappings).flatMap(mapVolumeAttachment),
    networkInterfaces: rawListOf(raw.NetworkInterfaces).flatMap(mapNetworkAttachment),
    raw,
  };
}

function mapVolumeAttachment(mapping: Raw): CloudVolumeAttachment[] {
  const ebs = rawOf(mapping.Ebs);
  const volumeId = textOf(ebs.VolumeId);
  if (volumeId === null) return [];
  return [
    {
      volumeId,
      deviceName: textOf(mapping.DeviceName) ?? '',
      status: textOf(ebs.Status) ?? '',
      deleteOnTermination: flagOf(ebs.DeleteOnTermination),
    },
  ];
}

function mapNetworkAttachment(eni: Raw): CloudNetworkAttachment[] {
  const networkInterfaceId = textOf(eni.NetworkInterfaceId);
  const attachment = rawOf(eni.Attachment);
  if (networkInterfaceId === null) return [];
  return [
    {
      networkInterfaceId,
      attachmentId: textOf(attachment.AttachmentId),
      // An unknown index is not 0: nothing may take it for the primary interface.
      deviceIndex: numberOf(attachment.DeviceIndex) ?? -1,
      networkCardIndex: numberOf(attachment.NetworkCardIndex) ?? 0,
      subnetId: textOf(eni.SubnetId) ?? '',
      privateIp: textOf(eni.PrivateIpAddress) ?? '',
      groupIds: rawListOf(eni.Groups).flatMap((group) => textOf(group.GroupId) ?? []),
      deleteOnTermination: flagOf(attachment.DeleteOnTermination),
    },
  ];
}

const SUMMARIES = ['ok', 'impaired', 'insufficient-data', 'not-applicable', 'initializing'] as const;

/** An unknown word, or none, is no evidence in either direction. */
const summaryOf = (value: unknown, absent: CheckSummary): CheckSummary =>
  textOf(rawOf(value).Status) === null ? absent : oneOf(SUMMARIES, rawOf(value).Status, 'insufficient-data');

export function mapInstanceStatus(raw: Raw): CloudInstanceStatus | null {
  const instanceId = textOf(raw.InstanceId);
  if (instanceId === null) return null;
  return {
    instanceId,
    state: stateOf(raw.InstanceState),
    system: summaryOf(raw.SystemStatus, 'insufficient-data'),
    instance: summaryOf(raw.InstanceStatus, 'insufficient-data'),
    // Only Nitro reports this; it is absent elsewhere.
    attachedEbs: summaryOf(raw.AttachedEbsStatus, 'not-applicable'),
    events: rawListOf(raw.Events).map((event) => ({
      code: textOf(event.Code) ?? '',
      description: textOf(event.Description) ?? '',
      notBeforeWallMs: wallMsOf(event.NotBefore),
    })),
  };
}

export function mapInstanceType(raw: Raw): CloudInstanceType | null {
  const instanceType = textOf(raw.InstanceType);
  if (instanceType === null) return null;
  const cpu = rawOf(raw.VCpuInfo);
  return {
    instanceType,
    defaultCores: numberOf(cpu.DefaultCores),
    defaultThreadsPerCore: numberOf(cpu.DefaultThreadsPerCore),
    burstable: flagOf(raw.BurstablePerformanceSupported),
    instanceStorage: flagOf(raw.InstanceStorageSupported),
    ...storageOf(rawOf(raw.InstanceStorageInfo)),
    ...limitsOf(rawOf(raw.EbsInfo)),
    hypervisor: textOf(raw.Hypervisor),
    architectures: textsOf(rawOf(raw.ProcessorInfo).SupportedArchitectures),
    virtualizationTypes: textsOf(raw.SupportedVirtualizationTypes),
    bootModes: textsOf(raw.SupportedBootModes),
    rootDeviceTypes: textsOf(raw.SupportedRootDeviceTypes),
    usageClasses: textsOf(raw.SupportedUsageClasses),
    enaSupport: textOf(rawOf(raw.NetworkInfo).EnaSupport),
    nitroTpmSupport: textOf(raw.NitroTpmSupport),
  };
}

const wordOf = <const T extends string>(known: readonly T[], value: unknown): T | null =>
  known.find((word) => word === value) ?? null;

function storageOf(info: Raw): Pick<CloudInstanceType, 'instanceStoreDisks' | 'instanceStoreNvme'> {
  const counts = rawListOf(info.Disks).map((disk) => numberOf(disk.Count) ?? 0);
  return {
    instanceStoreDisks: counts.reduce((sum, each) => sum + each, 0),
    instanceStoreNvme: wordOf(['required', 'supported', 'unsupported'], info.NvmeSupport),
  };
}

const limitsOf = (ebs: Raw): Pick<CloudInstanceType, 'maxAttachments' | 'attachmentLimit'> => ({
  maxAttachments: numberOf(ebs.MaximumEbsAttachments),
  attachmentLimit: wordOf(['shared', 'dedicated'], ebs.AttachmentLimitType),
});
