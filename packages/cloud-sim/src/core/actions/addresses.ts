import { isPrimary, type SimAddress, type SimNetworkInterface } from '../model.ts';
import type {
  Address,
  AllocateAddressRequest,
  AllocateAddressResult,
  AssociateAddressRequest,
  AssociateAddressResult,
  DescribeAddressesRequest,
  DescribeAddressesResult,
  DisassociateAddressRequest,
  ReleaseAddressRequest,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { applyFilters, type FilterTable, tagList } from '../filters.ts';
import { look, need } from '../lookup.ts';
import { tagsFor } from '../tags.ts';
import { ACCOUNT_ID, type Call, type Region } from '../region.ts';
import { dropAssociation } from './network-interfaces-model.ts';

const instanceOf = (region: Region, call: Call, address: SimAddress): string | undefined =>
  address.networkInterfaceId === null
    ? undefined
    : region.networkInterfaces.seenAsPart(address.networkInterfaceId, call)?.attachment?.instanceId;

const addressView = (region: Region, call: Call, one: SimAddress): Address => ({
  AllocationId: one.id,
  PublicIp: one.publicIp,
  Domain: 'vpc',
  PublicIpv4Pool: 'amazon',
  NetworkBorderGroup: region.name,
  AssociationId: one.associationId ?? undefined,
  NetworkInterfaceId: one.networkInterfaceId ?? undefined,
  NetworkInterfaceOwnerId: one.networkInterfaceId === null ? undefined : ACCOUNT_ID,
  PrivateIpAddress: one.privateIp ?? undefined,
  InstanceId: instanceOf(region, call, one) ?? '',
  Tags: tagList(one.tags),
});

const addressFilters = (region: Region, call: Call): FilterTable<SimAddress> => ({
  'allocation-id': (one) => [one.id],
  'association-id': (one) => [one.associationId],
  'public-ip': (one) => [one.publicIp],
  'network-interface-id': (one) => [one.networkInterfaceId],
  'instance-id': (one) => [instanceOf(region, call, one)],
  'private-ip-address': (one) => [one.privateIp],
  'network-border-group': () => [region.name],
});

/** `DescribeAddresses`: the only describe here that has no pages. */
export function describeAddresses(
  region: Region,
  call: Call,
  input: DescribeAddressesRequest,
): DescribeAddressesResult {
  const found = look(call, region.addresses, 'address', input.AllocationIds);
  const ips = new Set(input.PublicIps ?? []);
  for (const ip of ips) {
    if (!found.some((one) => one.publicIp === ip)) {
      throw new Ec2Error('InvalidAddress.NotFound', `Address '${ip}' not found.`);
    }
  }
  const named = ips.size === 0 ? found : found.filter((one) => ips.has(one.publicIp));
  const matching = applyFilters(named, input.Filters, addressFilters(region, call));
  return { Addresses: matching.map((one) => addressView(region, call, one)) };
}

function freshIp(region: Region): string {
  const taken = new Set(region.addresses.all().map((one) => one.publicIp));
  for (let i = 0; i < 65_534; i++) {
    const ip = `203.0.${113 + ((i >> 8) & 127)}.${(i & 255) + 1}`;
    if (!taken.has(ip) && (i & 255) < 254) return ip;
  }
  throw new Ec2Error('InsufficientAddressCapacity', 'Not enough available addresses');
}

/** `AllocateAddress`. There is no ClientToken, so a blind repeat leaks an address. */
export function allocateAddress(region: Region, call: Call, input: AllocateAddressRequest): AllocateAddressResult {
  if (region.addresses.size >= region.quotas.addresses) {
    throw new Ec2Error('AddressLimitExceeded', 'The maximum number of addresses has been reached.');
  }
  const made: SimAddress = {
    id: region.newId('eipalloc'),
    publicIp: freshIp(region),
    associationId: null,
    networkInterfaceId: null,
    privateIp: null,
    tags: tagsFor(input.TagSpecifications, 'elastic-ip'),
  };
  region.addresses.put(made, region.nowMs, call.instant);
  region.transition('address', made.id, null, 'allocated');
  return {
    AllocationId: made.id,
    PublicIp: made.publicIp,
    Domain: 'vpc',
    PublicIpv4Pool: 'amazon',
    NetworkBorderGroup: region.name,
  };
}

/**
 * The interface to associate with. @throws IncorrectInstanceState while its instance is not
 * `running` or `stopped`
 */
function target(region: Region, call: Call, input: AssociateAddressRequest): SimNetworkInterface {
  if ((input.NetworkInterfaceId === undefined) === (input.InstanceId === undefined)) {
    throw new Ec2Error('InvalidParameterCombination', 'Want exactly one of NetworkInterfaceId and InstanceId');
  }
  const found =
    input.NetworkInterfaceId === undefined
      ? primaryOf(region, call, input.InstanceId)
      : need(call, region.networkInterfaces, 'networkInterface', input.NetworkInterfaceId);
  region.requireZone(found.az);
  const instance = found.attachment ? region.instances.get(found.attachment.instanceId) : undefined;
  if (instance && instance.state !== 'running' && instance.state !== 'stopped') {
    throw new Ec2Error(
      'IncorrectInstanceState',
      `The instance '${instance.id}' is not in a valid state for this operation: ${instance.state}.`,
    );
  }
  return found;
}

function primaryOf(region: Region, call: Call, instanceId: string | undefined): SimNetworkInterface {
  const instance = need(call, region.instances, 'instance', instanceId);
  const primary = instance.networkInterfaceIds
    .flatMap((id) => region.networkInterfaces.get(id) ?? [])
    .find((one) => isPrimary(one.attachment));
  if (!primary) throw new Ec2Error('IncorrectInstanceState', `${instance.id} has no network interface`);
  return primary;
}

/**
 * `AssociateAddress`. With `AllowReassociation: false` it is compare-and-set: any existing
 * association of the address, or of the private address, is refused with
 * Resource.AlreadyAssociated. That includes the very same one, which is stricter than the
 * documentation asks for.
 */
export function associateAddress(region: Region, call: Call, input: AssociateAddressRequest): AssociateAddressResult {
  const address = need(call, region.addresses, 'address', input.AllocationId);
  const one = target(region, call, input);
  const privateIp = input.PrivateIpAddress ?? one.privateIp;
  if (privateIp !== one.privateIp && !one.secondaryIps.includes(privateIp)) {
    throw new Ec2Error('InvalidParameterValue', `${privateIp} is not assigned to ${one.id}`);
  }
  const rival = region.addresses
    .all()
    .find((other) => other.networkInterfaceId === one.id && other.privateIp === privateIp && other.id !== address.id);
  if (input.AllowReassociation === false && (address.associationId !== null || rival)) {
    const [what, where] = rival ? [one.id, rival.associationId] : [address.id, address.associationId];
    throw new Ec2Error(
      'Resource.AlreadyAssociated',
      `resource ${what} is already associated with associate-id ${where}`,
    );
  }
  const same = address.networkInterfaceId === one.id && address.privateIp === privateIp;
  if (same && address.associationId) return { AssociationId: address.associationId };
  if (rival) dropAssociation(region, rival.id);
  dropAssociation(region, address.id);
  const associationId = region.newId('eipassoc');
  region.addresses.update(
    address.id,
    { associationId, networkInterfaceId: one.id, privateIp },
    region.nowMs,
    call.instant,
  );
  region.transition('association', associationId, null, 'associated', null, {
    allocationId: address.id,
    networkInterfaceId: one.id,
    instanceId: one.attachment?.instanceId ?? null,
  });
  return { AssociationId: associationId };
}

/**
 * `DisassociateAddress`: exactly one association. @throws InvalidAssociationID.NotFound when it is
 * gone
 */
export function disassociateAddress(region: Region, _call: Call, input: DisassociateAddressRequest): object {
  if (input.AssociationId === undefined) {
    throw new Ec2Error('MissingParameter', 'The request must contain the parameter AssociationId');
  }
  const address = region.addresses.all().find((one) => one.associationId === input.AssociationId);
  if (!address) {
    throw new Ec2Error('InvalidAssociationID.NotFound', `The association ID '${input.AssociationId}' does not exist`);
  }
  dropAssociation(region, address.id);
  return {};
}

/** `ReleaseAddress`. @throws InvalidIPAddress.InUse while it is associated */
export function releaseAddress(region: Region, call: Call, input: ReleaseAddressRequest): object {
  const address = need(call, region.addresses, 'address', input.AllocationId);
  if (address.associationId) throw new Ec2Error('InvalidIPAddress.InUse', `Address ${address.publicIp} is in use.`);
  region.addresses.remove(address.id, region.nowMs);
  region.transition('address', address.id, 'allocated', null);
  return {};
}
