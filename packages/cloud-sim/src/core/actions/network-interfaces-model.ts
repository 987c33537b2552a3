import { Ec2Error } from '../ec2-error.ts';
import type { SimNetworkInterface, SimSubnet, SimTags } from '../model.ts';
import type { Call, World } from '../world.ts';
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
 * @throws InvalidIPAddress.InUse, InvalidParameterValue (not in the subnet), InsufficientFreeAddressesInSubnet
 */
export function reserveIp(world: World, subnet: SimSubnet, owner: string, wanted?: string): string {
  if (wanted !== undefined) {
    if (!inSubnet(subnet, wanted)) {
      throw new Ec2Error('InvalidParameterValue', `Address ${wanted} does not fall within the subnet's address range`);
    }
    if (world.usedIps.has(slot(subnet, wanted))) {
      throw new Ec2Error('InvalidIPAddress.InUse', `Address ${wanted} is in use.`);
    }
    world.usedIps.set(slot(subnet, wanted), owner);
    return wanted;
  }
  const start = Math.floor(world.random.next() * SUBNET_ADDRESSES);
  for (let i = 0; i < SUBNET_ADDRESSES; i++) {
    const ip = addressAt(subnet, 4 + ((start + i) % SUBNET_ADDRESSES));
    if (world.usedIps.has(slot(subnet, ip))) continue;
    world.usedIps.set(slot(subnet, ip), owner);
    return ip;
  }
  throw new Ec2Error('InsufficientFreeAddressesInSubnet', `No free addresses in subnet ${subnet.id}`);
}

export function freeAddressCount(world: World, subnet: SimSubnet): number {
  let used = 0;
  for (const key of world.usedIps.keys()) if (key.startsWith(`${subnet.id}/`)) used++;
  return SUBNET_ADDRESSES - used;
}

export function requireRoomForInterface(world: World): void {
  if (world.networkInterfaces.size >= world.quotas.networkInterfaces) {
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

/** Creates an interface, unattached; `pending` first, soon `available`. */
export function makeInterface(world: World, call: Call, wanted: NewInterface): SimNetworkInterface {
  requireRoomForInterface(world);
  const id = world.newId('eni');
  const privateIp = reserveIp(world, wanted.subnet, id, wanted.privateIp);
  const made: SimNetworkInterface = {
    id,
    state: 'pending',
    az: wanted.subnet.az,
    subnetId: wanted.subnet.id,
    vpcId: wanted.subnet.vpcId,
    privateIp,
    secondaryIps: [],
    ipv6Addresses: wanted.ipv6Addresses ?? [],
    macAddress: `02:${(world.random.hex(5).match(/../g) ?? []).join(':')}`,
    groupIds: wanted.groupIds,
    description: wanted.description,
    sourceDestCheck: true,
    attachment: null,
    clientToken: wanted.clientToken,
    tags: wanted.tags,
  };
  world.networkInterfaces.put(made, world.nowMs, call.instant);
  world.transition('network-interface', id, null, 'pending');
  return made;
}

/** Deletes an interface: its addresses are free again, its Elastic IP is disassociated. */
export function destroyInterface(world: World, networkInterface: SimNetworkInterface): void {
  for (const ip of [networkInterface.privateIp, ...networkInterface.secondaryIps]) {
    world.usedIps.delete(`${networkInterface.subnetId}/${ip}`);
  }
  disassociateAddressesOf(world, networkInterface.id);
  world.networkInterfaces.remove(networkInterface.id, world.nowMs);
  world.transition('network-interface', networkInterface.id, networkInterface.state, null);
}

export function disassociateAddressesOf(world: World, networkInterfaceId: string): void {
  for (const address of world.addresses.all()) {
    if (address.networkInterfaceId === networkInterfaceId) dropAssociation(world, address.id);
  }
}

export function dropAssociation(world: World, allocationId: string): void {
  const address = world.addresses.get(allocationId);
  if (!address?.associationId) return;
  world.transition('association', address.associationId, 'associated', null, null, { allocationId });
  world.addresses.update(allocationId, { associationId: null, networkInterfaceId: null, privateIp: null }, world.nowMs);
}

/** Detaches without deleting; the interface becomes `available`. */
export function releaseInterface(world: World, id: string, scheduledMs: number | null = null): void {
  const networkInterface = world.networkInterfaces.get(id);
  if (!networkInterface) return;
  world.networkInterfaces.update(id, { attachment: null, state: 'available' }, world.nowMs);
  world.transition('network-interface', id, networkInterface.state, 'available', scheduledMs);
}
