import type { Random } from '@understudy/shared';
import type { Authorize } from './authorization/access-request.ts';
import { Consistency, type Glance } from './consistency.ts';
import { Ec2Error } from './ec2-error.ts';
import { EventBus } from './event-bus/event-bus.ts';
import { DEFAULT_KEPT_EVENTS, EventLog, type KeptEvents, type ResourceKind } from './event-log.ts';
import { type Fault, FaultList } from './faults.ts';
import { KmsKeys } from './kms/keys.ts';
import { LoadBalancing } from './elbv2/target-groups.ts';
import { DnsZones } from './route53/zones.ts';
import { SecretValues } from './secrets/store.ts';
import { SimTopics } from './sns/topics.ts';
import { SimQueues } from './sqs/queues.ts';
import { RunCommand } from './ssm/run-command.ts';
import { LatencyModel, type LatencyName, type LatencyOverrides } from './latency.ts';
import type {
  HostFailure,
  SimAddress,
  SimCapacityReservation,
  SimHost,
  SimImage,
  SimInstance,
  SimKeyPair,
  SimNetworkInterface,
  SimPlacementGroup,
  SimReplaceRootVolumeTask,
  SimRouteTable,
  SimSecurityGroup,
  SimSnapshot,
  SimSubnet,
  SimVolume,
  SimVpc,
} from './model.ts';
import { Schedule } from './schedule.ts';
import { ResourceStore } from './resource-store.ts';
import { Throttle } from './throttle.ts';
import { DEFAULT_TOKENS_KEPT, TokenTable } from './token-table.ts';

/** Account limits per Region. Beyond them EC2 refuses with the code named here. */
export interface Quotas {
  /** InstanceLimitExceeded. Terminated instances count until they disappear. */
  readonly instances: number;
  /** VolumeLimitExceeded */
  readonly volumes: number;
  /** SnapshotLimitExceeded */
  readonly snapshots: number;
  /** NetworkInterfaceLimitExceeded */
  readonly networkInterfaces: number;
  /** AddressLimitExceeded */
  readonly addresses: number;
  /** Pending snapshots of one volume: ConcurrentSnapshotLimitExceeded */
  readonly pendingSnapshotsPerVolume: number;
  /** Volume copies that are still initializing: CopyVolumesLimitExceeded */
  readonly volumeCopies: number;
  /** Sum of the rates, in MiB/s, of volumes that initialize at a provisioned rate. */
  readonly initializationMiBps: number;
}

export const DEFAULT_QUOTAS: Quotas = {
  instances: 20_000,
  volumes: 50_000,
  snapshots: 100_000,
  networkInterfaces: 50_000,
  addresses: 5_000,
  pendingSnapshotsPerVolume: 5,
  volumeCopies: 5,
  initializationMiBps: 5_000,
};

/**
 * How much of the past is remembered. Keeping less saves memory; keeping more lets an audit look
 * further back.
 */
export interface Kept extends KeptEvents {
  /** Newest ClientTokens. */
  readonly tokens: number;
}

export const DEFAULT_KEPT: Kept = { ...DEFAULT_KEPT_EVENTS, tokens: DEFAULT_TOKENS_KEPT };

export interface RegionOptions {
  /** For example `us-east-1`; its zones are this name with a, b and c. */
  readonly name: string;
  /** Seeded. Names, durations and lags follow from it. */
  readonly random: Random;
  readonly seed: number;
  readonly speed: number;
  /** The checksum of a message, as hex; the core computes none. */
  readonly md5: (body: string) => string;
  readonly latency?: LatencyOverrides;
  readonly quotas?: Partial<Quotas>;
  readonly kept?: Kept;
}

/** One call on its way through the core. */
export interface Call extends Glance {
  readonly wallMs: number;
  readonly faults: readonly Fault[];
  /** True while seeding: no latency, no lag, no buckets. */
  readonly instant: boolean;
}

export const ACCOUNT_ID = '123456789012';

/**
 * A Region: everything there is in it, with the clock the caller hands in. Only actions read and
 * write it.
 */
export class Region {
  readonly name: string;
  readonly random: Random;
  readonly latency: LatencyModel;
  readonly log: EventLog;
  readonly faults = new FaultList();
  readonly schedule = new Schedule();
  readonly throttle: Throttle;
  readonly tokens: TokenTable;
  readonly instances: ResourceStore<SimInstance>;
  readonly volumes: ResourceStore<SimVolume>;
  readonly snapshots: ResourceStore<SimSnapshot>;
  readonly images: ResourceStore<SimImage>;
  readonly networkInterfaces: ResourceStore<SimNetworkInterface>;
  readonly addresses: ResourceStore<SimAddress>;
  readonly subnets: ResourceStore<SimSubnet>;
  readonly vpcs: ResourceStore<SimVpc>;
  readonly securityGroups: ResourceStore<SimSecurityGroup>;
  readonly keyPairs: ResourceStore<SimKeyPair>;
  readonly placementGroups: ResourceStore<SimPlacementGroup>;
  readonly capacityReservations: ResourceStore<SimCapacityReservation>;
  readonly routeTables: ResourceStore<SimRouteTable>;
  readonly replaceRootVolumeTasks: ResourceStore<SimReplaceRootVolumeTask>;
  /**
   * Names of instance profiles. They are IAM's, not EC2's, so the simulator's operator makes and
   * removes them.
   */
  readonly instanceProfiles = new Set<string>();
  /** ARNs of License Manager. */
  readonly licenseConfigurations = new Set<string>();
  readonly kmsKeys: KmsKeys;
  readonly secretValues = new SecretValues();
  readonly dns: DnsZones;
  readonly balancing: LoadBalancing;
  readonly queues: SimQueues;
  readonly topics: SimTopics;
  readonly events: EventBus;
  readonly commands: RunCommand;
  /** Dedicated Hosts by id. Room on them is not counted. */
  readonly hosts = new Map<string, SimHost>();
  /** Marketplace codes by snapshot. They go with what is on the disk. */
  readonly productCodes = new Map<string, readonly string[]>();
  /** `az/type` that is not sold there. */
  readonly notOffered = new Set<string>();
  /** `az/snapshot` with fast snapshot restore. */
  readonly fastRestores = new Set<string>();
  readonly zones: readonly string[];
  readonly impairedZones = new Set<string>();
  /** Zones whose hosts are down, each with the instances that went down with it. */
  readonly failedZones = new Map<string, { readonly how: HostFailure; readonly struck: readonly string[] }>();
  /** `az/type` → instances that still fit. Absent: no limit. */
  readonly capacity = new Map<string, number>();
  readonly deniedActions = new Set<string>();
  /** Says what callers may do. Null: everything. */
  authorize: Authorize | null = null;
  /** Keys of the tags without which nothing may be made. */
  readonly requiredTags = new Set<string>();
  /** `${subnetId}/${ip}` of every address in use. */
  readonly usedIps = new Map<string, string>();
  /** The same of IPv6, addresses and prefixes. */
  readonly usedIpv6 = new Map<string, string>();
  quotas: Quotas;
  nowMs = 0;
  wallOffsetMs = 0;
  #names = 0;

  constructor(options: RegionOptions) {
    this.name = options.name;
    this.random = options.random;
    const { kept = DEFAULT_KEPT } = options;
    this.log = new EventLog(kept);
    this.tokens = new TokenTable(kept.tokens);
    this.latency = new LatencyModel(options.random, options.speed, options.latency);
    this.throttle = new Throttle(options.speed);
    this.quotas = { ...DEFAULT_QUOTAS, ...options.quotas };
    this.zones = ['a', 'b', 'c'].map((letter) => `${options.name}${letter}`);
    this.kmsKeys = new KmsKeys(options.name, ACCOUNT_ID, options.random);
    this.dns = new DnsZones(options.speed);
    this.balancing = new LoadBalancing(options.name, ACCOUNT_ID, options.speed);
    this.queues = new SimQueues(options.name, ACCOUNT_ID, {
      nowMs: () => this.nowMs,
      wallMs: () => this.wallMs(),
      draw: () => this.random.next(),
      md5: options.md5,
      later: (delayMs, run) => this.laterIn(delayMs, run),
      speed: options.speed,
    });
    this.commands = new RunCommand({
      nowMs: () => this.nowMs,
      wallMs: () => this.wallMs(),
      isUp: (instanceId) => {
        const instance = this.instances.get(instanceId);
        return instance?.state === 'running' && instance.crashedAtMs === null;
      },
      draw: () => this.random.next(),
      sampleMs: (name) => this.latency.sampleMs(name),
      later: (delayMs, run) => this.laterIn(delayMs, run),
      speed: options.speed,
    });
    this.topics = new SimTopics(
      { region: options.name, account: ACCOUNT_ID },
      {
        nowMs: () => this.nowMs,
        wallMs: () => this.wallMs(),
        strike: (action, input) => this.faults.strike(action, input),
        queue: (arn) => this.queues.byArn(arn),
        speed: options.speed,
      },
    );
    this.events = new EventBus({
      place: { region: options.name, account: ACCOUNT_ID },
      wallMs: () => this.wallMs(),
      later: (delayMs, run) => this.laterIn(delayMs, run),
      sampleMs: (name) => this.latency.sampleMs(name),
      strike: (action, input) => this.faults.strike(action, input),
      queue: (arn) => this.queues.byArn(arn),
      draw: () => this.random.next(),
      speed: options.speed,
    });
    this.log.onEvent((event) => this.events.onEvent(event));
    const consistency = new Consistency(this.latency, options.seed);
    this.instances = new ResourceStore('instance', consistency);
    this.volumes = new ResourceStore('volume', consistency);
    this.snapshots = new ResourceStore('snapshot', consistency);
    this.images = new ResourceStore('image', consistency);
    this.networkInterfaces = new ResourceStore('network-interface', consistency);
    this.addresses = new ResourceStore('address', consistency);
    this.subnets = new ResourceStore('subnet', consistency);
    this.vpcs = new ResourceStore('vpc', consistency);
    this.securityGroups = new ResourceStore('security-group', consistency);
    this.keyPairs = new ResourceStore('key-pair', consistency);
    this.placementGroups = new ResourceStore('placement-group', consistency);
    this.capacityReservations = new ResourceStore('capacity-reservation', consistency);
    this.routeTables = new ResourceStore('route-table', consistency);
    this.replaceRootVolumeTasks = new ResourceStore('replace-root-volume-task', consistency);
  }

  wallMs(atMs: number = this.nowMs): number {
    return Math.round(atMs + this.wallOffsetMs);
  }

  /** `i-` + 17 hex, never the same twice. */
  newId(prefix: string): string {
    const serial = (++this.#names).toString(16).padStart(6, '0').slice(-6);
    return `${prefix}-0${this.random.hex(5)}${serial}`;
  }

  /**
   * Runs `run` after a duration drawn from the table, or at once while seeding. Returns the
   * duration.
   */
  later(call: { readonly instant: boolean }, name: LatencyName, run: (atMs: number, tookMs: number) => void): number {
    const tookMs = call.instant ? 0 : this.latency.sampleMs(name);
    this.laterIn(tookMs, run);
    return tookMs;
  }

  laterIn(tookMs: number, run: (atMs: number, tookMs: number) => void): void {
    this.schedule.at(this.nowMs + tookMs, (atMs) => run(atMs, tookMs));
  }

  transition(
    resourceKind: ResourceKind,
    resourceId: string,
    from: string | null,
    to: string | null,
    scheduledMs: number | null = null,
    detail: Readonly<Record<string, unknown>> = {},
  ): void {
    this.log.transition({
      kind: 'transition',
      atMs: this.nowMs,
      wallMs: this.wallMs(),
      resourceKind,
      resourceId,
      from,
      to,
      scheduledMs,
      detail,
    });
  }

  /** @throws Unavailable while the zone is impaired. */
  requireZone(az: string): void {
    if (this.impairedZones.has(az)) {
      throw new Ec2Error('Unavailable', `The service is unavailable in ${az}. Please try again shortly.`);
    }
  }
}

export const faultOf = (call: Call, kind: Fault['kind']): Fault | undefined =>
  call.faults.find((fault) => fault.kind === kind);
