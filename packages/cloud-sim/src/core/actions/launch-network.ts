import type { InstanceNetworkInterfaceSpecification, RunInstancesRequest } from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import type { SimInstanceType } from '../instance-types.ts';
import { need } from '../lookup.ts';
import type { SimNetworkInterface, SimSubnet, SimTags } from '../model.ts';
import { tagsFor } from '../tags.ts';
import type { Call, Region } from '../region.ts';
import { makeInterface, requireRoomForInterface } from './network-interfaces-model.ts';
import { freeAddressCount } from './subnet-addresses.ts';
import {
  primaryIpOf,
  requireFreeAddresses,
  requireWithinLimit,
  wantedAddresses,
  type WantedAddresses,
} from './wanted-addresses.ts';

type Wanted =
  | {
      readonly kind: 'existing';
      readonly one: SimNetworkInterface;
      readonly deviceIndex: number;
      readonly networkCardIndex: number;
      readonly deleteOnTermination: boolean;
    }
  | {
      readonly kind: 'new';
      readonly subnet: SimSubnet;
      readonly deviceIndex: number;
      readonly networkCardIndex: number;
      readonly groupIds: readonly string[];
      readonly privateIp: string | undefined;
      readonly addresses: WantedAddresses;
      readonly primaryIpv6: boolean;
      readonly interfaceType: string | undefined;
      readonly connectionTracking: SimNetworkInterface['connectionTracking'] | undefined;
      readonly description: string;
      readonly deleteOnTermination: boolean;
    };

export interface LaunchNetwork {
  readonly subnet: SimSubnet;
  readonly wanted: readonly Wanted[];
  readonly autoPublicIp: string | null;
}

/**
 * The default security group of the VPC when none is named. @throws InvalidGroup.NotFound,
 * InvalidParameterValue (another VPC)
 */
export function groupsFor(
  region: Region,
  call: Call,
  subnet: SimSubnet,
  ids: readonly string[] | undefined,
): readonly string[] {
  if (!ids || ids.length === 0) {
    return region.securityGroups
      .all()
      .filter((group) => group.vpcId === subnet.vpcId && group.name === 'default')
      .map((group) => group.id);
  }
  for (const id of ids) {
    const group = need(call, region.securityGroups, 'securityGroup', id);
    if (group.vpcId !== subnet.vpcId) {
      throw new Ec2Error(
        'InvalidParameter',
        `Security group ${id} and subnet ${subnet.id} belong to different networks.`,
      );
    }
  }
  return ids;
}

function defaultSubnet(region: Region, az: string | undefined): SimSubnet {
  const found = region.subnets.all().find((subnet) => az === undefined || subnet.az === az);
  if (!found) throw new Ec2Error('InvalidParameterValue', `Invalid availability zone: [${az}]`);
  return found;
}

const TOP_LEVEL = [
  'SubnetId',
  'SecurityGroupIds',
  'SecurityGroups',
  'PrivateIpAddress',
  'Ipv6Addresses',
  'Ipv6AddressCount',
] as const;

function requireNoTopLevel(input: RunInstancesRequest): void {
  for (const name of TOP_LEVEL) {
    if (input[name] === undefined) continue;
    throw new Ec2Error(
      'InvalidParameterCombination',
      `Network interfaces and an instance-level ${name} may not be specified on the same request`,
    );
  }
}

/**
 * The interface that a launch names.
 * @throws InvalidNetworkInterfaceID.NotFound (a permit that was revoked),
 * InvalidNetworkInterface.InUse (it did launch), InvalidParameterCombination (the request repeats
 * what belongs to the interface)
 */
function existing(
  region: Region,
  call: Call,
  spec: InstanceNetworkInterfaceSpecification,
  deviceIndex: number,
): Wanted {
  const one = need(call, region.networkInterfaces, 'networkInterface', spec.NetworkInterfaceId);
  for (const name of [
    'SubnetId',
    'Groups',
    'PrivateIpAddress',
    'PrivateIpAddresses',
    'SecondaryPrivateIpAddressCount',
    'Description',
    'AssociatePublicIpAddress',
    'Ipv6Addresses',
    'Ipv6AddressCount',
    'Ipv4Prefixes',
    'Ipv4PrefixCount',
    'Ipv6Prefixes',
    'Ipv6PrefixCount',
  ] as const) {
    if (spec[name] !== undefined) {
      throw new Ec2Error('InvalidParameterCombination', `${name} may not be given together with NetworkInterfaceId`);
    }
  }
  if (one.attachment) {
    throw new Ec2Error('InvalidNetworkInterface.InUse', `Interface: [${one.id}] in use.`);
  }
  if (spec.DeleteOnTermination === true) {
    throw new Ec2Error('InvalidParameterCombination', 'DeleteOnTermination may not be true for an existing interface');
  }
  const networkCardIndex = spec.NetworkCardIndex ?? 0;
  return { kind: 'existing', one, deviceIndex, networkCardIndex, deleteOnTermination: false };
}

function fresh(
  region: Region,
  call: Call,
  spec: InstanceNetworkInterfaceSpecification,
  subnet: SimSubnet,
  deviceIndex: number,
): Wanted {
  return {
    kind: 'new',
    subnet,
    deviceIndex,
    networkCardIndex: spec.NetworkCardIndex ?? 0,
    groupIds: groupsFor(region, call, subnet, spec.Groups),
    privateIp: primaryIpOf(spec),
    addresses: wantedAddresses(spec),
    primaryIpv6: spec.PrimaryIpv6 ?? false,
    interfaceType: spec.InterfaceType,
    connectionTracking: spec.ConnectionTrackingSpecification,
    description: spec.Description ?? '',
    deleteOnTermination: spec.DeleteOnTermination ?? true,
  };
}

function fromSpecs(region: Region, call: Call, input: RunInstancesRequest): Wanted[] {
  requireNoTopLevel(input);
  return (input.NetworkInterfaces ?? []).map((spec) => {
    const deviceIndex = spec.DeviceIndex;
    if (deviceIndex === undefined) {
      throw new Ec2Error('MissingParameter', 'Each network interface requires a device index.');
    }
    if (spec.NetworkInterfaceId !== undefined) return existing(region, call, spec, deviceIndex);
    const subnet = spec.SubnetId
      ? need(call, region.subnets, 'subnet', spec.SubnetId)
      : defaultSubnet(region, input.Placement?.AvailabilityZone);
    return fresh(region, call, spec, subnet, deviceIndex);
  });
}

function wantedInterfaces(region: Region, call: Call, input: RunInstancesRequest): Wanted[] {
  if (input.NetworkInterfaces && input.NetworkInterfaces.length > 0) return fromSpecs(region, call, input);
  const subnet = input.SubnetId
    ? need(call, region.subnets, 'subnet', input.SubnetId)
    : defaultSubnet(region, input.Placement?.AvailabilityZone);
  const spec = {
    ...{ Groups: input.SecurityGroupIds, PrivateIpAddress: input.PrivateIpAddress },
    ...{ Ipv6Addresses: input.Ipv6Addresses, Ipv6AddressCount: input.Ipv6AddressCount },
    PrimaryIpv6: input.EnablePrimaryIpv6,
  };
  return [fresh(region, call, spec, subnet, 0)];
}

const azOf = (wanted: Wanted): string => (wanted.kind === 'existing' ? wanted.one.az : wanted.subnet.az);

const namesAny = (wanted: WantedAddresses): boolean => Object.values(wanted).some(({ named }) => named.length > 0);

function checkTogether(region: Region, wanted: readonly Wanted[], az: string | undefined, count: number): Wanted {
  const primary = wanted.find((one) => one.deviceIndex === 0 && one.networkCardIndex === 0);
  if (!primary) throw new Ec2Error('InvalidParameterValue', 'A network interface with device index 0 is required');
  if (new Set(wanted.map((one) => `${one.networkCardIndex}/${one.deviceIndex}`)).size !== wanted.length) {
    throw new Ec2Error('InvalidParameterValue', 'Each network interface requires its own device index');
  }
  const zones = new Set([...wanted.map(azOf), ...(az === undefined ? [] : [az])]);
  if (zones.size > 1) {
    throw new Ec2Error('InvalidParameterValue', `Zone, subnet and interfaces disagree: ${[...zones].join(', ')}`);
  }
  const pinned = wanted.some(
    (one) => one.kind === 'existing' || one.privateIp !== undefined || namesAny(one.addresses),
  );
  if (count > 1 && pinned) {
    throw new Ec2Error('InvalidParameterCombination', 'A fixed interface or address needs MaxCount 1');
  }
  for (const one of wanted) if (one.kind === 'new') checkRoom(region, one, count);
  return primary;
}

/**
 * @throws AttachmentLimitExceeded for more interfaces than the type takes,
 * PrivateIpAddressLimitExceeded
 */
export function requireInterfaces(network: LaunchNetwork, { name, interfacesMax }: SimInstanceType): void {
  if (network.wanted.length > interfacesMax) {
    throw new Ec2Error('AttachmentLimitExceeded', `${name} takes ${interfacesMax} network interfaces`);
  }
  for (const one of network.wanted) if (one.kind === 'new') requireWithinLimit(name, one.addresses);
}

/** @throws InvalidParameterValue for a card that the type does not have */
export function requireCards(network: LaunchNetwork, { name, networkCards }: SimInstanceType): void {
  const missing = network.wanted.find((one) => one.networkCardIndex >= networkCards);
  if (missing === undefined) return;
  throw new Ec2Error(
    'InvalidParameterValue',
    `Network card index ${missing.networkCardIndex} exceeds the ${networkCards} cards of ${name}`,
  );
}

/** Checked before anything is made, so that a launch is all or nothing. */
function checkRoom(region: Region, one: Wanted & { readonly kind: 'new' }, count: number): void {
  requireRoomForInterface(region);
  if (one.privateIp !== undefined && region.usedIps.has(`${one.subnet.id}/${one.privateIp}`)) {
    throw new Ec2Error('InvalidIPAddress.InUse', `Address ${one.privateIp} is in use.`);
  }
  requireFreeAddresses(region, one.subnet, one.addresses);
  if (freeAddressCount(region, one.subnet) < count) {
    throw new Ec2Error('InsufficientFreeAddressesInSubnet', `No free addresses in subnet ${one.subnet.id}`);
  }
}

/** The subnet and interfaces of a launch. Nothing is made yet. */
export function launchNetwork(region: Region, call: Call, input: RunInstancesRequest, count: number): LaunchNetwork {
  const az = input.Placement?.AvailabilityZone;
  if (az !== undefined && !region.zones.includes(az)) {
    throw new Ec2Error('InvalidParameterValue', `Invalid availability zone: [${az}]`);
  }
  const wanted = wantedInterfaces(region, call, input);
  const primary = checkTogether(region, wanted, az, count);
  const subnet = primary.kind === 'new' ? primary.subnet : need(call, region.subnets, 'subnet', primary.one.subnetId);
  const asked = input.NetworkInterfaces?.[0]?.AssociatePublicIpAddress;
  const wantsPublicIp = primary.kind === 'new' && (asked ?? subnet.mapPublicIp);
  return {
    subnet,
    wanted,
    autoPublicIp: wantsPublicIp ? `198.51.100.${1 + Math.floor(region.random.next() * 254)}` : null,
  };
}

/**
 * Makes and attaches the interfaces. They are in use from the acceptance of the launch on, not only
 * once it runs. Returns their ids.
 */
export function attachLaunchInterfaces(
  region: Region,
  call: Call,
  instanceId: string,
  network: LaunchNetwork,
  input: RunInstancesRequest,
): string[] {
  const tags: SimTags = tagsFor(input.TagSpecifications, 'network-interface', [
    'instance',
    'volume',
    'network-interface',
    'spot-instances-request',
  ]);
  return network.wanted.map((wanted) => {
    const one =
      wanted.kind === 'existing' ? wanted.one : makeInterface(region, call, { ...wanted, clientToken: null, tags });
    const attachment = {
      attachmentId: region.newId('eni-attach'),
      instanceId,
      deviceIndex: wanted.deviceIndex,
      networkCardIndex: wanted.networkCardIndex,
      state: 'attaching' as const,
      attachedAtWallMs: region.wallMs(),
      deleteOnTermination: wanted.deleteOnTermination,
    };
    region.networkInterfaces.update(one.id, { attachment, state: 'in-use' }, region.nowMs, call.instant);
    region.transition('network-interface', one.id, one.state, 'in-use', null, { instanceId });
    return one.id;
  });
}
