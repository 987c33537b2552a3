import { Ec2Error } from '../ec2-error.ts';
import type { SimNetworkInterface, SimSubnet, SimTags } from '../model.ts';
import type { Call, Region } from '../region.ts';
import { releaseAddresses, reserveIp } from './subnet-addresses.ts';
import { takeAddresses, type WantedAddresses } from './wanted-addresses.ts';

export function requireRoomForInterface(region: Region): void {
  if (region.networkInterfaces.size >= region.quotas.networkInterfaces) {
    throw new Ec2Error('NetworkInterfaceLimitExceeded', 'The maximum number of network interfaces has been reached.');
  }
}

export interface NewInterface {
  readonly subnet: SimSubnet;
  readonly privateIp?: string | undefined;
  readonly addresses: WantedAddresses;
  /** Whether its first IPv6 address is the primary one. */
  readonly primaryIpv6: boolean;
  readonly groupIds: readonly string[];
  readonly description: string;
  readonly clientToken: string | null;
  readonly tags: SimTags;
  readonly interfaceType?: string | undefined;
  readonly connectionTracking?: SimNetworkInterface['connectionTracking'] | undefined;
}

/** Creates an interface, unattached. It is `pending` first, and soon `available`. */
export function makeInterface(region: Region, call: Call, wanted: NewInterface): SimNetworkInterface {
  requireRoomForInterface(region);
  const id = region.newId('eni');
  const privateIp = reserveIp(region, wanted.subnet, id, wanted.privateIp);
  const made: SimNetworkInterface = {
    id,
    state: 'pending',
    az: wanted.subnet.az,
    subnetId: wanted.subnet.id,
    vpcId: wanted.subnet.vpcId,
    privateIp,
    ...takeAddresses(region, wanted.subnet, id, wanted.addresses),
    primaryIpv6: wanted.primaryIpv6,
    arriving: {},
    macAddress: `02:${(region.random.hex(5).match(/../g) ?? []).join(':')}`,
    groupIds: wanted.groupIds,
    description: wanted.description,
    sourceDestCheck: true,
    interfaceType: wanted.interfaceType ?? 'interface',
    connectionTracking: wanted.connectionTracking ?? null,
    attachment: null,
    clientToken: wanted.clientToken,
    tags: wanted.tags,
  };
  region.networkInterfaces.put(made, region.nowMs, call.instant);
  region.transition('network-interface', id, null, 'pending');
  return made;
}

/** Deletes an interface. Its addresses are free again, and its Elastic IP is disassociated. */
export function destroyInterface(region: Region, networkInterface: SimNetworkInterface): void {
  const { privateIp, secondaryIps, ipv6Addresses, ipv4Prefixes, ipv6Prefixes } = networkInterface;
  const subnet = region.subnets.get(networkInterface.subnetId);
  const held = [privateIp, ...secondaryIps, ...ipv6Addresses, ...ipv4Prefixes, ...ipv6Prefixes];
  if (subnet) releaseAddresses(region, subnet, held);
  disassociateAddressesOf(region, networkInterface.id);
  region.networkInterfaces.remove(networkInterface.id, region.nowMs);
  region.transition('network-interface', networkInterface.id, networkInterface.state, null);
}

export function disassociateAddressesOf(region: Region, networkInterfaceId: string): void {
  for (const address of region.addresses.all()) {
    if (address.networkInterfaceId === networkInterfaceId) dropAssociation(region, address.id);
  }
}

export function dropAssociation(region: Region, allocationId: string): void {
  const address = region.addresses.get(allocationId);
  if (!address?.associationId) return;
  region.transition('association', address.associationId, 'associated', null, null, { allocationId });
  region.addresses.update(
    allocationId,
    { associationId: null, networkInterfaceId: null, privateIp: null },
    region.nowMs,
  );
}

/** Detaches without deleting. The interface becomes `available`. */
export function releaseInterface(region: Region, id: string, scheduledMs: number | null = null): void {
  const networkInterface = region.networkInterfaces.get(id);
  if (!networkInterface) return;
  region.networkInterfaces.update(id, { attachment: null, state: 'available' }, region.nowMs);
  region.transition('network-interface', id, networkInterface.state, 'available', scheduledMs);
}
