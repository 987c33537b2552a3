import {
  type CloudInstanceType,
  flagOf,
  type GroupPolicy,
  numberOf,
  rawListOf,
  rawOf,
  textOf,
} from '@understudy/shared';
import { isBurstable, TYPE_BOUND_MEMBERS } from './launch-request.ts';
import { carriedTags, MAX_TAGS } from './launch-tags.ts';
import type { Placements } from './placement.ts';
import type { Finding } from './finding.ts';
import type { PlanInput } from './plan-input.ts';
import { firstBootLosses } from './plan-first-boot.ts';
import { imageOf, launchBaseOf } from './plan-launch-base.ts';
import { isCarriedAddress, primaryInterfaceOf, rawPrimaryInterfaceOf } from './plan-raw.ts';
import { keyIdInUserData } from './user-data-key.ts';
import { routeLosses } from './references.ts';
import { uncheckedLosses } from './volume-keys.ts';

/** What the replacement will not have, or have differently. In the order of docs/replacement.md. */
export function lossesOf(input: PlanInput, placements: Placements, policy: GroupPolicy): readonly Finding[] {
  return [
    ...networkLosses(input),
    ...addressLosses(input),
    ...diskLosses(input),
    ...firstBootLosses(input, policy),
    ...machineLosses(input),
    ...placementLosses(input, placements),
    ...tagLosses(input, policy),
    ...routeLosses(input.references, input.instance),
    { code: 'InsideReferences', text: INSIDE },
    { code: 'OutsideReferences', text: OUTSIDE },
  ];
}

const INSIDE =
  'in the VPC these were not looked up, and keep naming the old instance or interface: flow logs, traffic mirroring, Global Accelerator endpoints, event windows, target groups by instance id, Transit Gateway and peering routes in other VPCs';

const OUTSIDE =
  'what names the old instance id outside EC2 keeps naming it: target groups, alarms, SSM associations, DNS and monitoring objects';

/** Collects the findings whose condition holds. */
type Note = (when: boolean, code: string, text: string) => void;

function findings(fill: (note: Note) => void): Finding[] {
  const found: Finding[] = [];
  fill((when, code, text) => {
    if (when) found.push({ code, text });
  });
  return found;
}

const count = (value: unknown): number => rawListOf(value).length;

function networkLosses({ instance }: PlanInput): Finding[] {
  const eni = rawPrimaryInterfaceOf(instance);
  const primary = primaryInterfaceOf(instance);
  const extra = instance.networkInterfaces.filter((attachment) => attachment !== primary);
  const secondary = rawListOf(eni.PrivateIpAddresses).filter((address) => address.Primary === false);
  const type = textOf(eni.InterfaceType) ?? 'interface';
  const dns = rawOf(instance.raw.PrivateDnsNameOptions);
  return findings((note) => {
    note(true, 'PrivateIpChanges', `private address ${instance.privateIp ?? ''} and MAC stay with the old instance`);
    note(
      secondary.length > 0,
      'SecondaryPrivateIpsLost',
      `${secondary.length} secondary private addresses are not moved`,
    );
    note(count(eni.Ipv6Addresses) > 0, 'Ipv6AddressesLost', `${count(eni.Ipv6Addresses)} IPv6 addresses are not moved`);
    const prefixes = count(eni.Ipv4Prefixes) + count(eni.Ipv6Prefixes);
    note(prefixes > 0, 'PrefixesLost', `${prefixes} delegated prefixes are not moved`);
    note(
      extra.length > 0,
      'ExtraNetworkInterfacesLost',
      `further network interfaces are not moved: ${extra.map((one) => `${one.networkInterfaceId} (card ${one.networkCardIndex}, index ${one.deviceIndex})`).join(', ')}`,
    );
    note(type !== 'interface', 'InterfaceTypeLost', `the primary interface is of type ${type}; the new one is plain`);
    const tracking = Object.keys(rawOf(eni.ConnectionTrackingConfiguration)).length > 0;
    note(tracking, 'ConnectionTrackingLost', 'connection tracking timeouts of the interface fall back to the defaults');
    const named = textOf(dns.HostnameType) === 'resource-name' || flagOf(dns.EnableResourceNameDnsAAAARecord);
    note(named, 'PrivateDnsOptionsLost', 'private DNS name options follow the subnet of the new interface');
  });
}

function addressLosses({ instance, addresses }: PlanInput): Finding[] {
  const left = addresses.filter((address) => !isCarriedAddress(address, instance)).map((address) => address.publicIp);
  const elastic = new Set(addresses.map((address) => address.publicIp));
  const automatic = instance.publicIp !== null && !elastic.has(instance.publicIp);
  return findings((note) => {
    note(left.length > 0, 'AddressesNotMoved', `Elastic IPs on secondary addresses are not moved: ${left.join(', ')}`);
    note(automatic, 'PublicIpLost', `automatic public address ${instance.publicIp ?? ''}: the replacement has none`);
  });
}

function diskLosses(input: PlanInput): Finding[] {
  const { instance, volumes, userData } = input;
  const cards = rawListOf(instance.raw.BlockDeviceMappings).filter((item) => numberOf(rawOf(item.Ebs).EbsCardIndex));
  const keyId = keyIdInUserData(userData);
  const noKey = volumes.filter((volume) => volume.encrypted && volume.kmsKeyId === null);
  const isNvme = typeOf(input)?.hypervisor !== 'xen';
  return [
    ...instanceStoreLosses(input),
    ...uncheckedLosses(volumes, input.references.keys),
    ...findings((note) => {
      note(true, 'MemoryLost', 'what was in memory and not yet on disk when the instance was fenced');
      note(
        true,
        'FirstReadsSlow',
        'volumes made from snapshots are slow until each block was read once (minutes to hours; volume initialization)',
      );
      note(
        isNvme && volumes.length > 1,
        'DeviceNamesMayChange',
        'NVMe device names (/dev/nvme1n1) may come in another order: mount by UUID or label',
      );
      note(cards.length > 0, 'EbsCardIndexLost', `${cards.length} volumes return to EBS card 0`);
      note(
        noKey.length > 0,
        'KmsKeyUnnamed',
        `${noKey.length} encrypted volumes name no key: the snapshot's key is used`,
      );
      note(
        keyId !== null,
        'AgentKeyInUserData',
        `user data names agent key id ${keyId}; if that is retired, the replacement needs the key its root volume keeps (docs/key-rotation.md)`,
      );
    }),
  ];
}

const typeOf = ({ instance, typeFacts }: PlanInput): CloudInstanceType | null =>
  typeFacts.types.get(instance.instanceType) ?? null;

/**
 * Where the disks are NVMe they come by themselves, empty; elsewhere only with a mapping, which EC2
 * does not tell of a running instance.
 */
function instanceStoreLosses(input: PlanInput): Finding[] {
  const type = typeOf(input);
  if (type?.instanceStorage !== true) return [];
  const { instanceStoreNvme: nvme, hypervisor } = type;
  if (nvme !== 'unsupported' && (nvme !== null || hypervisor !== 'xen'))
    return [{ code: 'InstanceStoreLost', text: 'instance store disks come back empty' }];
  const text = `instance store disks do not come back at all: ${type.instanceType} wants ephemeralN mappings at the launch, which are not carried`;
  return [{ code: 'InstanceStoreNotMapped', text }];
}

function machineLosses(input: PlanInput): Finding[] {
  const { instance } = input;
  const { raw } = instance;
  const image = imageOf(input);
  const placement = rawOf(raw.Placement);
  const host = textOf(placement.HostId) !== null && textOf(placement.HostResourceGroupArn) === null;
  return findings((note) => {
    note(host, 'DedicatedHostNotKept', 'EC2 chooses the Dedicated Host anew: one with auto-placement must have room');
    note(
      placement.Affinity === 'host',
      'HostAffinityLost',
      'the replacement has no affinity to its Dedicated Host: after a stop it may start on another',
    );
    const products = rawListOf(raw.ProductCodes).flatMap((one) => textOf(one.ProductCodeId) ?? []);
    note(
      products.length > 0,
      'MarketplaceProduct',
      `Marketplace product ${products.join(', ')} stays on the disks and is billed; its terms decide in which types and zones it may be launched`,
    );
    const credits = isBurstable(instance.instanceType) && input.cpuCredits === null;
    note(credits, 'CpuCreditsUnknown', "EC2 did not tell the CPU credit mode: the account's default applies");
    const cpu = typeOf(input) === null && numberOf(rawOf(raw.CpuOptions).CoreCount) !== null;
    note(cpu, 'CpuOptionsNotCompared', "the type's default cores are unknown: the default is used");
    note(input.shutdownBehavior === null, 'ShutdownBehaviorUnknown', 'EC2 did not tell it: a shutdown will stop it');
    const migration = textOf(rawOf(raw.MaintenanceOptions).RebootMigration) ?? 'default';
    note(migration !== 'default', 'RebootMigrationLost', `reboot migration is ${migration}; a launch cannot set it`);
    note(
      (image?.tpmSupport ?? null) !== null,
      'TpmSecretsLost',
      'keys sealed in the NitroTPM stay with the old instance',
    );
    const uefi = image?.bootMode?.startsWith('uefi') === true;
    note(uefi, 'UefiVariablesLost', 'UEFI variables (boot entries, Secure Boot keys) start from their defaults');
    const group = instance.tags['aws:cloudformation:stack-name'];
    note(group !== undefined, 'CloudFormationDrift', `stack ${group ?? ''} keeps naming the old instance`);
    const template = instance.tags['aws:ec2launchtemplate:id'];
    note(template !== undefined, 'LaunchTemplateLinkLost', `the link to launch template ${template ?? ''}`);
  });
}

function placementLosses(input: PlanInput, { candidates, skipped }: Placements): Finding[] {
  const base = launchBaseOf(input);
  const placement = rawOf(base.Placement);
  const otherZone = candidates.some((candidate) => candidate.az !== input.instance.az);
  const otherType = candidates.some((candidate) => candidate.instanceType !== input.instance.instanceType);
  const grouped = placement.GroupId !== undefined || placement.GroupName !== undefined;
  const bound = TYPE_BOUND_MEMBERS.filter((member) => base[member] !== undefined);
  return [
    ...skipped,
    ...findings((note) => {
      note(otherZone && grouped, 'PlacementGroupInOwnZoneOnly', 'candidates in other zones leave the placement group');
      const reserved = base.CapacityReservationSpecification !== undefined;
      note(
        otherZone && reserved,
        'ReservationInOwnZoneOnly',
        'candidates in other zones ignore the capacity reservation',
      );
      const text = `candidates of another type are launched without ${bound.join(', ')}`;
      note(otherType && bound.length > 0, 'TypeBoundOptionsDropped', text);
    }),
  ];
}

/**
 * Two places are kept for the marks of the recovery (op, attempt), and those that the policy's tags
 * need.
 */
function tagLosses({ instance, volumes, networkInterfaces }: PlanInput, policy: GroupPolicy): Finding[] {
  const room = MAX_TAGS - 2;
  const over = [instance, ...volumes, ...networkInterfaces].filter(
    (resource) => Object.keys({ ...policy.recover.tags, ...carriedTags(resource.tags) }).length > room,
  );
  const wanted = Object.keys(policy.recover.tags).length;
  const text = `${over.length} resources have more than ${room} tags${wanted > 0 ? `, ${wanted} of the policy included` : ''}: the last by name are dropped`;
  return findings((note) => note(over.length > 0, 'TagsOverLimit', text));
}
