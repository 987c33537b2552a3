import type { CloudSim, SeededInstance } from '@understudy/cloud-sim';
import { type GroupPolicy, GroupPolicySchema, type MemberId, TAG } from '@understudy/shared';
import type { PolicyChange } from '@understudy/shared/testing';
import { OPERATOR } from './operators.ts';

/** Something of a member's identity beside its Elastic IP, and the instances it leads to. */
export interface CarriedItem {
  readonly member: MemberId;
  /** Names it, for people and as a key. */
  readonly name: string;
  /** As the plan of a recovery mentions it. */
  readonly mention: string;
  readonly holders: ReadonlySet<string>;
  /** What it says, where that is more than the holders. */
  readonly says: string;
  /** A person has put it on something of their own. */
  readonly isBorrowed: boolean;
}

type SimInterface = ReturnType<CloudSim['core']['region']['networkInterfaces']['all']>[number];

interface Owned {
  readonly member: MemberId;
  readonly recordName: string | null;
  /** On its primary interface, beside its own address. */
  readonly assigned: readonly string[];
  readonly interfaceId: string | null;
  readonly isTarget: boolean;
}

const DOMAIN = 'sim.internal';
/** The address of something that is none of ours, where a person may point a record. */
export const ELSEWHERE = '10.99.0.1';
/** Neighbours have different things, and some have two of them. */
const hasRecord = (index: number): boolean => index % 2 === 1;
const isTarget = (index: number): boolean => index % 3 === 0;
const hasInterface = (index: number): boolean => (index % 3 === 0 ? index % 2 === 1 : index % 6 === 5);

type Assigning = readonly [action: string, asked: Readonly<Record<string, number>>];
const PREFIX: Assigning = ['AssignPrivateIpAddresses', { Ipv4PrefixCount: 1 }];
const SECONDARY: Assigning = ['AssignPrivateIpAddresses', { SecondaryPrivateIpAddressCount: 1 }];
const IPV6: Assigning = ['AssignIpv6Addresses', { Ipv6AddressCount: 1 }];
/**
 * Members in the first zone, every third, are replaced in it, so that what they have can follow.
 * What the others have is lost where they are placed elsewhere.
 */
const ASSIGNED: readonly (readonly Assigning[])[] = [[SECONDARY, IPV6], [SECONDARY], [IPV6], [PREFIX], [PREFIX], []];

/** Addresses and prefixes beside its own address. */
const assignedOn = (
  one: Pick<SimInterface, 'secondaryIps' | 'ipv6Addresses' | 'ipv4Prefixes'> | undefined,
): readonly string[] => (one ? [...one.secondaryIps, ...one.ipv6Addresses, ...one.ipv4Prefixes] : []);

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/**
 * What members of a simulated cluster are known by: records, a target group, secondary addresses
 * and further interfaces. Without it (`on` false) they have none.
 */
export class CarriedIdentities {
  readonly #cloud: CloudSim;
  readonly #owned: Owned[] = [];
  /** Names of records that a person has pointed at something of their own. */
  readonly #borrowed = new Set<string>();
  readonly #listeners: (() => void)[] = [];
  readonly #zoneId: string | null;
  readonly #groupArn: string | null;

  constructor(cloud: CloudSim, on: boolean) {
    this.#cloud = cloud;
    this.#zoneId = on ? cloud.dns.make({ name: DOMAIN }).id : null;
    this.#groupArn = on ? this.#makeGroup() : null;
  }

  #makeGroup(): string {
    const { balancing, zones, core } = this.#cloud;
    const vpcId = core.region.vpcs.all()[0]?.id ?? '';
    const { arn } = balancing.makeBalancer({ name: 'front', vpcId, zones });
    return balancing.make({ name: 'web', port: 80, vpcId, loadBalancerArn: arn }).arn;
  }

  /** What the policy says of them. */
  get policy(): PolicyChange {
    if (this.#zoneId === null || this.#groupArn === null) return {};
    const { dns, targetGroups }: GroupPolicy['identity'] = GroupPolicySchema.parse({
      identity: { dns: { zones: [{ zoneId: this.#zoneId }] }, targetGroups: { groups: [this.#groupArn] } },
    }).identity;
    return { identity: { dns, targetGroups } };
  }

  /** A member that is about to have run for long. */
  give(member: MemberId, index: number, { instanceId, networkInterfaceId, privateIp, subnetId }: SeededInstance): void {
    if (this.#zoneId === null || this.#groupArn === null) return;
    const recordName = hasRecord(index) ? `m${index + 1}.${DOMAIN}.` : null;
    if (recordName !== null) this.pointRecord(recordName, privateIp);
    if (isTarget(index)) this.#cloud.seedTargets(this.#groupArn, [{ Id: instanceId }]);
    const assigned = this.#assign(networkInterfaceId, index);
    const interfaceId = hasInterface(index) ? this.#attach(instanceId, subnetId) : null;
    this.#owned.push({ member, recordName, assigned, interfaceId, isTarget: isTarget(index) });
  }

  /** A member that has a record of its own and is a target, and nothing else. */
  name(member: MemberId, label: string, { instanceId, privateIp }: SeededInstance): void {
    const recordName = `${label}.${DOMAIN}.`;
    this.pointRecord(recordName, privateIp);
    this.#cloud.seedTargets(this.#groupArn ?? '', [{ Id: instanceId }]);
    this.#owned.push({ member, recordName, assigned: [], interfaceId: null, isTarget: true });
  }

  #assign(NetworkInterfaceId: string, index: number): readonly string[] {
    for (const [action, asked] of ASSIGNED[index % ASSIGNED.length] ?? [])
      this.#cloud.seed(action, { NetworkInterfaceId, ...asked });
    return assignedOn(this.#cloud.core.region.networkInterfaces.get(NetworkInterfaceId));
  }

  #attach(InstanceId: string, SubnetId: string): string {
    const { NetworkInterface } = this.#cloud.seed('CreateNetworkInterface', { SubnetId });
    const id = text((NetworkInterface as { readonly NetworkInterfaceId?: unknown }).NetworkInterfaceId);
    this.#cloud.seed('AttachNetworkInterface', { InstanceId, NetworkInterfaceId: id, DeviceIndex: 1 });
    return id;
  }

  /** As a person does. */
  pointRecord(recordName: string, address: string): void {
    const record = { Name: recordName, TTL: 60, ResourceRecords: [{ Value: address }] };
    if (this.#zoneId !== null) this.#cloud.dns.setRecord(this.#zoneId, { ...record, Type: 'A' });
    if (address === ELSEWHERE) this.#borrowed.add(recordName);
    else this.#borrowed.delete(recordName);
    for (const listener of this.#listeners) listener();
  }

  /** A person has changed something. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Null: the member has none. */
  recordOf(member: MemberId): string | null {
    return this.#owned.find((one) => one.member === member)?.recordName ?? null;
  }

  /** To whoever is the member now. */
  returnRecord(member: MemberId, instanceId: string | null): void {
    const recordName = this.recordOf(member);
    const address = instanceId === null ? null : this.addressOf(instanceId);
    if (recordName !== null && address !== null) this.pointRecord(recordName, address);
  }

  valuesOf(recordName: string): readonly string[] {
    const records = this.#zoneId === null ? [] : [...(this.#cloud.dns.get(this.#zoneId)?.records.values() ?? [])];
    const record = records.find((one) => one.Name === recordName);
    return (record?.ResourceRecords ?? []).map((one) => one.Value ?? '');
  }

  /** The instance that has an address or a prefix now. Null: nobody. */
  instanceAt(address: string): string | null {
    const all = this.#cloud.core.region.networkInterfaces.all();
    const found = all.find((one) => one.privateIp === address || assignedOn(one).includes(address));
    return found?.attachment?.instanceId ?? null;
  }

  /** The primary private address of an instance. Null: it has none any more. */
  addressOf(instanceId: string): string | null {
    const { instances, networkInterfaces } = this.#cloud.core.region;
    return networkInterfaces.get(instances.get(instanceId)?.networkInterfaceIds[0] ?? '')?.privateIp ?? null;
  }

  /** Everything, with where it leads now. */
  items(): readonly CarriedItem[] {
    return this.#owned.flatMap((owned) => this.#itemsOf(owned));
  }

  #itemsOf({ member, recordName, assigned, interfaceId, isTarget: targeted }: Owned): readonly CarriedItem[] {
    const { networkInterfaces } = this.#cloud.core.region;
    const only = (id: string | null | undefined) => new Set(id === null || id === undefined ? [] : [id]);
    const item = (name: string, mention: string, holders: ReadonlySet<string>, says = ''): CarriedItem => ({
      ...{ member, name, mention, holders, says },
      isBorrowed: this.#borrowed.has(recordName ?? '') && mention === recordName,
    });
    return [
      ...(recordName === null ? [] : [this.#recordItem(recordName, item)]),
      ...assigned.map((one) => item(one, one, only(this.instanceAt(one)))),
      ...(interfaceId === null
        ? []
        : [item(interfaceId, interfaceId, only(networkInterfaces.get(interfaceId)?.attachment?.instanceId))]),
      ...(targeted ? [item(`target of ${member}`, 'targetgroup/web', this.#targetsOf(member))] : []),
    ];
  }

  #recordItem(
    recordName: string,
    item: (name: string, mention: string, holders: ReadonlySet<string>, says: string) => CarriedItem,
  ): CarriedItem {
    return item(`record ${recordName}`, recordName, this.#pointedAt(recordName), this.valuesOf(recordName).join());
  }

  #pointedAt(recordName: string): ReadonlySet<string> {
    return new Set(this.valuesOf(recordName).flatMap((value) => this.instanceAt(value) ?? []));
  }

  #targetsOf(member: MemberId): ReadonlySet<string> {
    const { instances } = this.#cloud.core.region;
    const within = [...this.#group().targets.values()].filter((one) => one.drainsUntilMs === null);
    const isOwn = (id: string): boolean => {
      const { tags = {} } = instances.get(id) ?? {};
      return `${tags[TAG.group] ?? ''}/${tags[TAG.member] ?? ''}` === member;
    };
    return new Set(within.map((one) => one.id).filter(isOwn));
  }

  #group() {
    return this.#cloud.balancing.require(this.#groupArn ?? '');
  }

  /** What the balancer says of it now. */
  healthOf(instanceId: string): string | null {
    if (this.#groupArn === null) return null;
    const { TargetHealthDescriptions } = this.#cloud.seed('elasticloadbalancing:DescribeTargetHealth', {
      TargetGroupArn: this.#groupArn,
    });
    const all = TargetHealthDescriptions as readonly {
      readonly Target?: { readonly Id?: string };
      readonly TargetHealth?: { readonly State?: string };
    }[];
    return all.find((one) => one.Target?.Id === instanceId)?.TargetHealth?.State ?? null;
  }
}

export const isOperators = (reader: string): boolean => reader === OPERATOR;
