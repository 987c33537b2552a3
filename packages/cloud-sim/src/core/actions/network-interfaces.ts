import type {
  AttachNetworkInterfaceRequest,
  AttachNetworkInterfaceResult,
  CreateNetworkInterfaceRequest,
  CreateNetworkInterfaceResult,
  DeleteNetworkInterfaceRequest,
  DescribeNetworkInterfacesRequest,
  DescribeNetworkInterfacesResult,
  DetachNetworkInterfaceRequest,
  ModifyNetworkInterfaceAttributeRequest,
  NetworkInterface,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { applyFilters, type FilterTable, tagList } from '../filters.ts';
import { INSTANCE_TYPES } from '../instance-types.ts';
import { look, need, requireHealthyZones } from '../lookup.ts';
import type { SimInstance, SimNetworkAttachment, SimNetworkInterface } from '../model.ts';
import { page } from '../pages.ts';
import { tagsFor } from '../tags.ts';
import { ACCOUNT_ID, type Call, type Region } from '../region.ts';
import { date } from './common.ts';
import { addressesByInterface, type AddressesSeen, addressViews } from './instance-views.ts';
import { groupsFor } from './launch-network.ts';
import { destroyInterface, makeInterface, releaseInterface } from './network-interfaces-model.ts';
import {
  primaryIpOf,
  requireFreeAddresses,
  requireWithinLimit,
  NO_ADDRESSES,
  wantedAddresses,
} from './wanted-addresses.ts';

const attachmentView = (one: SimNetworkAttachment) => ({
  AttachmentId: one.attachmentId,
  InstanceId: one.instanceId,
  InstanceOwnerId: ACCOUNT_ID,
  DeviceIndex: one.deviceIndex,
  NetworkCardIndex: 0,
  Status: one.state,
  AttachTime: date(one.attachedAtWallMs),
  DeleteOnTermination: one.deleteOnTermination,
});

function interfaceView(region: Region, one: SimNetworkInterface, addresses: AddressesSeen): NetworkInterface {
  return {
    NetworkInterfaceId: one.id,
    // EC2 answers CreateNetworkInterface with `pending`, which its own model does not list.
    Status: one.state as NetworkInterface['Status'],
    AvailabilityZone: one.az,
    SubnetId: one.subnetId,
    VpcId: one.vpcId,
    ...addressViews(region, one, addresses),
    MacAddress: one.macAddress,
    Groups: one.groupIds.map((GroupId) => ({ GroupId, GroupName: region.securityGroups.get(GroupId)?.name })),
    Description: one.description,
    SourceDestCheck: one.sourceDestCheck,
    InterfaceType: one.interfaceType as NetworkInterface['InterfaceType'],
    ConnectionTrackingConfiguration: one.connectionTracking ?? undefined,
    OwnerId: ACCOUNT_ID,
    RequesterManaged: false,
    Attachment: one.attachment ? attachmentView(one.attachment) : undefined,
    TagSet: tagList(one.tags),
  };
}

function interfaceFilters(addresses: AddressesSeen): FilterTable<SimNetworkInterface> {
  return {
    'network-interface-id': (one) => [one.id],
    status: (one) => [one.state],
    'availability-zone': (one) => [one.az],
    'subnet-id': (one) => [one.subnetId],
    'vpc-id': (one) => [one.vpcId],
    'private-ip-address': (one) => [one.privateIp],
    'addresses.private-ip-address': (one) => [one.privateIp, ...one.secondaryIps],
    'group-id': (one) => one.groupIds,
    description: (one) => [one.description],
    'attachment.instance-id': (one) => [one.attachment?.instanceId],
    'attachment.attachment-id': (one) => [one.attachment?.attachmentId],
    'attachment.status': (one) => [one.attachment?.state],
    'attachment.device-index': (one) => [one.attachment ? String(one.attachment.deviceIndex) : null],
    'association.allocation-id': (one) => addresses.all(one).map((address) => address.id),
    'association.association-id': (one) => addresses.all(one).map((address) => address.associationId),
    'association.public-ip': (one) => addresses.all(one).map((address) => address.publicIp),
    'mac-address': (one) => [one.macAddress],
    'ipv6-addresses.ipv6-address': (one) => one.ipv6Addresses,
  };
}

export function describeNetworkInterfaces(
  region: Region,
  call: Call,
  input: DescribeNetworkInterfacesRequest,
): DescribeNetworkInterfacesResult {
  const ids = input.NetworkInterfaceIds;
  const addresses = addressesByInterface(region, call);
  const found = look(call, region.networkInterfaces, 'networkInterface', ids);
  requireHealthyZones(region, (ids?.length ?? 0) > 0, found);
  const matching = applyFilters(found, input.Filters, interfaceFilters(addresses));
  const limits = { min: 5, max: 1_000, unpaginated: 1_000 };
  const { items, nextToken } = page('DescribeNetworkInterfaces', matching, input, limits, ids);
  return {
    NetworkInterfaces: items.map((one) => interfaceView(region, one, addresses)),
    NextToken: nextToken,
  };
}

/**
 * The result of an earlier creation with this token, even if the interface has been deleted since.
 */
function recall(
  region: Region,
  scope: string,
  token: string | undefined,
  parameters: object,
): SimNetworkInterface | undefined {
  const id = token ? region.tokens.recall(scope, token, parameters)?.[0] : undefined;
  if (id === undefined) return undefined;
  const one = region.networkInterfaces.get(id);
  if (!one) {
    throw new Ec2Error('InvalidNetworkInterfaceID.NotFound', `The networkInterface ID '${id}' does not exist`);
  }
  return one;
}

/**
 * `CreateNetworkInterface`, idempotent by token. A token whose interface is gone does not bring it
 * back.
 */
export function createNetworkInterface(
  region: Region,
  call: Call,
  input: CreateNetworkInterfaceRequest,
): CreateNetworkInterfaceResult {
  const { ClientToken: token, DryRun: _dryRun, ...parameters } = input;
  const subnet = need(call, region.subnets, 'subnet', input.SubnetId);
  const scope = `CreateNetworkInterface/${subnet.az}`;
  const known = recall(region, scope, token, parameters);
  if (known)
    return { NetworkInterface: interfaceView(region, known, addressesByInterface(region, call)), ClientToken: token };
  region.requireZone(subnet.az);
  const addresses = wantedAddresses(input);
  requireFreeAddresses(region, subnet, addresses);
  const made = makeInterface(region, call, {
    subnet,
    privateIp: primaryIpOf(input),
    addresses,
    primaryIpv6: input.EnablePrimaryIpv6 ?? false,
    groupIds: groupsFor(region, call, subnet, input.Groups),
    description: input.Description ?? '',
    clientToken: token ?? null,
    interfaceType: input.InterfaceType,
    connectionTracking: input.ConnectionTrackingSpecification,
    tags: tagsFor(input.TagSpecifications, 'network-interface'),
  });
  if (token) region.tokens.record(scope, token, parameters, [made.id]);
  region.later(call, 'network-interface.create', (_at, tookMs) => {
    if (region.networkInterfaces.get(made.id)?.state !== 'pending') return;
    region.networkInterfaces.update(made.id, { state: 'available' }, region.nowMs, call.instant);
    region.transition('network-interface', made.id, 'pending', 'available', tookMs);
  });
  return { NetworkInterface: interfaceView(region, made, addressesByInterface(region, call)), ClientToken: token };
}

/**
 * `DeleteNetworkInterface`.
 * @throws InvalidNetworkInterface.InUse from the acceptance of a launch on
 */
export function deleteNetworkInterface(region: Region, call: Call, input: DeleteNetworkInterfaceRequest): object {
  const one = need(call, region.networkInterfaces, 'networkInterface', input.NetworkInterfaceId);
  region.requireZone(one.az);
  if (one.attachment) {
    throw new Ec2Error(
      'InvalidNetworkInterface.InUse',
      `Network interface '${one.id}' is currently in use (${one.attachment.attachmentId}).`,
    );
  }
  destroyInterface(region, one);
  return {};
}

/** @throws AttachmentLimitExceeded, PrivateIpAddressLimitExceeded */
function requireRoomAt(instance: SimInstance, one: SimNetworkInterface): void {
  const type = INSTANCE_TYPES.get(instance.instanceType);
  if (type && instance.networkInterfaceIds.length >= type.interfacesMax) {
    throw new Ec2Error('AttachmentLimitExceeded', `${type.name} takes ${type.interfacesMax} network interfaces`);
  }
  requireWithinLimit(instance.instanceType, NO_ADDRESSES, one);
}

export function attachNetworkInterface(
  region: Region,
  call: Call,
  input: AttachNetworkInterfaceRequest,
): AttachNetworkInterfaceResult {
  const one = need(call, region.networkInterfaces, 'networkInterface', input.NetworkInterfaceId);
  const instance = need(call, region.instances, 'instance', input.InstanceId);
  region.requireZone(one.az);
  if (one.attachment) throw new Ec2Error('InvalidNetworkInterface.InUse', `Interface: [${one.id}] in use.`);
  if (one.az !== instance.az) {
    throw new Ec2Error('InvalidParameterCombination', `${one.id} is in ${one.az}, ${instance.id} in ${instance.az}`);
  }
  if (instance.state !== 'running' && instance.state !== 'stopped') {
    throw new Ec2Error('IncorrectState', `The instance '${instance.id}' is ${instance.state}`);
  }
  requireRoomAt(instance, one);
  const deviceIndex = input.DeviceIndex ?? -1;
  const taken = instance.networkInterfaceIds.some(
    (id) => region.networkInterfaces.get(id)?.attachment?.deviceIndex === deviceIndex,
  );
  if (taken || deviceIndex < 1) {
    throw new Ec2Error('InvalidParameterValue', `Instance '${instance.id}' already has an interface at ${deviceIndex}`);
  }
  const attachment: SimNetworkAttachment = {
    attachmentId: region.newId('eni-attach'),
    instanceId: instance.id,
    deviceIndex,
    networkCardIndex: 0,
    state: 'attaching',
    attachedAtWallMs: region.wallMs(),
    deleteOnTermination: false,
  };
  region.networkInterfaces.update(one.id, { attachment, state: 'in-use' }, region.nowMs, call.instant);
  region.transition('network-interface', one.id, one.state, 'in-use', null, { instanceId: instance.id });
  const networkInterfaceIds = [...instance.networkInterfaceIds, one.id];
  region.instances.update(instance.id, { networkInterfaceIds }, region.nowMs, call.instant);
  region.later(call, 'network-interface.attach', () => {
    const now = region.networkInterfaces.get(one.id)?.attachment;
    if (now?.state !== 'attaching') return;
    region.networkInterfaces.update(one.id, { attachment: { ...now, state: 'attached' } }, region.nowMs, call.instant);
  });
  return { AttachmentId: attachment.attachmentId, NetworkCardIndex: 0 };
}

const byAttachment = (region: Region, attachmentId: string | undefined): SimNetworkInterface => {
  const one = region.networkInterfaces.all().find((other) => other.attachment?.attachmentId === attachmentId);
  if (attachmentId !== undefined && one) return one;
  throw new Ec2Error('InvalidAttachmentID.NotFound', `The attachment '${String(attachmentId)}' does not exist`);
};

/** `DetachNetworkInterface`. It never detaches the primary one, running or stopped. */
export function detachNetworkInterface(region: Region, call: Call, input: DetachNetworkInterfaceRequest): object {
  const one = byAttachment(region, input.AttachmentId);
  region.requireZone(one.az);
  const attachment = one.attachment;
  if (!attachment) return {};
  if (attachment.deviceIndex === 0) {
    throw new Ec2Error('OperationNotPermitted', `The network interface at device index 0 cannot be detached.`);
  }
  if (attachment.state === 'detaching') return {};
  region.networkInterfaces.update(one.id, { attachment: { ...attachment, state: 'detaching' } }, region.nowMs);
  region.later(call, 'network-interface.detach', (_at, tookMs) => {
    if (region.networkInterfaces.get(one.id)?.attachment?.state !== 'detaching') return;
    releaseInterface(region, one.id, tookMs);
    const instance = region.instances.get(attachment.instanceId);
    const networkInterfaceIds = instance?.networkInterfaceIds.filter((id) => id !== one.id);
    if (networkInterfaceIds) region.instances.update(attachment.instanceId, { networkInterfaceIds }, region.nowMs);
  });
  return {};
}

/** `ModifyNetworkInterfaceAttribute`: one attribute per call. */
export function modifyNetworkInterfaceAttribute(
  region: Region,
  call: Call,
  input: ModifyNetworkInterfaceAttributeRequest,
): object {
  const one = need(call, region.networkInterfaces, 'networkInterface', input.NetworkInterfaceId);
  region.requireZone(one.az);
  const given = (['Description', 'SourceDestCheck', 'Groups', 'Attachment', 'EnablePrimaryIpv6'] as const).filter(
    (name) => input[name] !== undefined,
  );
  if (given.length !== 1) {
    throw new Ec2Error('InvalidParameterCombination', `Want exactly one attribute, got ${given.length}`);
  }
  region.networkInterfaces.update(one.id, interfacePatch(region, call, one, input), region.nowMs, call.instant);
  return {};
}

/** Once it is on, nothing turns it off. @throws InvalidParameterValue */
function primaryIpv6Patch(one: SimNetworkInterface, primaryIpv6: boolean): Partial<SimNetworkInterface> {
  if (one.primaryIpv6 && !primaryIpv6) {
    throw new Ec2Error('InvalidParameterValue', `The primary IPv6 address of ${one.id} cannot be disabled`);
  }
  if (primaryIpv6 && one.ipv6Addresses.length === 0) {
    throw new Ec2Error('InvalidParameterValue', `${one.id} has no IPv6 address`);
  }
  return { primaryIpv6 };
}

function interfacePatch(
  region: Region,
  call: Call,
  one: SimNetworkInterface,
  input: ModifyNetworkInterfaceAttributeRequest,
): Partial<SimNetworkInterface> {
  if (input.Description) return { description: input.Description.Value ?? '' };
  if (input.EnablePrimaryIpv6 !== undefined) return primaryIpv6Patch(one, input.EnablePrimaryIpv6);
  if (input.SourceDestCheck) return { sourceDestCheck: input.SourceDestCheck.Value ?? true };
  if (input.Groups) {
    return { groupIds: groupsFor(region, call, need(call, region.subnets, 'subnet', one.subnetId), input.Groups) };
  }
  const attachment = one.attachment;
  if (!attachment || attachment.attachmentId !== input.Attachment?.AttachmentId) {
    throw new Ec2Error(
      'InvalidAttachmentID.NotFound',
      `The attachment '${String(input.Attachment?.AttachmentId)}' does not exist`,
    );
  }
  const deleteOnTermination = input.Attachment.DeleteOnTermination ?? attachment.deleteOnTermination;
  return { attachment: { ...attachment, deleteOnTermination } };
}
