import {
  type Clock,
  type CloudCallOptions,
  type CloudFilters,
  type CloudImage,
  type CloudInstance,
  type CloudInstanceStatus,
  type CloudNetworkInterface,
  type CloudSnapshot,
  type CloudVolume,
  type LaunchRequest,
} from '@understudy/shared';
import { KnownZones } from '../batching/known-zones.ts';
import { ReadBatches } from '../batching/read-batches.ts';
import type { Ec2Transport } from '../transport/transport.ts';
import { Ec2Cloud } from './ec2-cloud.ts';

/** Snapshots and images belong to the Region: EC2 reads them whatever zone is impaired. */
const REGION = 'region';

/** A read of more things than this is a batch already. */
const ALONE_FROM = 100;

/**
 * EC2 as the recoveries of one process share it: reads about single instances, volumes, interfaces,
 * snapshots and images go together, zone by zone (see {@link ReadBatches}). A thing whose zone is
 * not known yet is asked about alone, and its zone is known then.
 */
export class SharedEc2Cloud extends Ec2Cloud {
  readonly #zones = new KnownZones();
  readonly #instances: ReadBatches<CloudInstance>;
  readonly #statuses: ReadBatches<CloudInstanceStatus>;
  readonly #volumes: ReadBatches<CloudVolume>;
  readonly #interfaces: ReadBatches<CloudNetworkInterface>;
  readonly #snapshots: ReadBatches<CloudSnapshot>;
  readonly #images: ReadBatches<CloudImage>;

  constructor(transport: Ec2Transport, clock: Clock) {
    super(transport);
    this.#instances = new ReadBatches({
      ...{ action: 'DescribeInstances', clock, idOf: (one) => one.instanceId },
      ask: (ids, options) => super.describeInstances({ 'instance-id': ids }, options),
    });
    this.#statuses = new ReadBatches({
      ...{ action: 'DescribeInstanceStatus', clock, idOf: (one) => one.instanceId },
      ask: (ids, options) => super.describeInstanceStatus(ids, options),
    });
    this.#volumes = new ReadBatches({
      ...{ action: 'DescribeVolumes', clock, idOf: (one) => one.volumeId },
      ask: (ids, options) => super.describeVolumes({ 'volume-id': ids }, options),
    });
    this.#interfaces = new ReadBatches({
      ...{ action: 'DescribeNetworkInterfaces', clock, idOf: (one) => one.networkInterfaceId },
      ask: (ids, options) => super.describeNetworkInterfaces({ 'network-interface-id': ids }, options),
    });
    this.#snapshots = new ReadBatches({
      ...{ action: 'DescribeSnapshots', clock, idOf: (one) => one.snapshotId },
      ask: (ids, options) => super.describeSnapshots({ 'snapshot-id': ids }, options),
    });
    this.#images = new ReadBatches({
      ...{ action: 'DescribeImages', clock, idOf: (one) => one.name },
      ask: (names, options) => super.describeImages({ name: names }, options),
    });
  }

  override async describeInstances(
    filters: CloudFilters,
    options: CloudCallOptions = {},
  ): Promise<readonly CloudInstance[]> {
    const ids = idsAlone(filters, 'instance-id');
    const zone = ids && this.#zones.common(ids);
    const found = await (zone ? this.#instances.read(zone, ids, options) : super.describeInstances(filters, options));
    for (const one of found) this.#zones.learn(one.instanceId, one.az);
    return found;
  }

  override describeInstanceStatus(
    instanceIds: readonly string[],
    options: CloudCallOptions = {},
  ): Promise<readonly CloudInstanceStatus[]> {
    const zone = isShared(instanceIds, options) ? this.#zones.common(instanceIds) : null;
    return zone === null
      ? super.describeInstanceStatus(instanceIds, options)
      : this.#statuses.read(zone, instanceIds, options);
  }

  override async describeVolumes(
    filters: CloudFilters,
    options: CloudCallOptions = {},
  ): Promise<readonly CloudVolume[]> {
    const ids = idsAlone(filters, 'volume-id');
    const zone = ids && this.#zones.common(ids);
    const found = await (zone ? this.#volumes.read(zone, ids, options) : super.describeVolumes(filters, options));
    for (const one of found) this.#zones.learn(one.volumeId, one.az);
    return found;
  }

  override async describeNetworkInterfaces(
    filters: CloudFilters,
    options: CloudCallOptions = {},
  ): Promise<readonly CloudNetworkInterface[]> {
    const ids = idsAlone(filters, 'network-interface-id');
    const zone = ids && this.#zones.common(ids);
    const found = await (zone
      ? this.#interfaces.read(zone, ids, options)
      : super.describeNetworkInterfaces(filters, options));
    for (const one of found) this.#zones.learn(one.networkInterfaceId, one.az);
    return found;
  }

  override describeSnapshots(filters: CloudFilters, options: CloudCallOptions = {}): Promise<readonly CloudSnapshot[]> {
    const ids = idsAlone(filters, 'snapshot-id');
    return ids ? this.#snapshots.read(REGION, ids, options) : super.describeSnapshots(filters, options);
  }

  /** Recoveries look for their images by the names they gave them. */
  override describeImages(filters: CloudFilters, options: CloudCallOptions = {}): Promise<readonly CloudImage[]> {
    const names = idsAlone(filters, 'name');
    return names?.every(isLiteral) === true
      ? this.#images.read(REGION, names, options)
      : super.describeImages(filters, options);
  }

  override async runInstances(request: LaunchRequest, options?: CloudCallOptions): Promise<CloudInstance> {
    const launched = await super.runInstances(request, options);
    this.#zones.learn(launched.instanceId, launched.az);
    return launched;
  }

  /** Reads about single things, and calls made for them, by action, since the start. */
  get readCounts(): ReadonlyMap<string, { readonly asked: number; readonly sent: number }> {
    return new Map([
      ['DescribeInstances', this.#instances.counts],
      ['DescribeInstanceStatus', this.#statuses.counts],
      ['DescribeVolumes', this.#volumes.counts],
      ['DescribeNetworkInterfaces', this.#interfaces.counts],
      ['DescribeSnapshots', this.#snapshots.counts],
      ['DescribeImages', this.#images.counts],
    ]);
  }
}

const isShared = (ids: readonly string[], { mayStart }: CloudCallOptions): boolean =>
  ids.length > 0 && ids.length <= ALONE_FROM && mayStart === undefined;

/** A value of a filter that stands for itself: with these, EC2 takes it for a pattern. */
const isLiteral = (value: string): boolean => !/[*?\\]/.test(value);

/** The ids, where nothing else is asked and they are few. */
function idsAlone(filters: CloudFilters, filter: string): readonly string[] | null {
  const { [filter]: ids, ...others } = filters;
  return ids && Object.keys(others).length === 0 && ids.length > 0 && ids.length <= ALONE_FROM ? ids : null;
}
