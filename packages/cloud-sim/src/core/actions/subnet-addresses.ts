import { Ec2Error } from '../ec2-error.ts';
import type { SimSubnet } from '../model.ts';
import type { Region } from '../region.ts';
import { SUBNET_ADDRESSES } from './common.ts';

/**
 * Addresses and prefixes of a subnet, each with the interface that holds it. They are free again
 * when the interface gives them back or is deleted.
 */

const slot = (subnet: { readonly id: string }, address: string): string => `${subnet.id}/${address}`;

const IPV4_PREFIX_SIZE = 16;
const IPV6_GROUPS = 8;
const SUBNET_GROUPS = 4;
/** /80: the subnet's four groups and one more. */
const PREFIX_GROUPS = 5;

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

const inUse = (address: string): Ec2Error => new Ec2Error('InvalidIPAddress.InUse', `Address ${address} is in use.`);

const outside = (address: string): Ec2Error =>
  new Ec2Error('InvalidParameterValue', `Address ${address} does not fall within the subnet's address range`);

/** The interface that holds an address of this subnet. */
export const holderOf = (region: Region, subnet: { readonly id: string }, address: string): string | undefined =>
  region.usedIps.get(slot(subnet, address)) ?? region.usedIpv6.get(slot(subnet, address));

/** @throws InvalidParameterValue (not in the subnet), InvalidIPAddress.InUse */
export function requireFreeIp(region: Region, subnet: SimSubnet, ip: string): void {
  if (!inSubnet(subnet, ip)) throw outside(ip);
  if (region.usedIps.has(slot(subnet, ip))) throw inUse(ip);
}

/**
 * Reserves a private address.
 * @throws InvalidIPAddress.InUse, InvalidParameterValue (not in the subnet),
 * InsufficientFreeAddressesInSubnet
 */
export function reserveIp(region: Region, subnet: SimSubnet, owner: string, wanted?: string): string {
  if (wanted !== undefined) {
    requireFreeIp(region, subnet, wanted);
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

const addressesOf = (subnet: SimSubnet, prefix: string): readonly string[] => {
  const [, , third = 0, fourth = 0] = (prefix.split('/')[0] ?? '').split('.').map(Number);
  const base = Number(subnet.networkPrefix.split('.')[2] ?? 0);
  const offset = (third - base) * 256 + fourth;
  return Array.from({ length: IPV4_PREFIX_SIZE }, (_, i) => addressAt(subnet, offset + i));
};

const isIpv4Prefix = (subnet: SimSubnet, prefix: string): boolean => {
  const [ip = '', bits] = prefix.split('/');
  return bits === '28' && inSubnet(subnet, ip) && Number(ip.split('.')[3]) % IPV4_PREFIX_SIZE === 0;
};

/** @throws InvalidParameterValue, InvalidIPAddress.InUse */
export function requireFreePrefix(region: Region, subnet: SimSubnet, prefix: string): void {
  if (!isIpv4Prefix(subnet, prefix)) throw outside(prefix);
  if (addressesOf(subnet, prefix).some((ip) => region.usedIps.has(slot(subnet, ip)))) throw inUse(prefix);
}

/**
 * Reserves the 16 addresses of a /28.
 * @throws InvalidIPAddress.InUse, InvalidParameterValue, InsufficientCidrBlocks
 */
export function reservePrefix(region: Region, subnet: SimSubnet, owner: string, wanted?: string): string {
  const blocks = Math.floor(SUBNET_ADDRESSES / IPV4_PREFIX_SIZE);
  const free = (prefix: string) =>
    addressesOf(subnet, prefix).every((ip) => region.usedIps.get(slot(subnet, ip)) === undefined);
  if (wanted !== undefined) requireFreePrefix(region, subnet, wanted);
  const candidates = Array.from(
    { length: blocks - 1 },
    (_, i) => `${addressAt(subnet, (i + 1) * IPV4_PREFIX_SIZE)}/28`,
  );
  const prefix = wanted ?? candidates.find(free);
  if (prefix === undefined) throw new Ec2Error('InsufficientCidrBlocks', `No free /28 in subnet ${subnet.id}`);
  for (const ip of addressesOf(subnet, prefix)) region.usedIps.set(slot(subnet, ip), owner);
  return prefix;
}

/** The eight groups of an IPv6 address, without leading zeros. Null: it is none. */
function groupsOf(address: string): readonly string[] | null {
  if (!/^[0-9a-f:]+$/i.test(address) || address.split('::').length > 2) return null;
  const [head = '', tail] = address.split('::');
  const parts = (text: string) => (text === '' ? [] : text.split(':'));
  const missing = IPV6_GROUPS - parts(head).length - parts(tail ?? '').length;
  const zeros: string[] = tail === undefined ? [] : Array.from({ length: Math.max(0, missing) }, () => '0');
  const groups = [...parts(head), ...zeros, ...parts(tail ?? '')];
  if (groups.length !== IPV6_GROUPS || groups.some((one) => !/^[0-9a-f]{1,4}$/i.test(one))) return null;
  return groups.map((one) => Number.parseInt(one, 16).toString(16));
}

/** @throws InvalidParameterValue (not in the subnet), InvalidIPAddress.InUse */
export function requireFreeIpv6(region: Region, subnet: SimSubnet, address: string): void {
  const groups = groupsOf(address.replace(/\/80$/, ''));
  if (groups?.slice(0, SUBNET_GROUPS).join(':') !== subnet.ipv6Prefix) throw outside(address);
  if (region.usedIpv6.has(slot(subnet, address))) throw inUse(address);
}

const freshIpv6 = (region: Region, subnet: SimSubnet): string =>
  `${subnet.ipv6Prefix}:${region.random.hex(2)}:${region.random.hex(2)}:0:1`.replace(/:0+(?=[0-9a-f])/g, ':');

/** @throws InvalidParameterValue, InvalidIPAddress.InUse */
export function reserveIpv6(region: Region, subnet: SimSubnet, owner: string, wanted?: string): string {
  const address = wanted ?? freshIpv6(region, subnet);
  requireFreeIpv6(region, subnet, address);
  region.usedIpv6.set(slot(subnet, address), owner);
  return address;
}

/** A /80. @throws InvalidParameterValue, InvalidIPAddress.InUse */
export function reserveIpv6Prefix(region: Region, subnet: SimSubnet, owner: string, wanted?: string): string {
  const made = groupsOf(freshIpv6(region, subnet))?.slice(0, PREFIX_GROUPS).join(':') ?? '';
  const prefix = wanted ?? `${made}::/80`;
  if (!prefix.endsWith('/80')) throw outside(prefix);
  requireFreeIpv6(region, subnet, prefix);
  region.usedIpv6.set(slot(subnet, prefix), owner);
  return prefix;
}

/** Gives addresses and prefixes of either family back. Idempotent. */
export function releaseAddresses(region: Region, subnet: SimSubnet, addresses: readonly string[]): void {
  for (const address of addresses) {
    region.usedIpv6.delete(slot(subnet, address));
    const each = address.endsWith('/28') ? addressesOf(subnet, address) : [address];
    for (const ip of each) region.usedIps.delete(slot(subnet, ip));
  }
}

export function freeAddressCount(region: Region, subnet: SimSubnet): number {
  let used = 0;
  for (const key of region.usedIps.keys()) if (key.startsWith(`${subnet.id}/`)) used++;
  return SUBNET_ADDRESSES - used;
}
