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
import type { SimNetworkInterface, SimSubnet } from '../model.ts';
import type { Call, Region } from '../region.ts';
import { dropAssociation } from './network-interfaces-model.ts';
import { holderOf, releaseAddresses } from './subnet-addresses.ts';
import {
  NO_ADDRESSES,
  requireFreeAddresses,
  requireWithinLimit,
  takeAddresses,
  type WantedAddresses,
  wantedSet,
} from './wanted-addresses.ts';

interface Target {
  readonly one: SimNetworkInterface;
  readonly subnet: SimSubnet;
}

function targetOf(region: Region, call: Call, id: string | undefined): Target {
  const one = need(call, region.networkInterfaces, 'networkInterface', id);
  region.requireZone(one.az);
  return { one, subnet: need(call, region.subnets, 'subnet', one.subnetId) };
}

function requireAny(wanted: WantedAddresses): void {
  if (Object.values(wanted).some(({ named, count }) => named.length + count > 0)) return;
  throw new Ec2Error('MissingParameter', 'The request must contain addresses, prefixes or their number');
}

function requireRoomFor(region: Region, { one }: Target, wanted: WantedAddresses): void {
  const instance = one.attachment ? region.instances.get(one.attachment.instanceId) : undefined;
  if (instance) requireWithinLimit(instance.instanceType, wanted, one);
}

function give(region: Region, call: Call, { one, subnet }: Target, wanted: WantedAddresses): SimNetworkInterface {
  const given = takeAddresses(region, subnet, one.id, wanted);
  return add(region, call, one, given);
}

/** What an interface gets, its metadata show a little later ("remapping is asynchronous"). */
function add(
  region: Region,
  call: Call,
  one: SimNetworkInterface,
  given: Pick<SimNetworkInterface, 'secondaryIps' | 'ipv6Addresses' | 'ipv4Prefixes' | 'ipv6Prefixes'>,
): SimNetworkInterface {
  const seenAtMs = region.nowMs + (call.instant ? 0 : region.latency.sampleMs('network-interface.remap'));
  const arriving = Object.fromEntries(
    Object.values(given)
      .flat()
      .map((address) => [address, seenAtMs]),
  );
  const patch = {
    secondaryIps: [...one.secondaryIps, ...given.secondaryIps],
    ipv6Addresses: [...one.ipv6Addresses, ...given.ipv6Addresses],
    ipv4Prefixes: [...one.ipv4Prefixes, ...given.ipv4Prefixes],
    ipv6Prefixes: [...one.ipv6Prefixes, ...given.ipv6Prefixes],
    arriving: { ...one.arriving, ...arriving },
  };
  return region.networkInterfaces.update(one.id, patch, region.nowMs, call.instant) ?? one;
}

/**
 * The interface that has the address as a secondary one.
 * @throws InvalidIPAddress.InUse when reassignment is not allowed, InvalidParameterValue when it is
 * a primary address, which never moves
 */
function formerHolder(region: Region, { one, subnet }: Target, ip: string, mayMove: boolean): string | null {
  const holder = region.networkInterfaces.get(holderOf(region, subnet, ip) ?? '');
  if (!holder || holder.id === one.id) return null;
  if (holder.privateIp === ip) {
    throw new Ec2Error('InvalidParameterValue', `[${ip}] is the primary address of ${holder.id}, which cannot move`);
  }
  if (!mayMove) throw new Ec2Error('InvalidIPAddress.InUse', `Address ${ip} is in use by ${holder.id}.`);
  return holder.id;
}

function takeFrom(region: Region, call: Call, subnet: SimSubnet, holderId: string, ip: string): void {
  const holder = region.networkInterfaces.get(holderId);
  if (!holder) return;
  const secondaryIps = holder.secondaryIps.filter((other) => other !== ip);
  region.networkInterfaces.update(holderId, { secondaryIps }, region.nowMs, call.instant);
  releaseAddresses(region, subnet, [ip]);
}

/** An Elastic IP goes with the private address that it is on. */
function moveElasticIp(region: Region, call: Call, target: SimNetworkInterface, ip: string): void {
  const address = region.addresses.all().find((one) => one.privateIp === ip && one.networkInterfaceId !== target.id);
  const holder = region.networkInterfaces.get(address?.networkInterfaceId ?? '');
  if (!address || holder?.subnetId !== target.subnetId) return;
  region.addresses.update(address.id, { networkInterfaceId: target.id }, region.nowMs, call.instant);
  region.transition('association', address.associationId ?? '', 'associated', 'associated', null, {
    allocationId: address.id,
    networkInterfaceId: target.id,
    instanceId: target.attachment?.instanceId ?? null,
  });
}

/** Moves what is elsewhere to this interface. Returns the names that are new to the subnet. */
function moveHere(region: Region, call: Call, target: Target, input: AssignPrivateIpAddressesRequest): string[] {
  const named = (input.PrivateIpAddresses ?? []).filter((ip) => !target.one.secondaryIps.includes(ip));
  if (named.includes(target.one.privateIp)) {
    throw new Ec2Error('InvalidParameterValue', `[${target.one.privateIp}] is the interface's own primary address`);
  }
  const moves = named.flatMap((ip) => {
    const from = formerHolder(region, target, ip, input.AllowReassignment === true);
    return from === null ? [] : [{ ip, from }];
  });
  for (const { ip, from } of moves) {
    moveElasticIp(region, call, target.one, ip);
    takeFrom(region, call, target.subnet, from, ip);
  }
  return named;
}

/**
 * `AssignPrivateIpAddresses`. A secondary address moves from another interface of the subnet only
 * where reassignment is allowed, and takes its Elastic IP with it. All or nothing.
 */
export function assignPrivateIpAddresses(
  region: Region,
  call: Call,
  input: AssignPrivateIpAddressesRequest,
): AssignPrivateIpAddressesResult {
  const target = targetOf(region, call, input.NetworkInterfaceId);
  const wanted = {
    ...NO_ADDRESSES,
    secondary: wantedSet(input.PrivateIpAddresses, input.SecondaryPrivateIpAddressCount, 'private addresses'),
    ipv4Prefixes: wantedSet(input.Ipv4Prefixes, input.Ipv4PrefixCount, 'IPv4 prefixes'),
  };
  requireAny(wanted);
  const news = wanted.secondary.named.filter((ip) => !target.one.secondaryIps.includes(ip));
  const unheld = news.filter((ip) => holderOf(region, target.subnet, ip) === undefined);
  requireRoomFor(region, target, { ...wanted, secondary: { ...wanted.secondary, named: news } });
  requireFreeAddresses(region, target.subnet, { ...wanted, secondary: { ...wanted.secondary, named: unheld } });
  const named = moveHere(region, call, target, input);
  const after = give(region, call, target, { ...wanted, secondary: { ...wanted.secondary, named } });
  const added = after.secondaryIps.slice(target.one.secondaryIps.length);
  return {
    NetworkInterfaceId: target.one.id,
    AssignedPrivateIpAddresses: [...new Set([...wanted.secondary.named, ...added])].map((PrivateIpAddress) => ({
      PrivateIpAddress,
    })),
    AssignedIpv4Prefixes: after.ipv4Prefixes
      .slice(target.one.ipv4Prefixes.length)
      .map((Ipv4Prefix) => ({ Ipv4Prefix })),
  };
}

/** @throws InvalidParameterValue for one that the interface does not have */
function requireHeld(one: SimNetworkInterface, held: readonly string[], named: readonly string[]): void {
  const stranger = named.find((address) => !held.includes(address));
  if (stranger === undefined) return;
  throw new Ec2Error(
    'InvalidParameterValue',
    `Some of the specified addresses are not assigned to interface ${one.id}: ${stranger}`,
  );
}

/** `UnassignPrivateIpAddresses`. The Elastic IP on an address is disassociated. */
export function unassignPrivateIpAddresses(
  region: Region,
  call: Call,
  input: UnassignPrivateIpAddressesRequest,
): object {
  const { one, subnet } = targetOf(region, call, input.NetworkInterfaceId);
  const ips = wantedSet(input.PrivateIpAddresses, undefined, 'private addresses');
  const prefixes = wantedSet(input.Ipv4Prefixes, undefined, 'IPv4 prefixes');
  requireAny({ ...NO_ADDRESSES, secondary: ips, ipv4Prefixes: prefixes });
  requireHeld(one, one.secondaryIps, ips.named);
  requireHeld(one, one.ipv4Prefixes, prefixes.named);
  for (const address of region.addresses.all()) {
    if (address.networkInterfaceId !== one.id || !ips.named.includes(address.privateIp ?? '')) continue;
    dropAssociation(region, address.id);
  }
  releaseAddresses(region, subnet, [...ips.named, ...prefixes.named]);
  const secondaryIps = one.secondaryIps.filter((ip) => !ips.named.includes(ip));
  const ipv4Prefixes = one.ipv4Prefixes.filter((prefix) => !prefixes.named.includes(prefix));
  region.networkInterfaces.update(one.id, { secondaryIps, ipv4Prefixes }, region.nowMs, call.instant);
  return {};
}

/** `AssignIpv6Addresses`. There is no reassignment: an address is free first, and then assigned. */
export function assignIpv6Addresses(
  region: Region,
  call: Call,
  input: AssignIpv6AddressesRequest,
): AssignIpv6AddressesResult {
  const target = targetOf(region, call, input.NetworkInterfaceId);
  const { one } = target;
  const ipv6 = wantedSet(input.Ipv6Addresses, input.Ipv6AddressCount, 'IPv6 addresses');
  const ipv6Prefixes = wantedSet(input.Ipv6Prefixes, input.Ipv6PrefixCount, 'IPv6 prefixes');
  requireAny({ ...NO_ADDRESSES, ipv6, ipv6Prefixes });
  const wanted = {
    ...NO_ADDRESSES,
    ipv6: { ...ipv6, named: ipv6.named.filter((ip) => !one.ipv6Addresses.includes(ip)) },
    ipv6Prefixes: { ...ipv6Prefixes, named: ipv6Prefixes.named.filter((ip) => !one.ipv6Prefixes.includes(ip)) },
  };
  requireRoomFor(region, target, wanted);
  requireFreeAddresses(region, target.subnet, wanted);
  const after = give(region, call, target, wanted);
  const added = after.ipv6Addresses.slice(one.ipv6Addresses.length);
  const addedPrefixes = after.ipv6Prefixes.slice(one.ipv6Prefixes.length);
  return {
    NetworkInterfaceId: one.id,
    AssignedIpv6Addresses: [...new Set([...ipv6.named, ...added])],
    AssignedIpv6Prefixes: [...new Set([...ipv6Prefixes.named, ...addedPrefixes])],
  };
}

/** `UnassignIpv6Addresses`. The primary IPv6 address stays. */
export function unassignIpv6Addresses(
  region: Region,
  call: Call,
  input: UnassignIpv6AddressesRequest,
): UnassignIpv6AddressesResult {
  const { one, subnet } = targetOf(region, call, input.NetworkInterfaceId);
  const ipv6 = wantedSet(input.Ipv6Addresses, undefined, 'IPv6 addresses');
  const ipv6Prefixes = wantedSet(input.Ipv6Prefixes, undefined, 'IPv6 prefixes');
  requireAny({ ...NO_ADDRESSES, ipv6, ipv6Prefixes });
  requireHeld(one, one.ipv6Addresses, ipv6.named);
  requireHeld(one, one.ipv6Prefixes, ipv6Prefixes.named);
  const [primary = ''] = one.ipv6Addresses;
  if (one.primaryIpv6 && ipv6.named.includes(primary)) {
    throw new Ec2Error('InvalidParameterValue', `${primary} is the primary IPv6 address of ${one.id}`);
  }
  releaseAddresses(region, subnet, [...ipv6.named, ...ipv6Prefixes.named]);
  const patch = {
    ipv6Addresses: one.ipv6Addresses.filter((ip) => !ipv6.named.includes(ip)),
    ipv6Prefixes: one.ipv6Prefixes.filter((prefix) => !ipv6Prefixes.named.includes(prefix)),
  };
  region.networkInterfaces.update(one.id, patch, region.nowMs, call.instant);
  return {
    NetworkInterfaceId: one.id,
    UnassignedIpv6Addresses: [...ipv6.named],
    UnassignedIpv6Prefixes: [...ipv6Prefixes.named],
  };
}
