import {
  type CloudAddress,
  type CloudCallOptions,
  type CloudConsoleOutput,
  type CloudFilters,
  type CloudImage,
  type CloudInstance,
  type CloudInstanceStatus,
  type CloudInstanceType,
  type CloudNetworkInterface,
  type CloudSnapshot,
  type CloudSubnet,
  type CloudTagged,
  type CloudVolume,
  flagOf,
  hasCode,
  oneOf,
  type Raw,
  rawListOf,
  rawOf,
  tagsOf,
  textOf,
  wallMsOf,
} from '@understudy/shared';
import type { Ec2Action } from './actions.ts';
import { listNamed, namesOnly, type NamedListing } from './describe-named.ts';
import { type Listing, listAll, portionsOfList } from './describe-pages.ts';
import { listAsked } from './asked-ids.ts';
import { assertAbout, Ec2Caller, listIn } from './ec2-caller.ts';
import { mapInstance, mapInstanceStatus, mapInstanceType } from './map-instance.ts';
import { mapAddress, mapImage, mapNetworkInterface, mapSnapshot, mapSubnet, mapVolume } from './map-resources.ts';

/**
 * DescribeInstanceStatus takes so many explicit ids per call (EC2 API reference), and
 * DescribeVolumeStatus more.
 */
const MAX_STATUS_IDS = 100;

/**
 * All states are sent as a filter: a call by id alone may count against the smaller, unfiltered
 * bucket.
 */
const ANY_STATE = {
  Name: 'instance-state-name',
  Values: ['pending', 'running', 'stopping', 'stopped', 'shutting-down', 'terminated'],
};

const IMPAIRED = { Name: 'volume-status.status', Values: ['impaired'] };

/** Things that exist in one zone. They are asked for by name where only ids are wanted. */
const INSTANCES = {
  action: 'DescribeInstances',
  list: 'Reservations',
  paginated: true,
  filter: 'instance-id',
  ids: 'InstanceIds',
} as const satisfies NamedListing;
const VOLUMES = {
  action: 'DescribeVolumes',
  list: 'Volumes',
  paginated: true,
  filter: 'volume-id',
  ids: 'VolumeIds',
} as const satisfies NamedListing;
const NETWORK_INTERFACES = {
  action: 'DescribeNetworkInterfaces',
  list: 'NetworkInterfaces',
  paginated: true,
  filter: 'network-interface-id',
  ids: 'NetworkInterfaceIds',
} as const satisfies NamedListing;

const present = <T>(value: T | null): T[] => (value === null ? [] : [value]);

/** Reads what a member is made of. {@link Ec2ReferenceReads} has the other reads. */
export class Ec2Reads extends Ec2Caller {
  async describeInstances(filters: CloudFilters, options?: CloudCallOptions): Promise<readonly CloudInstance[]> {
    const reservations = await this.#listNamed(INSTANCES, filters, options);
    return reservations
      .flatMap((reservation) => rawListOf(reservation.Instances))
      .flatMap((raw) => present(mapInstance(raw)));
  }

  async describeInstanceTags(keys: readonly string[], options?: CloudCallOptions): Promise<readonly CloudTagged[]> {
    const listing = { action: 'DescribeTags', list: 'Tags', paginated: true } as const;
    const rows = await this.list(listing, { 'resource-type': ['instance'], key: keys }, options);
    const byInstance = Map.groupBy(rows, (row) => textOf(row.ResourceId) ?? '');
    byInstance.delete('');
    return [...byInstance].map(([instanceId, own]) => ({ instanceId, tags: tagsOf(own) }));
  }

  /**
   * Asks by id: this action has no filter for it. One unknown id fails the whole call, so a failed
   * portion is asked again in halves.
   */
  async describeInstanceStatus(
    instanceIds: readonly string[],
    options?: CloudCallOptions,
  ): Promise<readonly CloudInstanceStatus[]> {
    const found: CloudInstanceStatus[] = [];
    for (const portion of portionsOfList([...new Set(instanceIds)], MAX_STATUS_IDS)) {
      found.push(...(await this.#statusOf(portion, options)));
    }
    return found;
  }

  /** Makes at most 2 × 100 calls, when all ids are unknown. */
  async #statusOf(instanceIds: readonly string[], options?: CloudCallOptions): Promise<readonly CloudInstanceStatus[]> {
    try {
      const input = { InstanceIds: [...instanceIds], IncludeAllInstances: true, Filters: [ANY_STATE] };
      const answer = await this.call('DescribeInstanceStatus', input, options);
      const asked = { 'instance-id': instanceIds };
      return listAsked('DescribeInstanceStatus', answer, 'InstanceStatuses', asked).flatMap((raw) =>
        present(mapInstanceStatus(raw)),
      );
    } catch (error) {
      if (!hasCode(error, 'CLOUD_NOT_FOUND')) throw error;
      if (instanceIds.length <= 1) return [];
      const middle = Math.ceil(instanceIds.length / 2);
      const lower = await this.#statusOf(instanceIds.slice(0, middle), options);
      return [...lower, ...(await this.#statusOf(instanceIds.slice(middle), options))];
    }
  }

  async describeVolumes(filters: CloudFilters, options?: CloudCallOptions): Promise<readonly CloudVolume[]> {
    return (await this.#listNamed(VOLUMES, filters, options)).flatMap((raw) => present(mapVolume(raw)));
  }

  /** Asks by id, as there is no filter for it, and only for those that are impaired. */
  async describeImpairedVolumes(volumeIds: readonly string[], options?: CloudCallOptions): Promise<readonly string[]> {
    const found: Raw[] = [];
    for (const portion of portionsOfList([...new Set(volumeIds)], MAX_STATUS_IDS)) {
      const input = { VolumeIds: [...portion], Filters: [IMPAIRED] };
      const answer = await this.call('DescribeVolumeStatus', input, options);
      found.push(...listAsked('DescribeVolumeStatus', answer, 'VolumeStatuses', { 'volume-id': portion }));
    }
    const impaired = found.filter((raw) => rawOf(raw.VolumeStatus).Status === 'impaired');
    return impaired.flatMap((raw) => present(textOf(raw.VolumeId)));
  }

  /** Lists our own account's snapshots only. */
  async describeSnapshots(filters: CloudFilters, options?: CloudCallOptions): Promise<readonly CloudSnapshot[]> {
    const input = { OwnerIds: ['self'] };
    const listing = { action: 'DescribeSnapshots', list: 'Snapshots', paginated: true, input } as const;
    return (await this.list(listing, filters, options)).flatMap((raw) => present(mapSnapshot(raw)));
  }

  /**
   * Lists our own account's images only, unless asked for by id: anybody may publish an image under
   * the name we look for. Deprecated and disabled images are included.
   */
  async describeImages(filters: CloudFilters, options?: CloudCallOptions): Promise<readonly CloudImage[]> {
    const owners = filters['image-id'] === undefined ? { Owners: ['self'] } : {};
    const input = { ...owners, IncludeDeprecated: true, IncludeDisabled: true };
    const listing = { action: 'DescribeImages', list: 'Images', paginated: true, input } as const;
    return (await this.list(listing, filters, options)).flatMap((raw) => present(mapImage(raw)));
  }

  async describeNetworkInterfaces(
    filters: CloudFilters,
    options?: CloudCallOptions,
  ): Promise<readonly CloudNetworkInterface[]> {
    return (await this.#listNamed(NETWORK_INTERFACES, filters, options)).flatMap((raw) =>
      present(mapNetworkInterface(raw)),
    );
  }

  async describeAddresses(filters: CloudFilters, options?: CloudCallOptions): Promise<readonly CloudAddress[]> {
    const listing = { action: 'DescribeAddresses', list: 'Addresses', paginated: false } as const;
    return (await this.list(listing, filters, options)).flatMap((raw) => present(mapAddress(raw)));
  }

  async describeSubnets(filters: CloudFilters, options?: CloudCallOptions): Promise<readonly CloudSubnet[]> {
    const listing = { action: 'DescribeSubnets', list: 'Subnets', paginated: true } as const;
    return (await this.list(listing, filters, options)).flatMap((raw) => present(mapSubnet(raw)));
  }

  async describeUserData(instanceId: string, options?: CloudCallOptions): Promise<string | null> {
    return textOf(await this.#attribute(instanceId, 'userData', 'UserData', options));
  }

  async describeProtection(
    instanceId: string,
    options?: CloudCallOptions,
  ): Promise<{ readonly stop: boolean; readonly termination: boolean }> {
    const [stop, termination] = await Promise.all([
      this.#attribute(instanceId, 'disableApiStop', 'DisableApiStop', options),
      this.#attribute(instanceId, 'disableApiTermination', 'DisableApiTermination', options),
    ]);
    return { stop: flagOf(stop), termination: flagOf(termination) };
  }

  async describeShutdownBehavior(instanceId: string, options?: CloudCallOptions): Promise<'stop' | 'terminate' | null> {
    const name = 'instanceInitiatedShutdownBehavior';
    const value = await this.#attribute(instanceId, name, 'InstanceInitiatedShutdownBehavior', options);
    return textOf(value) === null ? null : oneOf(['stop', 'terminate'], value, 'stop');
  }

  async describeCpuCredits(instanceId: string, options?: CloudCallOptions): Promise<string | null> {
    const answer = await this.call('DescribeInstanceCreditSpecifications', { InstanceIds: [instanceId] }, options);
    const own = listIn('DescribeInstanceCreditSpecifications', answer, 'InstanceCreditSpecifications').find(
      (item) => item.InstanceId === instanceId,
    );
    return textOf(own?.CpuCredits);
  }

  async describeInstanceTypes(
    instanceTypes: readonly string[],
    options?: CloudCallOptions,
  ): Promise<readonly CloudInstanceType[]> {
    if (instanceTypes.length === 0) return [];
    // A name that EC2 does not know fails a call by name; a filter leaves it out. A page of this
    // action holds at most 100.
    const listing = { action: 'DescribeInstanceTypes', list: 'InstanceTypes', paginated: true, pageSize: 100 } as const;
    const found = await this.list(listing, { 'instance-type': instanceTypes }, options);
    return found.flatMap((raw) => present(mapInstanceType(raw)));
  }

  /**
   * The latest output, where the type can tell it (Nitro). Otherwise what EC2 kept from the last
   * boot, stop or crash.
   */
  async consoleOutput(instanceId: string, options?: CloudCallOptions): Promise<CloudConsoleOutput | null> {
    const answer = await this.#console({ InstanceId: instanceId, Latest: true }, options).catch((error: unknown) => {
      if (!hasCode(error, 'CLOUD_REJECTED')) throw error;
      return this.#console({ InstanceId: instanceId }, options);
    });
    assertAbout('GetConsoleOutput', answer, instanceId);
    const encoded = textOf(answer.Output);
    if (encoded === null) return null;
    return { text: Buffer.from(encoded, 'base64').toString('utf8'), takenAtWallMs: wallMsOf(answer.Timestamp) };
  }

  #console(input: Record<string, unknown>, options: CloudCallOptions | undefined): Promise<Raw> {
    return this.call('GetConsoleOutput', input, options);
  }

  /** EC2 offers only one attribute per call. */
  async #attribute(instanceId: string, name: string, member: string, options?: CloudCallOptions): Promise<unknown> {
    const answer = await this.call('DescribeInstanceAttribute', { InstanceId: instanceId, Attribute: name }, options);
    assertAbout('DescribeInstanceAttribute', answer, instanceId);
    return rawOf(answer[member]).Value;
  }

  #listNamed(
    listing: NamedListing & { readonly action: Ec2Action },
    filters: CloudFilters,
    options: CloudCallOptions | undefined,
  ): Promise<readonly Raw[]> {
    const ids = namesOnly(listing, filters);
    if (ids === null) return this.list(listing, filters, options);
    return listNamed((_, input) => this.call(listing.action, input, options), listing, ids);
  }

  protected list(
    listing: Listing & { readonly action: Ec2Action },
    filters: CloudFilters,
    options: CloudCallOptions | undefined,
  ): Promise<readonly Raw[]> {
    return listAll((_, input) => this.call(listing.action, input, options), listing, filters);
  }
}
