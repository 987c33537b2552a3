import { Ec2Error } from '../ec2-error.ts';
import { INSTANCE_TYPES } from '../instance-types.ts';
import type { SimNetworkInterface, SimSubnet } from '../model.ts';
import type { Region } from '../region.ts';
import {
  freeAddressCount,
  requireFreeIp,
  requireFreeIpv6,
  requireFreePrefix,
  reserveIp,
  reserveIpv6,
  reserveIpv6Prefix,
  reservePrefix,
} from './subnet-addresses.ts';

/** Addresses of one kind: those that are named, and how many more. */
export interface WantedSet {
  readonly named: readonly string[];
  readonly count: number;
}

/** What an interface is to have besides its primary private address. */
export interface WantedAddresses {
  readonly secondary: WantedSet;
  readonly ipv6: WantedSet;
  readonly ipv4Prefixes: WantedSet;
  readonly ipv6Prefixes: WantedSet;
}

const NONE: WantedSet = { named: [], count: 0 };
export const NO_ADDRESSES: WantedAddresses = { secondary: NONE, ipv6: NONE, ipv4Prefixes: NONE, ipv6Prefixes: NONE };

/**
 * Either names or a count.
 * @throws InvalidParameterCombination, InvalidParameterValue (one name twice)
 */
export function wantedSet(named: readonly string[] | undefined, count: number | undefined, what: string): WantedSet {
  if ((named?.length ?? 0) > 0 && count !== undefined) {
    throw new Ec2Error('InvalidParameterCombination', `${what} may be given by name or by number, not both`);
  }
  if (new Set(named).size !== (named?.length ?? 0)) {
    throw new Ec2Error('InvalidParameterValue', `Duplicate ${what}`);
  }
  return { named: named ?? [], count: count ?? 0 };
}

/** The part of a request that RunInstances and CreateNetworkInterface have in common. */
interface AddressParameters {
  readonly PrivateIpAddress?: string | undefined;
  readonly PrivateIpAddresses?:
    | readonly { readonly Primary?: boolean | undefined; readonly PrivateIpAddress?: string | undefined }[]
    | undefined;
  readonly SecondaryPrivateIpAddressCount?: number | undefined;
  readonly Ipv6Addresses?: readonly { readonly Ipv6Address?: string | undefined }[] | undefined;
  readonly Ipv6AddressCount?: number | undefined;
  readonly Ipv4Prefixes?: readonly { readonly Ipv4Prefix?: string | undefined }[] | undefined;
  readonly Ipv4PrefixCount?: number | undefined;
  readonly Ipv6Prefixes?: readonly { readonly Ipv6Prefix?: string | undefined }[] | undefined;
  readonly Ipv6PrefixCount?: number | undefined;
}

export const wantedAddresses = (asked: AddressParameters): WantedAddresses => ({
  secondary: wantedSet(
    asked.PrivateIpAddresses?.filter((one) => one.Primary !== true).flatMap((one) => one.PrivateIpAddress ?? []),
    asked.SecondaryPrivateIpAddressCount,
    'secondary private addresses',
  ),
  ipv6: wantedSet(
    asked.Ipv6Addresses?.flatMap((one) => one.Ipv6Address ?? []),
    asked.Ipv6AddressCount,
    'IPv6 addresses',
  ),
  ipv4Prefixes: wantedSet(
    asked.Ipv4Prefixes?.flatMap((one) => one.Ipv4Prefix ?? []),
    asked.Ipv4PrefixCount,
    'IPv4 prefixes',
  ),
  ipv6Prefixes: wantedSet(
    asked.Ipv6Prefixes?.flatMap((one) => one.Ipv6Prefix ?? []),
    asked.Ipv6PrefixCount,
    'IPv6 prefixes',
  ),
});

/** @throws InvalidParameterCombination when two primary addresses are given */
export function primaryIpOf(asked: AddressParameters): string | undefined {
  const marked = (asked.PrivateIpAddresses ?? []).filter((one) => one.Primary === true);
  if (marked.length + (asked.PrivateIpAddress === undefined ? 0 : 1) > 1) {
    throw new Ec2Error('InvalidParameterCombination', 'Only one primary private IP address can be specified.');
  }
  return asked.PrivateIpAddress ?? marked[0]?.PrivateIpAddress;
}

const sizeOf = ({ named, count }: WantedSet): number => named.length + count;

/**
 * Per interface, by instance type (EC2 user guide, IP addresses per network interface). Prefixes
 * take places of addresses.
 * @throws PrivateIpAddressLimitExceeded
 */
export function requireWithinLimit(instanceType: string, wanted: WantedAddresses, held?: SimNetworkInterface): void {
  const max = INSTANCE_TYPES.get(instanceType)?.addressesPerInterface ?? Number.POSITIVE_INFINITY;
  const ipv4 = sizeOf(wanted.secondary) + sizeOf(wanted.ipv4Prefixes) + 1;
  const ipv6 = sizeOf(wanted.ipv6) + sizeOf(wanted.ipv6Prefixes);
  const heldIpv4 = held ? held.secondaryIps.length + held.ipv4Prefixes.length : 0;
  const heldIpv6 = held ? held.ipv6Addresses.length + held.ipv6Prefixes.length : 0;
  if (ipv4 + heldIpv4 <= max && ipv6 + heldIpv6 <= max) return;
  throw new Ec2Error(
    'PrivateIpAddressLimitExceeded',
    `Number of private addresses will exceed limit: ${instanceType} takes ${max} of each family per interface.`,
  );
}

/** Checked before anything is made. @throws what reserving them would throw */
export function requireFreeAddresses(region: Region, subnet: SimSubnet, wanted: WantedAddresses): void {
  for (const ip of wanted.secondary.named) requireFreeIp(region, subnet, ip);
  for (const prefix of wanted.ipv4Prefixes.named) requireFreePrefix(region, subnet, prefix);
  for (const ip of [...wanted.ipv6.named, ...wanted.ipv6Prefixes.named]) requireFreeIpv6(region, subnet, ip);
  if (freeAddressCount(region, subnet) >= sizeOf(wanted.secondary) + 16 * sizeOf(wanted.ipv4Prefixes)) return;
  throw new Ec2Error('InsufficientFreeAddressesInSubnet', `No free addresses in subnet ${subnet.id}`);
}

type HeldAddresses = Pick<SimNetworkInterface, 'secondaryIps' | 'ipv6Addresses' | 'ipv4Prefixes' | 'ipv6Prefixes'>;

/** Reserves them for an interface. */
export function takeAddresses(
  region: Region,
  subnet: SimSubnet,
  owner: string,
  wanted: WantedAddresses,
): HeldAddresses {
  type Reserve = (region: Region, subnet: SimSubnet, owner: string, wanted?: string) => string;
  const all = ({ named, count }: WantedSet, reserve: Reserve): readonly string[] => [
    ...named.map((one) => reserve(region, subnet, owner, one)),
    ...Array.from({ length: count }, () => reserve(region, subnet, owner)),
  ];
  return {
    secondaryIps: all(wanted.secondary, reserveIp),
    ipv6Addresses: all(wanted.ipv6, reserveIpv6),
    ipv4Prefixes: all(wanted.ipv4Prefixes, reservePrefix),
    ipv6Prefixes: all(wanted.ipv6Prefixes, reserveIpv6Prefix),
  };
}
