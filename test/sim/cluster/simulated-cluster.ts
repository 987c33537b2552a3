import { CloudSim, seedInstance } from '@understudy/cloud-sim';
import { CoordinatorConfigSchema } from '@understudy/coordinator/testing';
import {
  ActivationRecordSchema,
  type GroupPolicy,
  ServiceProbeSchema,
  type IntentRecord,
  IntentRecordSchema,
  keyspace,
  type LogFields,
  type MemberId,
  parseRecord,
  type ProbeCode,
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
import { SimKernel } from '../kernel/sim-kernel.ts';
import { CoordinatorHost } from './coordinator-host.ts';
import { Disks } from './disks.ts';
import type { ClusterEvent, ClusterListener } from './cluster-event.ts';
import { speechOf } from './machine.ts';
import { SimulatedMachines } from './simulated-machines.ts';
import { Operators } from './operators.ts';
import { streamOf } from './random-streams.ts';

/** Delay of a datagram between two machines. */
const WITHIN_A_REGION_MS = [0.2, 2] as const;

export interface ClusterShape {
  readonly seed: number;
  readonly members: number;
  readonly coordinators: number;
  /** The group has a service probe. Default false. */
  readonly probes?: boolean;
  /**
   * The group opted into waiting out serve leases, and most of its members keep one. Default: no.
   */
  readonly serveLease?: boolean;
  /**
   * The data volumes of members are encrypted, each member's with a key of its own. Default: where
   * the seed gives the faults.
   */
  readonly encrypted?: boolean;
}

export const GROUP = 'sim';
const UDP_PORT = 7946;
const WRITTEN = { schemaVersion: 1, writeId: 'operator', writtenBy: 'operator', writtenAtWallMs: 0 } as const;

/** Production defaults, but for waits that would make a simulated hour as empty as a real one. */
export const POLICY: PolicyChange = {
  guard: { cooldownMs: 120_000, flapLimit: 50, flapWindowMs: 3_600_000, concurrency: 3 },
  recover: { retainForMs: 600_000, retainCaptureForMs: 600_000, captureTimeoutMs: 3_600_000, verifyTimeoutMs: 180_000 },
};

/**
 * Answers that delay `dead` for a minute: an agent that died alone is still replaced within an
 * episode.
 */
const PROBED: PolicyChange = {
  detect: { serviceProbes: [ServiceProbeSchema.parse({ kind: 'tcp', port: 5_432 })], answeredProbesHoldForMs: 60_000 },
};
/**
 * EC2 gets no longer than the lease takes anyway: the sooner a promise is relied on, the harder it
 * is tested.
 */
const SERVE_LEASE: GroupPolicy['recover']['serveLease'] = {
  stopWithinMs: 60_000,
  requireWatchdog: true,
  fenceAfterMs: 0,
};
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
  readonly masters: ReadonlyMap<number, Uint8Array> = new Map([[1, new Uint8Array(32).fill(7)]]);
  readonly version = 'sim';
  readonly shape: ClusterShape;
  readonly kv: SimKv;
  readonly cloud: CloudSim;
  readonly network: SimDatagramNetwork;
  readonly disks = new Disks();
  readonly machines = new SimulatedMachines(this);
  readonly operators: Operators;
  /** Looks at services, by what they showed. */
  readonly looks: Partial<Record<ProbeCode, number>> = {};
  readonly hosts: readonly CoordinatorHost[];
  readonly members: readonly MemberId[];
  /** `address:port` of the coordinators, as agents are configured with. */
  readonly endpoints: readonly string[];
  /** Per address an instance that is none of ours, where a person may put it for a while. */
  readonly #bystanders = new Map<string, string>();
  readonly #speech = new Map<MemberId, ReturnType<typeof speechOf>>();
  readonly #keysOf = new Map<MemberId, string>();
  readonly #addresses = new Map<MemberId, string>();
  readonly #listeners: ClusterListener[] = [];
  readonly #healthListeners: (() => void)[] = [];

  constructor(shape: ClusterShape) {
    this.shape = shape;
    this.kv = new SimKv({ clock: this.kernel });
    this.network = new SimDatagramNetwork({
      ...{ clock: this.kernel, random: this.streamOf('network') },
      usualDelayMs: WITHIN_A_REGION_MS,
    });
    this.cloud = new CloudSim({ clock: this.kernel, seed: shape.seed, random: this.streamOf('cloud') });
    this.operators = new Operators(this);
    const addresses = Array.from({ length: shape.coordinators }, (_, index) => `10.1.0.${index + 1}`);
    this.endpoints = addresses.map((address) => `${address}:${UDP_PORT}`);
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
    const az = zones[index % zones.length] ?? '';
    const placements = zones.map((zone) => ({ subnetId: defaultResources.subnets[zone] ?? '' }));
    const config = CoordinatorConfigSchema.parse({
      id: `c${index + 1}`,
      az,
      udp: { host: address, port: UDP_PORT },
      etcd: { hosts: ['http://simulated:2379'] },
      keys: [{ id: 1, file: 'unused' }],
      observer: this.shape.coordinators === 1 ? { minimumObservers: 1, minimumZones: 1 } : {},
      policy: joinedChanges(POLICY, this.shape.probes === true ? PROBED : {}, {
        recover: { placements, serveLease: this.shape.serveLease ? SERVE_LEASE : null },
      }),
    });
    return new CoordinatorHost(this, config.id, az, address, config);
  }

  /**
   * Members that have been running for long, one after the other in the zones, and the
   * coordinators.
   */
  begin(): void {
    for (const [index, member] of this.members.entries()) {
      const az = this.cloud.zones[index % this.cloud.zones.length] ?? '';
      const { allocationId } = seedInstance(this.cloud, {
        member,
        az,
        elasticIp: index % 2 === 0,
        dataVolumes: index % 3 === 0 ? [{ deviceName: '/dev/sdf', sizeGiB: 8, ...this.#encryption(member) }] : [],
        userData: `member: ${member}`,
      });
      if (allocationId === null) continue;
      this.#addresses.set(member, allocationId);
      this.#bystanders.set(allocationId, seedInstance(this.cloud, { az }).instanceId);
    }
    this.machines.settled = true;
    for (const host of this.hosts) host.start();
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
    const key = this.keys.activation(member);
    const entry = this.kv.state.get(key);
    return entry ? parseRecord(ActivationRecordSchema, key, entry.value).instanceId : null;
  }

  /** The plan of the recovery that is open for the member. Null: none is. */
  openPlanOf(member: MemberId): RecoveryPlan | null {
    return this.intentOf(member)?.plan ?? null;
  }

  /** The recovery that is open has put its replacement in charge: what is left of it are chores. */
  isActivatedBy(intent: IntentRecord): boolean {
    const key = this.keys.activation(intent.member);
    const entry = this.kv.state.get(key);
    return entry !== null && parseRecord(ActivationRecordSchema, key, entry.value).opId === intent.opId;
  }

  intentOf(member: MemberId): IntentRecord | null {
    const entry = this.kv.state.get(this.keys.intent(member));
    return entry ? parseRecord(IntentRecordSchema, entry.key, entry.value) : null;
  }

  /** The powered instance its open recovery has launched; null: none. */
  replacementOf(member: MemberId): string | null {
    const opId = this.intentOf(member)?.opId ?? null;
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

  put(key: string, record: object): void {
    this.kv.apply({ compare: [], writes: [{ kind: 'put', key, value: serializeRecord({ ...record, ...WRITTEN }) }] });
  }

  remove(key: string): void {
    this.kv.apply({ compare: [], writes: [{ kind: 'delete', key }] });
  }
}
