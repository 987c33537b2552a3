import { Ec2Error } from '../ec2-error.ts';
import type { SimNetworkInterface, SimSubnet, SimTags } from '../model.ts';
import type { Call, Region } from '../region.ts';
import { SUBNET_ADDRESSES } from './common.ts';

const slot = (subnet: SimSubnet, ip: string): string => `${subnet.id}/${ip}`;

function addressAt(subnet: SimSubnet, offset: number): string {
  const [a = '10', b = '0', c = '0'] = subnet.networkPrefix.split('.');
  return `${a}.${b}.${Number(c) + (offset >> 8)}.${offset & 255}`;
}

const inSubnet = (subnet: SimSubnet, ip: string): boolean => {
  const [a = '', b = '', c = '0'] = subnet.networkPrefix.split('.');
  const parts = ip.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) return false;
  const third = parts[2] ?? -1;
  return parts[0] === Number(a) && parts[1] === Number(b) && third >= Number(c) && third < Number(c) + 16;
};

/**
 * Reserves a private address until the interface that holds it is deleted.
 * @throws InvalidIPAddress.InUse, InvalidParameterValue (not in the subnet),
 * InsufficientFreeAddressesInSubnet
 */
export function reserveIp(region: Region, subnet: SimSubnet, owner: string, wanted?: string): string {
  if (wanted !== undefined) {
    if (!inSubnet(subnet, wanted)) {
      throw new Ec2Error('InvalidParameterValue', `Address ${wanted} does not fall within the subnet's address range`);
    }
    if (region.usedIps.has(slot(subnet, wanted))) {
      throw new Ec2Error('InvalidIPAddress.InUse', `Address ${wanted} is in use.`);
    }
    region.usedIps.set(slot(subnet, wanted), owner);
    return wanted;
  }
  const start = Math.floor(region.random.next() * SUBNET_ADDRESSES);
  for (let i = 0; i < SUBNET_ADDRESSES; i++) {
    const ip = addressAt(subnet, 4 + ((start + i) % SUBNET_ADDRESSES));
    if (region.usedIps.has(slot(subnet, ip))) continue;
    region.usedIps.set(slot(subnet, ip), owner);
    return ip;
  }
  throw new Ec2Error('InsufficientFreeAddressesInSubnet', `No free addresses in subnet ${subnet.id}`);
}

export function freeAddressCount(region: Region, subnet: SimSubnet): number {
  let used = 0;
  for (const key of region.usedIps.keys()) if (key.startsWith(`${subnet.id}/`)) used++;
  return SUBNET_ADDRESSES - used;
}

export function requireRoomForInterface(region: Region): void {
  if (region.networkInterfaces.size >= region.quotas.networkInterfaces) {
    throw new Ec2Error('NetworkInterfaceLimitExceeded', 'The maximum number of network interfaces has been reached.');
  }
}

export interface NewInterface {
  readonly subnet: SimSubnet;
  readonly privateIp?: string | undefined;
  readonly ipv6Addresses?: readonly string[];
  readonly groupIds: readonly string[];
  readonly description: string;
  readonly clientToken: string | null;
  readonly tags: SimTags;
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
    secondaryIps: [],
    ipv6Addresses: wanted.ipv6Addresses ?? [],
    ipv4Prefixes: [],
    ipv6Prefixes: [],
    macAddress: `02:${(region.random.hex(5).match(/../g) ?? []).join(':')}`,
    groupIds: wanted.groupIds,
    description: wanted.description,
    sourceDestCheck: true,
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
  for (const ip of [networkInterface.privateIp, ...networkInterface.secondaryIps]) {
    region.usedIps.delete(`${networkInterface.subnetId}/${ip}`);
  }
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
