import type {
  AssignIpv6AddressesRequest,
  AssignIpv6AddressesResult,
  AssignPrivateIpAddressesRequest,
  AssignPrivateIpAddressesResult,
  UnassignIpv6AddressesRequest,
  UnassignIpv6AddressesResult,
  UnassignPrivateIpAddressesRequest,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { need } from '../lookup.ts';
import type { SimNetworkInterface } from '../model.ts';
import type { Call, Region } from '../region.ts';
import { dropAssociation, reserveIp } from './network-interfaces-model.ts';

/** IPv4 addresses of one interface, its primary one among them. EC2's own limit is by type. */
const IPV4_PER_INTERFACE = 30;

type Listed = 'secondaryIps' | 'ipv6Addresses' | 'ipv4Prefixes' | 'ipv6Prefixes';

const interfaceOf = (region: Region, call: Call, id: string | undefined): SimNetworkInterface => {
  const one = need(call, region.networkInterfaces, 'networkInterface', id);
  region.requireZone(one.az);
  return one;
};

const holderOf = (region: Region, one: SimNetworkInterface, list: Listed, what: string) =>
  region.networkInterfaces.all().find((other) => other.vpcId === one.vpcId && other[list].includes(what));

const isTaken = (what: string): never => {
  throw new Ec2Error('InvalidParameterValue', `[${what}] assigned, but move is not allowed.`);
};

function listed(region: Region, call: Call, id: string, list: Listed, values: readonly string[]): void {
  region.networkInterfaces.update(id, { [list]: values }, region.nowMs, call.instant);
}

/** A secondary address leaves its interface; an Elastic IP on it is disassociated. */
function freeIp(region: Region, call: Call, holder: SimNetworkInterface, ip: string): void {
  for (const address of region.addresses.all())
    if (address.networkInterfaceId === holder.id && address.privateIp === ip) dropAssociation(region, address.id);
  region.usedIps.delete(`${holder.subnetId}/${ip}`);
  const rest = holder.secondaryIps.filter((one) => one !== ip);
  listed(region, call, holder.id, 'secondaryIps', rest);
}

/** Moves it with the Elastic IP that is on it. */
function reassign(region: Region, call: Call, from: SimNetworkInterface, to: SimNetworkInterface, ip: string): void {
  const rest = from.secondaryIps.filter((one) => one !== ip);
  listed(region, call, from.id, 'secondaryIps', rest);
  region.usedIps.set(`${to.subnetId}/${ip}`, to.id);
  for (const address of region.addresses.all())
    if (address.networkInterfaceId === from.id && address.privateIp === ip)
      region.addresses.update(address.id, { networkInterfaceId: to.id }, region.nowMs, call.instant);
}

function takeIp(region: Region, call: Call, one: SimNetworkInterface, ip: string, mayMove: boolean): void {
  const subnet = need(call, region.subnets, 'subnet', one.subnetId);
  const holder = holderOf(region, one, 'secondaryIps', ip);
  if (!holder) {
    reserveIp(region, subnet, one.id, ip);
    return;
  }
  if (!mayMove) isTaken(ip);
  if (holder.subnetId !== one.subnetId) isTaken(ip);
  reassign(region, call, holder, one, ip);
}

/**
 * `AssignPrivateIpAddresses`: named addresses, a count of them, or named prefixes.
 * @throws InvalidParameterValue where one is assigned elsewhere and may not be moved,
 * InvalidIPAddress.InUse where one is the primary address of another interface,
 * PrivateIpAddressLimitExceeded
 */
export function assignPrivateIpAddresses(
  region: Region,
  call: Call,
  input: AssignPrivateIpAddressesRequest,
): AssignPrivateIpAddressesResult {
  const one = interfaceOf(region, call, input.NetworkInterfaceId);
  if (input.Ipv4Prefixes) {
    addListed(region, call, one, 'ipv4Prefixes', input.Ipv4Prefixes);
    return {
      NetworkInterfaceId: one.id,
      AssignedIpv4Prefixes: input.Ipv4Prefixes.map((Ipv4Prefix) => ({ Ipv4Prefix })),
    };
  }
  const named = (input.PrivateIpAddresses ?? []).filter((ip) => !one.secondaryIps.includes(ip));
  const count = input.SecondaryPrivateIpAddressCount ?? 0;
  if (one.secondaryIps.length + 1 + named.length + count > IPV4_PER_INTERFACE)
    throw new Ec2Error('PrivateIpAddressLimitExceeded', `Number of private addresses will exceed limit.`);
  for (const ip of named) takeIp(region, call, one, ip, input.AllowReassignment === true);
  const subnet = need(call, region.subnets, 'subnet', one.subnetId);
  const chosen = Array.from({ length: count }, () => reserveIp(region, subnet, one.id));
  listed(region, call, one.id, 'secondaryIps', [...one.secondaryIps, ...named, ...chosen]);
  return {
    NetworkInterfaceId: one.id,
    AssignedPrivateIpAddresses: [...named, ...chosen].map((PrivateIpAddress) => ({ PrivateIpAddress })),
  };
}

/** `UnassignPrivateIpAddresses`. @throws InvalidParameterValue where one is not assigned to it */
export function unassignPrivateIpAddresses(
  region: Region,
  call: Call,
  input: UnassignPrivateIpAddressesRequest,
): object {
  const one = interfaceOf(region, call, input.NetworkInterfaceId);
  const { PrivateIpAddresses: ips = [], Ipv4Prefixes: prefixes = [] } = input;
  requireListed(one, 'secondaryIps', ips);
  requireListed(one, 'ipv4Prefixes', prefixes);
  for (const ip of ips) freeIp(region, call, interfaceOf(region, call, one.id), ip);
  dropListed(region, call, one, 'ipv4Prefixes', prefixes);
  return {};
}

/** `AssignIpv6Addresses`: named addresses or prefixes. They are never taken from elsewhere. */
export function assignIpv6Addresses(
  region: Region,
  call: Call,
  input: AssignIpv6AddressesRequest,
): AssignIpv6AddressesResult {
  const one = interfaceOf(region, call, input.NetworkInterfaceId);
  addListed(region, call, one, 'ipv6Addresses', input.Ipv6Addresses ?? []);
  addListed(region, call, one, 'ipv6Prefixes', input.Ipv6Prefixes ?? []);
  return {
    NetworkInterfaceId: one.id,
    AssignedIpv6Addresses: input.Ipv6Addresses ?? [],
    AssignedIpv6Prefixes: input.Ipv6Prefixes ?? [],
  };
}

/** `UnassignIpv6Addresses`. @throws InvalidParameterValue where one is not assigned to it */
export function unassignIpv6Addresses(
  region: Region,
  call: Call,
  input: UnassignIpv6AddressesRequest,
): UnassignIpv6AddressesResult {
  const one = interfaceOf(region, call, input.NetworkInterfaceId);
  const { Ipv6Addresses: ips = [], Ipv6Prefixes: prefixes = [] } = input;
  requireListed(one, 'ipv6Addresses', ips);
  requireListed(one, 'ipv6Prefixes', prefixes);
  dropListed(region, call, one, 'ipv6Addresses', ips);
  dropListed(region, call, one, 'ipv6Prefixes', prefixes);
  return { NetworkInterfaceId: one.id, UnassignedIpv6Addresses: ips, UnassignedIpv6Prefixes: prefixes };
}

function addListed(
  region: Region,
  call: Call,
  one: SimNetworkInterface,
  list: Exclude<Listed, 'secondaryIps'>,
  values: readonly string[],
): void {
  const wanted = values.filter((value) => !one[list].includes(value));
  for (const value of wanted) if (holderOf(region, one, list, value)) isTaken(value);
  if (wanted.length > 0) listed(region, call, one.id, list, [...one[list], ...wanted]);
}

function requireListed(one: SimNetworkInterface, list: Listed, values: readonly string[]): void {
  const missing = values.filter((value) => !one[list].includes(value));
  if (missing.length === 0) return;
  const text = `Some of [${values.join(', ')}] are not assigned to interface ${one.id}`;
  throw new Ec2Error('InvalidParameterValue', text);
}

function dropListed(
  region: Region,
  call: Call,
  one: SimNetworkInterface,
  list: Exclude<Listed, 'secondaryIps'>,
  values: readonly string[],
): void {
  const rest = one[list].filter((value) => !values.includes(value));
  if (values.length > 0) listed(region, call, one.id, list, rest);
}
