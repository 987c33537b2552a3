import {
  type AssignedAddress,
  type AssignedKind,
  type Cloud,
  type CloudCallOptions,
  type CloudCapacityReservation,
  type CloudInstance,
  type CloudNetworkInterface,
  type CloudSnapshot,
  type CopyVolumeRequest,
  type CreateCapacityReservationRequest,
  type CreateNetworkInterfaceRequest,
  hasCode,
  isOperationError,
  type LaunchRequest,
  type Raw,
  rawListOf,
  rawOf,
  type RegisterImageRequest,
  type Tags,
  textOf,
  type VolumePlace,
} from '@understudy/shared';
import type { Ec2Transport } from '../transport/transport.ts';
import { DryRuns } from './dry-runs.ts';
import { unreadableAnswer } from './ec2-caller.ts';
import { Ec2ReferenceReads, reservationIn } from './ec2-reference-reads.ts';
import { mapInstance } from './map-instance.ts';
import { mapNetworkInterface, mapSnapshot } from './map-resources.ts';

const ec2Tags = (tags: Tags): { Key: string; Value: string }[] =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** EC2 refuses a specification without tags. */
const tagSpecifications = (ResourceType: string, tags: Tags): { TagSpecifications?: object[] } =>
  Object.keys(tags).length === 0 ? {} : { TagSpecifications: [{ ResourceType, Tags: ec2Tags(tags) }] };

/**
 * {@link Cloud} on EC2's own actions. It translates and maps errors. It decides nothing and retries
 * nothing.
 */
export class Ec2Cloud extends Ec2ReferenceReads implements Cloud {
  readonly #transport: Ec2Transport;
  /** Made when it is asked for first: it has a cloud of its own. */
  #dryRuns: DryRuns | null = null;

  constructor(transport: Ec2Transport) {
    super(transport);
    this.#transport = transport;
  }

  async tryCall(
    call: (cloud: Cloud, options?: CloudCallOptions) => Promise<unknown>,
    options?: CloudCallOptions,
  ): Promise<void> {
    this.#dryRuns ??= new DryRuns(this.#transport, (over) => new Ec2Cloud(over));
    await this.#dryRuns.ask(call, options);
  }

  async stopInstance(
    instanceId: string,
    how: { force: boolean; skipOsShutdown: boolean },
    options?: CloudCallOptions,
  ): Promise<void> {
    const input = { InstanceIds: [instanceId], Force: how.force, SkipOsShutdown: how.skipOsShutdown };
    assertChanging('StopInstances', (await this.call('StopInstances', input, options)).StoppingInstances, instanceId);
  }

  async rebootInstance(instanceId: string, options?: CloudCallOptions): Promise<void> {
    await this.call('RebootInstances', { InstanceIds: [instanceId] }, options);
  }

  async terminateInstance(instanceId: string, options?: CloudCallOptions): Promise<void> {
    const answer = await this.call('TerminateInstances', { InstanceIds: [instanceId] }, options);
    assertChanging('TerminateInstances', answer.TerminatingInstances, instanceId);
  }

  /** EC2 offers only one call per attribute. */
  async setProtection(
    instanceId: string,
    protection: { stop?: boolean; termination?: boolean },
    options?: CloudCallOptions,
  ): Promise<void> {
    const { stop, termination } = protection;
    if (stop !== undefined) await this.#modify(instanceId, { DisableApiStop: { Value: stop } }, options);
    if (termination !== undefined)
      await this.#modify(instanceId, { DisableApiTermination: { Value: termination } }, options);
  }

  async setRebootMigration(instanceId: string, value: string, options?: CloudCallOptions): Promise<void> {
    await this.call('ModifyInstanceMaintenanceOptions', { InstanceId: instanceId, RebootMigration: value }, options);
  }

  async setDnsRecords(
    instanceId: string,
    { a, aaaa }: { readonly a: boolean; readonly aaaa: boolean },
    options?: CloudCallOptions,
  ): Promise<void> {
    const records = { EnableResourceNameDnsARecord: a, EnableResourceNameDnsAAAARecord: aaaa };
    await this.call('ModifyPrivateDnsNameOptions', { InstanceId: instanceId, ...records }, options);
  }

  async setDeleteOnTermination(
    instanceId: string,
    deviceName: string,
    value: boolean,
    options?: CloudCallOptions,
  ): Promise<void> {
    const mapping = { DeviceName: deviceName, Ebs: { DeleteOnTermination: value } };
    await this.#modify(instanceId, { BlockDeviceMappings: [mapping] }, options);
  }

  async startInstance(instanceId: string, options?: CloudCallOptions): Promise<void> {
    const answer = await this.call('StartInstances', { InstanceIds: [instanceId] }, options);
    assertChanging('StartInstances', answer.StartingInstances, instanceId);
  }

  async attachVolume(place: VolumePlace, options?: CloudCallOptions): Promise<void> {
    assertPlaced('AttachVolume', await this.call('AttachVolume', placeInput(place), options), place);
  }

  /** Always with the instance, so that no call of it, however late, takes it from another one. */
  async detachVolume(place: VolumePlace, options?: CloudCallOptions): Promise<void> {
    assertPlaced('DetachVolume', await this.call('DetachVolume', placeInput(place), options), place);
  }

  async setUserData(instanceId: string, userData: string, options?: CloudCallOptions): Promise<void> {
    await this.#modify(instanceId, { UserData: { Value: Buffer.from(userData, 'base64') } }, options);
  }

  async copyVolume(request: CopyVolumeRequest, options?: CloudCallOptions): Promise<{ readonly volumeId: string }> {
    const { iops, throughputMiBps, kmsKeyId } = request;
    const input = {
      ClientToken: request.clientToken,
      SourceVolumeId: request.sourceVolumeId,
      VolumeType: request.volumeType,
      ...(iops !== null && { Iops: iops }),
      ...(throughputMiBps !== null && { Throughput: throughputMiBps }),
      ...(kmsKeyId !== null && { Encrypted: true, KmsKeyId: kmsKeyId }),
      ...tagSpecifications('volume', request.tags),
    };
    const [volume] = rawListOf((await this.call('CopyVolumes', input, options)).Volumes);
    const volumeId = textOf(volume?.VolumeId);
    if (volumeId === null) throw unreadableAnswer('CopyVolumes', 'volume id');
    return { volumeId };
  }

  async createSnapshots(
    request: { readonly instanceId: string; readonly description: string; readonly tags: Tags },
    options?: CloudCallOptions,
  ): Promise<readonly CloudSnapshot[]> {
    const input = {
      InstanceSpecification: { InstanceId: request.instanceId, ExcludeBootVolume: false },
      Description: request.description,
      ...tagSpecifications('snapshot', request.tags),
    };
    const answer = await this.call('CreateSnapshots', input, options);
    const snapshots = rawListOf(answer.Snapshots).flatMap((raw) => mapSnapshot(raw) ?? []);
    if (snapshots.length === 0) throw unreadableAnswer('CreateSnapshots', 'snapshot');
    return snapshots;
  }

  async registerImage(
    request: RegisterImageRequest,
    options?: CloudCallOptions,
  ): Promise<{ readonly imageId: string }> {
    const optional = {
      BootMode: request.bootMode,
      TpmSupport: request.tpmSupport,
      SriovNetSupport: request.sriovNetSupport,
      VirtualizationType: request.virtualizationType,
      ImdsSupport: request.imdsSupport,
    };
    const input = {
      Name: request.name,
      Architecture: request.architecture,
      RootDeviceName: request.rootDeviceName,
      BlockDeviceMappings: [{ DeviceName: request.rootDeviceName, Ebs: { SnapshotId: request.rootSnapshotId } }],
      EnaSupport: request.enaSupport,
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== null)),
      ...tagSpecifications('image', request.tags),
    };
    const imageId = textOf((await this.call('RegisterImage', input, options)).ImageId);
    if (imageId === null) throw unreadableAnswer('RegisterImage', 'image id');
    return { imageId };
  }

  async deregisterImage(imageId: string, options?: CloudCallOptions): Promise<void> {
    await this.call('DeregisterImage', { ImageId: imageId }, options);
  }

  async deleteSnapshot(snapshotId: string, options?: CloudCallOptions): Promise<void> {
    await this.call('DeleteSnapshot', { SnapshotId: snapshotId }, options);
  }

  async deleteVolume(volumeId: string, options?: CloudCallOptions): Promise<void> {
    await this.call('DeleteVolume', { VolumeId: volumeId }, options);
  }

  async createCapacityReservation(
    request: CreateCapacityReservationRequest,
    options?: CloudCallOptions,
  ): Promise<CloudCapacityReservation> {
    const input = {
      ...{ ClientToken: request.clientToken, InstanceType: request.instanceType, InstancePlatform: request.platform },
      ...{ AvailabilityZone: request.az, Tenancy: request.tenancy, InstanceCount: 1 },
      ...{ InstanceMatchCriteria: 'targeted', EndDateType: 'limited', EndDate: new Date(request.endsAtWallMs) },
      ...tagSpecifications('capacity-reservation', request.tags),
    };
    const raw = rawOf((await this.call('CreateCapacityReservation', input, options)).CapacityReservation);
    const reservationId = textOf(raw.CapacityReservationId);
    if (reservationId === null) throw unreadableAnswer('CreateCapacityReservation', 'capacity reservation id');
    return reservationIn(reservationId, raw);
  }

  async cancelCapacityReservation(reservationId: string, options?: CloudCallOptions): Promise<void> {
    await this.call('CancelCapacityReservation', { CapacityReservationId: reservationId }, options);
  }

  async createNetworkInterface(
    request: CreateNetworkInterfaceRequest,
    options?: CloudCallOptions,
  ): Promise<CloudNetworkInterface> {
    const input = {
      ClientToken: request.clientToken,
      SubnetId: request.subnetId,
      Description: request.description,
      ...(request.groupIds.length === 0 ? {} : { Groups: [...request.groupIds] }),
      ...(request.privateIp === undefined ? {} : { PrivateIpAddress: request.privateIp }),
      ...(request.interfaceType === undefined ? {} : { InterfaceType: request.interfaceType }),
      ...(request.connectionTracking && { ConnectionTrackingSpecification: { ...request.connectionTracking } }),
      ...tagSpecifications('network-interface', request.tags),
    };
    const answer = await this.call('CreateNetworkInterface', input, options);
    const made = mapNetworkInterface(rawOf(answer.NetworkInterface));
    if (!made) throw unreadableAnswer('CreateNetworkInterface', 'network interface id');
    return made;
  }

  async deleteNetworkInterface(networkInterfaceId: string, options?: CloudCallOptions): Promise<void> {
    await this.call('DeleteNetworkInterface', { NetworkInterfaceId: networkInterfaceId }, options);
  }

  /** EC2 offers only one call per attribute. */
  async setNetworkInterfaceAttributes(
    networkInterfaceId: string,
    attributes: {
      readonly sourceDestCheck?: boolean;
      readonly deleteOnTermination?: { readonly attachmentId: string; readonly value: boolean };
    },
    options?: CloudCallOptions,
  ): Promise<void> {
    const { sourceDestCheck, deleteOnTermination } = attributes;
    const of = { NetworkInterfaceId: networkInterfaceId };
    if (sourceDestCheck !== undefined) {
      const input = { ...of, SourceDestCheck: { Value: sourceDestCheck } };
      await this.call('ModifyNetworkInterfaceAttribute', input, options);
    }
    if (deleteOnTermination) {
      const { attachmentId, value } = deleteOnTermination;
      const input = { ...of, Attachment: { AttachmentId: attachmentId, DeleteOnTermination: value } };
      await this.call('ModifyNetworkInterfaceAttribute', input, options);
    }
  }

  /** The request is sent as recorded, member for member. */
  async runInstances(request: LaunchRequest, options?: CloudCallOptions): Promise<CloudInstance> {
    const answer = await this.call('RunInstances', { ...request }, options);
    const [instance] = rawListOf(answer.Instances).flatMap((raw) => mapInstance(raw) ?? []);
    if (!instance) throw unreadableAnswer('RunInstances', 'instance id');
    return instance;
  }

  async associateAddress(
    request: { readonly allocationId: string; readonly networkInterfaceId: string; readonly privateIp: string | null },
    options?: CloudCallOptions,
  ): Promise<{ readonly associationId: string }> {
    const input = {
      AllocationId: request.allocationId,
      NetworkInterfaceId: request.networkInterfaceId,
      ...(request.privateIp === null ? {} : { PrivateIpAddress: request.privateIp }),
      AllowReassociation: false,
    };
    const associationId = textOf((await this.call('AssociateAddress', input, options)).AssociationId);
    if (associationId === null) throw unreadableAnswer('AssociateAddress', 'association id');
    return { associationId };
  }

  async disassociateAddress(associationId: string, options?: CloudCallOptions): Promise<void> {
    try {
      await this.call('DisassociateAddress', { AssociationId: associationId }, options);
    } catch (error) {
      if (!hasCode(error, 'CLOUD_NOT_FOUND')) throw error;
    }
  }

  async assignAddress(request: AssignedAddress, options?: CloudCallOptions): Promise<void> {
    const { action, member } = ASSIGNED[request.kind];
    const reassigns = request.kind === 'secondary-ip' ? { AllowReassignment: false } : {};
    const input = { NetworkInterfaceId: request.networkInterfaceId, [member]: [request.address], ...reassigns };
    const answer = await this.call(`Assign${action}`, input, options);
    assertAbout(`Assign${action}`, answer.NetworkInterfaceId, request.networkInterfaceId);
  }

  async unassignAddress(request: AssignedAddress, options?: CloudCallOptions): Promise<void> {
    const { action, member } = ASSIGNED[request.kind];
    const input = { NetworkInterfaceId: request.networkInterfaceId, [member]: [request.address] };
    try {
      const answer = await this.call(`Unassign${action}`, input, options);
      // UnassignPrivateIpAddresses answers with nothing but its own name.
      if (action === 'Ipv6Addresses')
        assertAbout(`Unassign${action}`, answer.NetworkInterfaceId, request.networkInterfaceId);
    } catch (error) {
      if (!isOperationError(error) || error.code !== 'CLOUD_REJECTED' || !IS_NOT_ASSIGNED.test(error.message))
        throw error;
    }
  }

  async attachNetworkInterface(
    request: {
      readonly networkInterfaceId: string;
      readonly instanceId: string;
      readonly deviceIndex: number;
      readonly networkCardIndex: number;
    },
    options?: CloudCallOptions,
  ): Promise<{ readonly attachmentId: string }> {
    const input = {
      NetworkInterfaceId: request.networkInterfaceId,
      InstanceId: request.instanceId,
      DeviceIndex: request.deviceIndex,
      // Types with one card refuse a number of another one, and some the number itself.
      ...(request.networkCardIndex === 0 ? {} : { NetworkCardIndex: request.networkCardIndex }),
    };
    const attachmentId = textOf((await this.call('AttachNetworkInterface', input, options)).AttachmentId);
    if (attachmentId === null) throw unreadableAnswer('AttachNetworkInterface', 'attachment id');
    return { attachmentId };
  }

  async detachNetworkInterface(attachmentId: string, options?: CloudCallOptions): Promise<void> {
    try {
      await this.call('DetachNetworkInterface', { AttachmentId: attachmentId }, options);
    } catch (error) {
      if (!hasCode(error, 'CLOUD_NOT_FOUND')) throw error;
    }
  }

  async createTags(resourceIds: readonly string[], tags: Tags, options?: CloudCallOptions): Promise<void> {
    if (resourceIds.length === 0 || Object.keys(tags).length === 0) return;
    await this.call('CreateTags', { Resources: [...resourceIds], Tags: ec2Tags(tags) }, options);
  }

  async deleteTags(resourceIds: readonly string[], keys: readonly string[], options?: CloudCallOptions): Promise<void> {
    // Without a key EC2 would take off every tag.
    if (resourceIds.length === 0 || keys.length === 0) return;
    await this.call('DeleteTags', { Resources: [...resourceIds], Tags: keys.map((Key) => ({ Key })) }, options);
  }

  async #modify(instanceId: string, change: object, options: CloudCallOptions | undefined): Promise<void> {
    await this.call('ModifyInstanceAttribute', { InstanceId: instanceId, ...change }, options);
  }
}

/** The two pairs of actions, and the member of the request that names what is assigned. */
const ASSIGNED = {
  'secondary-ip': { action: 'PrivateIpAddresses', member: 'PrivateIpAddresses' },
  'ipv4-prefix': { action: 'PrivateIpAddresses', member: 'Ipv4Prefixes' },
  'ipv6-address': { action: 'Ipv6Addresses', member: 'Ipv6Addresses' },
  'ipv6-prefix': { action: 'Ipv6Addresses', member: 'Ipv6Prefixes' },
} as const satisfies Readonly<Record<AssignedKind, object>>;

/** EC2's words where an address is not with the interface that it is to be taken from. */
const IS_NOT_ASSIGNED = /\bnot assigned to\b/i;

/**
 * Checks that an answer is about the interface that was asked for.
 * @throws CLOUD_OUTCOME_UNKNOWN
 */
function assertAbout(action: string, answered: unknown, networkInterfaceId: string): void {
  if (answered !== networkInterfaceId) throw unreadableAnswer(action, `answer about ${networkInterfaceId}`);
}

const placeInput = ({ volumeId, instanceId, deviceName }: VolumePlace) => ({
  VolumeId: volumeId,
  InstanceId: instanceId,
  Device: deviceName,
});

/**
 * Checks that the answer is about this volume and this instance.
 * @throws CLOUD_OUTCOME_UNKNOWN
 */
function assertPlaced(action: string, answer: Raw, { volumeId, instanceId }: VolumePlace): void {
  if (answer.VolumeId === volumeId && answer.InstanceId === instanceId) return;
  throw unreadableAnswer(action, `attachment of ${volumeId} to ${instanceId}`);
}

/**
 * Checks that Start, Stop and Terminate answer with the instance they change.
 * @throws CLOUD_OUTCOME_UNKNOWN
 */
function assertChanging(action: string, changes: unknown, instanceId: string): void {
  if (rawListOf(changes).some((one) => one.InstanceId === instanceId)) return;
  throw unreadableAnswer(action, `change of ${instanceId}`);
}
