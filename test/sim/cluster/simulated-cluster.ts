import { CloudSim, type LatencyOverrides, seedInstance, type SimQueue } from '@understudy/cloud-sim';
import { type CoordinatorConfig, CoordinatorConfigSchema, type SendNotice } from '@understudy/coordinator/testing';
import { SqliteSql } from '@understudy/inventory';
import {
  type Endpoint,
  type IntentRecord,
  keyspace,
  type LogFields,
  type MemberId,
  type ProbeCode,
  type ProbeReport,
  type RecoveryPlan,
  serializeRecord,
  TAG,
} from '@understudy/shared';
import {
  joinedChanges,
  type PolicyChange,
  type SeededRandom,
  SimDatagramNetwork,
  SimKv,
} from '@understudy/shared/testing';
import type * as z from 'zod';
import { SimKernel } from '../kernel/sim-kernel.ts';
import { CarriedIdentities } from './carried-identities.ts';
import { CoordinatorHost } from './coordinator-host.ts';
import { InstanceCommands } from './instance-commands.ts';
import { Disks } from './disks.ts';
import { EnrolmentWire } from './enrolment-wire.ts';
import type { ClusterEvent, ClusterListener } from './cluster-event.ts';
import { speechOf } from './machine.ts';
import { SimulatedMachines } from './simulated-machines.ts';
import { simulationPolicy } from './simulation-policy.ts';
import { backUp, shareVolumes } from './shared-volumes.ts';
import { hookPolicy } from './simulated-hooks.ts';
import { Replayer } from './replayer.ts';
import { StoredRecords } from './stored-records.ts';
import { Operators } from './operators.ts';
import { streamOf } from './random-streams.ts';
import type { World } from './world.ts';
import { makeEventQueue, makeUnruly } from './told-events.ts';

/** Delay of a datagram between two machines. */
const WITHIN_A_REGION_MS = [0.2, 2] as const;

export interface ClusterShape {
  readonly seed: number;
  readonly members: number;
  readonly coordinators: number;
  /** The group has a service probe. Default false. */
  readonly probes?: boolean;
  /** The group has the default ladder. Default: it is replaced from snapshots. */
  readonly ladder?: boolean;
  /**
   * The group opted into waiting out serve leases, and most of its members keep one. Default: no.
   */
  readonly serveLease?: boolean;
  /**
   * The data volumes of members are encrypted, each member's with a key of its own. Default: where
   * the seed gives the faults.
   */
  readonly encrypted?: boolean;
  /** The disks of members move to their replacements where they can. Default: they are copied. */
  readonly reattach?: boolean;
  /** How members come back, in place of `ladder` and `reattach`. Default: what those say. */
  readonly way?: World['way'];
  /** Some members share a Multi-Attach volume with somebody. Default: where that is the way. */
  readonly shared?: boolean;
  /** Default: none but the own type, in every zone. */
  readonly places?: World['places'];
  /** Default: nothing. */
  readonly prepare?: World['prepare'];
  /** Something is made at EC2 for a suspect. Default: no. */
  readonly makes?: boolean;
  /** The primary private address follows. Default: no. */
  readonly follows?: boolean;
  /**
   * Members have records, registrations, secondary addresses and further interfaces, and the group
   * has hooks. Default: where the seed gives the faults.
   */
  readonly identities?: boolean;
  /** Whether events of EC2 come through a queue, and how. Default: they do not. */
  readonly events?: World['events'];
  /** Every second member comes without a key, and enrols. Default: none does. */
  readonly enrols?: boolean;
  /** The coordinators keep an inventory history in one database. Default: they keep none. */
  readonly inventory?: boolean;
  /** With `identities`: some of the group's hooks run on instances. Default: on coordinators. */
  readonly commands?: boolean;
}

/** What a test may want otherwise than the simulation does, whose choices are the defaults. */
export interface ClusterParts {
  /**
   * `scripted`: heartbeats say what the test wants them to, and come from the instance's private
   * address. The workload serves for as long as its machine runs. Default `production`: the agent
   * of packages/agent.
   */
  readonly agents?: 'production' | 'scripted';
  /** How agents and coordinators sign. Default `checksum`, which is twenty times faster. */
  readonly signs?: 'checksum' | 'hmac';
  /** In place of {@link simulationPolicy}. */
  readonly policy?: PolicyChange | undefined;
  readonly guard?: Partial<CoordinatorConfig['guard']> | undefined;
  readonly loop?: Partial<CoordinatorConfig['loop']> | undefined;
  /** How much of EC2's rates is used. */
  readonly rates?: Partial<CoordinatorConfig['aws']['rates']> | undefined;
  /** Who is told of changes. Default: nobody. */
  readonly notify?: z.input<typeof CoordinatorConfigSchema>['notify'];
  readonly sendNotice?: SendNotice;
  /** Events of EC2 come through a queue. Default: they do not. */
  readonly events?: Partial<CoordinatorConfig['events']> | undefined;
  /** Agents get keys for their instance's identity. Default: they do not. */
  readonly enrols?: boolean;
  /** EC2's delays. Default: cloud-sim's own. */
  readonly latency?: LatencyOverrides | undefined;
}

export const GROUP = 'sim';
const UDP_PORT = 7946;
const WRITTEN = { schemaVersion: 1, writeId: 'operator', writtenBy: 'operator', writtenAtWallMs: 0 } as const;

/** Every so manieth member keeps no lease: nobody may count on one there. */
const WITHOUT_LEASE = 4;

/** Replaced while nobody could stop it: whoever sees that stops it. */
const isRetiredAndRuns = (instance: { readonly state: string; readonly tags: Readonly<Record<string, string>> }) =>
  instance.state === 'running' && instance.tags[TAG.retiredBy] !== undefined;

/**
 * A Region, an etcd and a network with coordinators and machines, on one time that jumps. Whatever
 * happens is told to the listeners.
 */
export class SimulatedCluster {
  readonly kernel = new SimKernel();
  readonly keys = keyspace();
  /** The cluster has one master key, with id 1. */
  readonly master = new Uint8Array(32).fill(7);
  readonly masters: ReadonlyMap<number, Uint8Array> = new Map([[1, this.master]]);
  readonly version = 'sim';
  readonly shape: ClusterShape;
  readonly parts: ClusterParts;
  readonly kv: SimKv;
  readonly records: StoredRecords;
  readonly cloud: CloudSim;
  readonly network: SimDatagramNetwork;
  readonly disks = new Disks();
  readonly machines = new SimulatedMachines(this);
  readonly operators: Operators;
  /** Null: events are off. */
  readonly eventQueue: SimQueue | null;
  /** Null: no inventory history is kept. */
  readonly inventory: SqliteSql | null;
  readonly identities: CarriedIdentities;
  /** Null: no member enrols. */
  readonly enrolment: EnrolmentWire | null;
  readonly replayer: Replayer | null;
  /** Looks at services, by what they showed. */
  readonly looks: Partial<Record<ProbeCode, number>> = {};
  /** Looks at services, by instance id. */
  readonly looksAt = new Map<string, number>();
  /**
   * What a look at a service finds whatever its machine does, by instance id or by
   * `observer>instance id`; the latter counts first.
   */
  readonly services = new Map<string, ProbeReport>();
  readonly hosts: readonly CoordinatorHost[];
  readonly members: readonly MemberId[];
  /** The coordinators, as agents are configured with them. */
  readonly endpoints: readonly Endpoint[];
  /** Per address an instance that is none of ours, where a person may put it for a while. */
  readonly #bystanders = new Map<string, string>();
  readonly #speech = new Map<MemberId, ReturnType<typeof speechOf>>();
  readonly #keysOf = new Map<MemberId, string>();
  readonly #addresses = new Map<MemberId, string>();
  readonly #listeners: ClusterListener[] = [];
  readonly #healthListeners: (() => void)[] = [];

  constructor(shape: ClusterShape, parts: ClusterParts = {}) {
    this.shape = shape;
    this.parts = parts;
    this.kv = new SimKv({ clock: this.kernel });
    this.records = new StoredRecords(this.kv, this.keys);
    this.network = new SimDatagramNetwork({
      ...{ clock: this.kernel, random: this.streamOf('network') },
      usualDelayMs: WITHIN_A_REGION_MS,
    });
    this.cloud = new CloudSim({
      ...{ clock: this.kernel, seed: shape.seed, random: this.streamOf('cloud') },
      ...(parts.latency ? { latency: parts.latency } : {}),
    });
    this.eventQueue =
      parts.events === undefined && (shape.events ?? 'off') === 'off' ? null : makeEventQueue(this.cloud);
    this.inventory = shape.inventory === true ? SqliteSql.open(':memory:') : null;
    this.identities = new CarriedIdentities(this.cloud, shape.identities === true);
    this.operators = new Operators(this);
    this.enrolment = shape.enrols === true ? new EnrolmentWire(this) : null;
    this.replayer = this.enrolment && new Replayer(this, this.enrolment);
    const addresses = Array.from({ length: shape.coordinators }, (_, index) => `10.1.0.${index + 1}`);
    this.endpoints = addresses.map((address) => ({ address, port: UDP_PORT }));
    this.hosts = addresses.map((address, index) => this.#makeHost(address, index));
    this.members = Array.from({ length: shape.members }, (_, index) => `${GROUP}/m${index + 1}` as const);
    this.kv.onCommit((commit) => this.tell({ kind: 'commit', commit }));
    this.cloud.onEvent((event) => {
      this.disks.onEvent(event);
      this.tell({ kind: 'cloud', event });
      this.machines.onEvent(event);
    });
  }

  #makeHost(address: string, index: number): CoordinatorHost {
    const { zones, defaultResources } = this.cloud;
    const { policy, guard, loop, notify, rates, events } = this.parts;
    const az = zones[index % zones.length] ?? '';
    const placements = zones.map((zone) => ({ subnetId: defaultResources.subnets[zone] ?? '' }));
    const config = CoordinatorConfigSchema.parse({
      id: `c${index + 1}`,
      az,
      udp: { host: address, port: UDP_PORT },
      etcd: { hosts: ['http://simulated:2379'] },
      keys: [{ id: 1, file: 'unused' }],
      observer: this.shape.coordinators === 1 ? { minimumObservers: 1, minimumZones: 1 } : {},
      policy:
        policy ??
        joinedChanges(simulationPolicy(this.shape, placements), this.identities.policy, hookPolicy(this.shape)),
      ...(guard ? { guard } : {}),
      ...(loop ? { loop } : {}),
      ...(this.eventQueue ? { events: { ...events, queueUrl: this.eventQueue.url } } : {}),
      ...(rates ? { aws: { rates } } : {}),
      ...(notify ? { notify } : {}),
    });
    return new CoordinatorHost(this, config.id, az, address, config);
  }

  /**
   * Members that have been running for long, one after the other in the zones, and the
   * coordinators.
   */
  begin(): void {
    const instanceIds: string[] = [];
    for (const [index, member] of this.members.entries()) {
      const az = this.cloud.zones[index % this.cloud.zones.length] ?? '';
      const seeded = seedInstance(this.cloud, {
        member,
        az,
        elasticIp: index % 2 === 0,
        dataVolumes: index % 3 === 0 ? [{ deviceName: '/dev/sdf', sizeGiB: 8, ...this.#encryption(member) }] : [],
        userData: `member: ${member}`,
      });
      instanceIds.push(seeded.instanceId);
      this.identities.give(member, index, seeded);
      const { allocationId } = seeded;
      if (allocationId === null) continue;
      this.#addresses.set(member, allocationId);
      this.#bystanders.set(allocationId, seedInstance(this.cloud, { az }).instanceId);
    }
    if (this.shape.shared ?? this.shape.way === 'shared')
      shareVolumes({ ...this, activeInstanceOf: (member) => this.activeInstanceOf(member) });
    if (this.shape.way === 'older') backUp(this, instanceIds);
    this.machines.settled = true;
    if (this.shape.commands === true) new InstanceCommands(this);
    if (this.shape.events) makeUnruly(this, this.shape.events);
    for (const host of this.hosts) host.start();
    this.replayer?.begin();
  }

  /** It comes without a key. */
  enrols(member: MemberId): boolean {
    return this.enrolment !== null && Number(member.slice(GROUP.length + 2)) % 2 === 0;
  }

  #encryption(member: MemberId): { readonly kmsKeyId?: string } {
    if (this.shape.encrypted !== true) return {};
    const { arn } = this.cloud.createKmsKey();
    this.#keysOf.set(member, arn);
    return { kmsKeyId: arn };
  }

  /** The key of its data volume. Null: it has none, or that is not encrypted. */
  keyOf(member: MemberId): string | null {
    return this.#keysOf.get(member) ?? null;
  }

  streamOf(name: string): SeededRandom {
    return streamOf(this.shape.seed, name);
  }

  keepsLease(member: MemberId): boolean {
    return this.shape.serveLease === true && Number(member.slice(GROUP.length + 2)) % WITHOUT_LEASE !== 0;
  }

  speechOf(member: MemberId): ReturnType<typeof speechOf> {
    const known = this.#speech.get(member) ?? speechOf(this, member);
    this.#speech.set(member, known);
    return known;
  }

  // What is seen from outside
  // ------------------------------------------------------------------------------------------------------

  listen(listener: ClusterListener): void {
    this.#listeners.push(listener);
  }

  tell(clusterEvent: ClusterEvent): void {
    const nowMs = this.kernel.monotonicMs();
    for (const listener of this.#listeners) listener(clusterEvent, nowMs);
  }

  logged(who: string, level: string, event: string, _fields: LogFields): void {
    this.tell({ kind: 'log', who, level, event });
  }

  onHealthChange(listener: () => void): void {
    this.#healthListeners.push(listener);
  }

  /** A machine, an agent or a path between machines is better or worse than before. */
  healthChanged(): void {
    for (const listener of this.#healthListeners) listener();
  }

  /** As etcd says it; null before enrolment. */
  activeInstanceOf(member: MemberId): string | null {
    return this.records.activation(member)?.instanceId ?? null;
  }

  /** The plan of the recovery that is open for the member. Null: none is. */
  openPlanOf(member: MemberId): RecoveryPlan | null {
    return this.records.intent(member)?.plan ?? null;
  }

  /** The recovery that is open has put its replacement in charge: what is left of it are chores. */
  isActivatedBy(intent: IntentRecord): boolean {
    return this.records.activation(intent.member)?.opId === intent.opId;
  }

  /** The powered instance its open recovery has launched; null: none. */
  replacementOf(member: MemberId): string | null {
    const opId = this.records.intent(member)?.opId ?? null;
    const launched = this.cloud.core.region.instances.all().filter((one) => one.tags[TAG.op] === opId);
    return launched.find((one) => this.machines.of(one.id))?.id ?? null;
  }

  addressOf(member: MemberId): string | null {
    return this.#addresses.get(member) ?? null;
  }

  bystanderOf(allocationId: string): string {
    return this.#bystanders.get(allocationId) ?? '';
  }

  /** False once it was released. */
  addressExists(allocationId: string): boolean {
    return this.cloud.core.region.addresses.get(allocationId) !== undefined;
  }

  /** The instance an address leads to; null: none. */
  holderOf(allocationId: string): string | null {
    const { addresses, networkInterfaces } = this.cloud.core.region;
    const interfaceId = addresses.get(allocationId)?.networkInterfaceId;
    return interfaceId ? (networkInterfaces.get(interfaceId)?.attachment?.instanceId ?? null) : null;
  }

  /**
   * What no single fault undoes: everything that can run runs, nothing stands in the way of
   * anything.
   */
  heal(): void {
    this.cloud.clearFaults();
    this.machines.forgiveSpoiled();
    for (const instance of this.cloud.core.region.instances.all())
      if ((instance.state === 'stopping' && instance.stuck) || isRetiredAndRuns(instance))
        this.operators.forceStop(instance.id);
    for (const host of this.hosts) {
      host.life?.points.disarm();
      host.correctWall();
      host.resume();
      host.start();
    }
    for (const machine of this.machines.all) {
      machine.resume();
      machine.startAgent();
    }
  }

  // What an operator does with etcdctl
  // --------------------------------------------------------------------------------------------

  /** A text is written as it is. */
  put(key: string, record: object | string): void {
    const value = typeof record === 'string' ? record : serializeRecord({ ...record, ...WRITTEN });
    this.kv.apply({ compare: [], writes: [{ kind: 'put', key, value }] });
  }

  remove(key: string): void {
    this.kv.apply({ compare: [], writes: [{ kind: 'delete', key }] });
  }
}
