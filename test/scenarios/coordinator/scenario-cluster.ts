import {
  CloudSim,
  inProcessKms,
  inProcessTransport,
  type LatencyOverrides,
  type SeededInstance,
  seedInstance,
} from '@understudy/cloud-sim';
import {
  type Build,
  Coordinator,
  type CoordinatorConfig,
  CoordinatorConfigSchema,
} from '@understudy/coordinator/testing';
import { createEc2Cloud, kmsOver } from '@understudy/aws';
import type { RecoveryRunner } from '@understudy/recovery';
import {
  type ActivationRecord,
  ActivationRecordSchema,
  type Endpoint,
  type HistoryRecord,
  HistoryRecordSchema,
  type HoldRecord,
  HoldRecordSchema,
  type IntentRecord,
  IntentRecordSchema,
  keyspace,
  type KvEntry,
  type MemberId,
  opIdOf,
  parseRecord,
  type ProbeReport,
  serializeRecord,
  TAG,
} from '@understudy/shared';
import {
  PausableClock,
  RecordingLog,
  SeededRandom,
  SimClock,
  SimDatagramNetwork,
  SimKv,
  type SimKvClient,
  type PolicyChange,
  joinedChanges,
} from '@understudy/shared/testing';
import { expect } from 'vitest';
import { SimAgent } from './sim-agent.ts';

export const KEYS = keyspace();
export const MASTER = new Uint8Array(32).fill(7);
const UDP_PORT = 7946;
const ZONES = ['us-east-1a', 'us-east-1b', 'us-east-1c'];
const WRITTEN = { schemaVersion: 1, writeId: 'test', writtenBy: 'test', writtenAtWallMs: 0 } as const;

export const PASSES: ProbeReport = { host: 'answered', code: 'Passing', httpStatus: null, expiresSoon: false };
/** The kernel answers, the service does not. */
export const REFUSES: ProbeReport = { ...PASSES, code: 'Refused' };
export const TIMES_OUT: ProbeReport = { ...PASSES, host: 'silent', code: 'Timeout' };

export type Transport = ReturnType<typeof inProcessTransport>;

export interface ScenarioClusterOptions {
  readonly seed?: number;
  readonly coordinators?: number;
  readonly policy?: PolicyChange;
  readonly guard?: Partial<CoordinatorConfig['guard']>;
  readonly loop?: Partial<CoordinatorConfig['loop']>;
  readonly latency?: LatencyOverrides;
  readonly runner?: RecoveryRunner;
  /** What stands between every coordinator and EC2. */
  readonly between?: (transport: Transport, clock: SimClock) => Transport;
  /** From a change in etcd to its event; may be another for each coordinator. Default 1. */
  readonly watchLatencyMs?: number | (() => number);
  /** Default 3.5.30. */
  readonly etcdVersions?: readonly string[];
}

export interface Node {
  readonly id: string;
  readonly coordinator: Coordinator;
  readonly clock: PausableClock;
  readonly kv: SimKvClient;
  readonly log: RecordingLog;
  readonly fatal: unknown[];
  stopped: boolean;
}

/**
 * A simulated Region, etcd and network with coordinators and agents on one clock that only moves
 * when told.
 */
export class ScenarioCluster {
  readonly clock = new SimClock();
  readonly kv: SimKv;
  readonly sim: CloudSim;
  readonly network: SimDatagramNetwork;
  readonly nodes: Node[] = [];
  readonly agents = new Map<string, SimAgent>();
  readonly endpoints: readonly Endpoint[];
  readonly #options: ScenarioClusterOptions;
  readonly #random: SeededRandom;
  readonly #instanceAt = new Map<string, string>();
  /**
   * What a service probe of an instance finds, by instance id or `observer>instance id`; the latter
   * counts first. Without an entry: passes while the machine runs, silence after.
   */
  readonly services = new Map<string, ProbeReport>();
  /** Looks at services that were carried out, by instance id. */
  readonly looks = new Map<string, number>();
  /** Instances whose agent never starts. */
  readonly mute = new Set<string>();

  constructor(options: ScenarioClusterOptions = {}) {
    const seed = options.seed ?? 1;
    this.#options = options;
    this.#random = new SeededRandom(seed);
    this.kv = new SimKv({ clock: this.clock });
    this.kv.versions = options.etcdVersions ?? this.kv.versions;
    this.network = new SimDatagramNetwork({ clock: this.clock, random: this.#random });
    this.sim = new CloudSim({ clock: this.clock, seed, ...(options.latency ? { latency: options.latency } : {}) });
    const count = options.coordinators ?? 3;
    this.endpoints = Array.from({ length: count }, (_, index) => ({ address: `10.1.0.${index + 1}`, port: UDP_PORT }));
    this.sim.onEvent(() => this.#followMachines());
  }

  /** Members that have been running for long, each with its agent. */
  seed(member: MemberId, over: Parameters<typeof seedInstance>[1] = {}): SeededInstance {
    const seeded = seedInstance(this.sim, { member, userData: 'x', ...over });
    this.#followMachines();
    return seeded;
  }

  /** An agent runs wherever a member's instance does, and dies with it. */
  #followMachines(): void {
    for (const instance of this.sim.core.region.instances.all()) {
      const runs = instance.state === 'running' && instance.crashedAtMs === null && !this.mute.has(instance.id);
      const agent = this.agents.get(instance.id);
      if (runs && !agent) this.#startAgent(instance.id, instance.tags);
      if (runs || !agent) continue;
      this.agents.delete(instance.id);
      void agent.stop();
    }
  }

  #startAgent(instanceId: string, tags: Readonly<Record<string, string>>): void {
    const group = tags[TAG.group];
    const name = tags[TAG.member];
    if (group === undefined || name === undefined) return;
    const agent = this.#agentOf(instanceId, `${group}/${name}`);
    this.agents.set(instanceId, agent);
    agent.start();
  }

  /** Beside the one that runs there already. */
  startSecondAgent(member: MemberId, instanceId: string): SimAgent {
    const agent = this.#agentOf(instanceId, member);
    agent.start();
    return agent;
  }

  #agentOf(instanceId: string, member: MemberId): SimAgent {
    const address = this.#privateIpOf(instanceId);
    this.#instanceAt.set(address, instanceId);
    return new SimAgent({
      member,
      instanceId,
      master: MASTER,
      socket: this.network.open(address),
      clock: this.clock,
      coordinators: this.endpoints,
    });
  }

  #look(observer: string, address: string): ProbeReport {
    const { instances } = this.sim.core.region;
    const instanceId = this.#instanceAt.get(address) ?? this.#withPrivateIp(address) ?? '';
    this.looks.set(instanceId, (this.looks.get(instanceId) ?? 0) + 1);
    const told = this.services.get(`${observer}>${instanceId}`) ?? this.services.get(instanceId);
    if (told) return told;
    const instance = instances.get(instanceId);
    return instance?.state === 'running' && instance.crashedAtMs === null ? PASSES : TIMES_OUT;
  }

  /** Where EC2 says it is: heartbeats from elsewhere would be named. */
  #privateIpOf(instanceId: string): string {
    const { networkInterfaces } = this.sim.core.region;
    const own = networkInterfaces.all().find((one) => one.attachment?.instanceId === instanceId);
    if (own === undefined) throw new Error(`${instanceId} has no network interface`);
    return own.privateIp;
  }

  #withPrivateIp(address: string): string | undefined {
    const { networkInterfaces } = this.sim.core.region;
    return networkInterfaces.all().find((one) => one.privateIp === address)?.attachment?.instanceId;
  }

  config(index: number): CoordinatorConfig {
    const { policy, guard, loop } = this.#options;
    return CoordinatorConfigSchema.parse({
      id: `c${index + 1}`,
      az: ZONES[index % ZONES.length],
      udp: { host: this.endpoints[index]?.address, port: UDP_PORT },
      etcd: { hosts: ['http://simulated:2379'] },
      keys: [{ id: 1, file: 'unused' }],
      observer: this.endpoints.length === 1 ? { minimumObservers: 1, minimumZones: 1 } : {},
      policy: joinedChanges({ guard: { bootGraceMs: 0 } }, policy),
      ...(guard ? { guard } : {}),
      ...(loop ? { loop } : {}),
    });
  }

  /** Starts coordinator `index` (again), of this build or another. */
  start(index: number, build?: Build): Node {
    const clock = new PausableClock(this.clock);
    const config = this.config(index);
    const { watchLatencyMs = 1 } = this.#options;
    const log = new RecordingLog([], { coordinator: config.id });
    const kv = this.kv.client(`${config.id}-${this.nodes.length}`, {
      clock,
      watchLatencyMs: typeof watchLatencyMs === 'function' ? watchLatencyMs() : watchLatencyMs,
    });
    const fatal: unknown[] = [];
    const direct = inProcessTransport(this.sim, { reader: config.id });
    const transport = this.#options.between?.(direct, this.clock) ?? direct;
    const address = this.endpoints[index]?.address ?? '';
    const coordinator = new Coordinator({
      config,
      masters: new Map([[1, MASTER]]),
      store: kv,
      cloud: createEc2Cloud({
        ...{ transport, clock, callTimeoutMs: config.aws.callTimeoutMs },
        random: new SeededRandom(200 + this.nodes.length),
      }),
      kms: kmsOver({ transport: inProcessKms(this.sim, { reader: config.id }), clock, callTimeoutMs: 2_000 }),
      socket: this.network.open(address, UDP_PORT),
      clock,
      random: new SeededRandom(100 + this.nodes.length),
      log,
      version: 'test',
      httpUrl: `http://${address}:8080`,
      probeService: async (_probe, to, timeoutMs) => {
        const report = this.#look(config.id, to.address);
        await clock.sleep(report.host === 'silent' ? timeoutMs : 1);
        return report;
      },
      onFatal: (error) => fatal.push(error),
      ...(this.#options.runner ? { runner: this.#options.runner } : {}),
      ...(build ? { build } : {}),
    });
    const node: Node = { id: config.id, coordinator, clock, kv, log, fatal, stopped: false };
    this.nodes.push(node);
    coordinator.start();
    return node;
  }

  /** All coordinators up, warm, one of them leading, every member enrolled and heard. */
  async up(): Promise<void> {
    for (const index of this.endpoints.keys()) this.start(index);
    await this.clock.advance(40_000);
    expect(this.leader()).not.toBeNull();
  }

  leader(): Node | null {
    return this.nodes.find((node) => !node.stopped && node.coordinator.leadership.current() !== null) ?? null;
  }

  mustLead(): Node {
    const node = this.leader();
    if (!node) throw new Error('nobody leads');
    return node;
  }

  /** SIGKILL: cut off from everything, silent, for good. */
  kill(node: Node): void {
    node.stopped = true;
    node.clock.pause();
    node.kv.cut();
    this.network.cut('*', this.#addressOf(node));
    this.network.cut(this.#addressOf(node), '*');
  }

  #addressOf(node: Node): string {
    return this.endpoints[Number(node.id.slice(1)) - 1]?.address ?? '';
  }

  async stop(node: Node): Promise<void> {
    node.stopped = true;
    await this.clock.runUntilSettled(node.coordinator.stop(), 60_000);
  }

  /** The guest dies; EC2 goes on saying `running`. */
  crash(instanceId: string): void {
    expect(this.sim.crashInstance(instanceId)).toBe(true);
    this.#followMachines();
    expect(this.agents.has(instanceId)).toBe(false);
  }

  /** Only the agent falls silent; its instance is fine. */
  async silence(instanceId: string): Promise<void> {
    this.mute.add(instanceId);
    this.#followMachines();
    await this.clock.advance(0);
    expect(this.agents.has(instanceId)).toBe(false);
  }

  /** The agent speaks again, as after a long pause of its machine. */
  speak(instanceId: string): void {
    this.mute.delete(instanceId);
    this.#followMachines();
    expect(this.agents.has(instanceId)).toBe(true);
  }

  /**
   * Advances until `fact` holds; throws with `what` when it does not within `limitMs`. Returns how
   * long it took.
   */
  async until(what: string, fact: () => boolean, limitMs = 600_000): Promise<number> {
    const fromMs = this.clock.monotonicMs();
    while (!fact()) {
      if (this.clock.monotonicMs() - fromMs > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
      await this.clock.advance(100);
    }
    return this.clock.monotonicMs() - fromMs;
  }

  put(key: string, record: object | string): void {
    const value = typeof record === 'string' ? record : serializeRecord({ ...record, ...WRITTEN });
    this.kv.apply({ compare: [], writes: [{ kind: 'put', key, value }] });
  }

  remove(key: string): void {
    this.kv.apply({ compare: [], writes: [{ kind: 'delete', key }] });
  }

  pause(scope: string): void {
    this.put(KEYS.pause(scope), { scope, who: 'ann', why: 'maintenance', sinceWallMs: 0, untilWallMs: null });
  }

  #read<T>(key: string, parse: (entry: KvEntry) => T): T | null {
    const entry = this.kv.entries(key).find((one) => one.key === key);
    return entry ? parse(entry) : null;
  }

  activation(member: MemberId): ActivationRecord | null {
    return this.#read(KEYS.activation(member), (e) => parseRecord(ActivationRecordSchema, e.key, e.value));
  }

  intent(member: MemberId): IntentRecord | null {
    return this.#read(KEYS.intent(member), (e) => parseRecord(IntentRecordSchema, e.key, e.value));
  }

  hold(member: MemberId): HoldRecord | null {
    return this.#read(KEYS.hold(member), (e) => parseRecord(HoldRecordSchema, e.key, e.value));
  }

  history(member: MemberId): readonly HistoryRecord[] {
    return this.kv
      .entries(KEYS.historyOf(member))
      .map((entry) => parseRecord(HistoryRecordSchema, entry.key, entry.value));
  }

  launchedFor(oldInstanceId: string): readonly string[] {
    const opId = opIdOf(oldInstanceId);
    const launches = this.sim.log.launches().filter((launch) => launch.tags[TAG.op] === opId);
    return [...new Set(launches.map((launch) => launch.instanceId))];
  }

  get launches(): number {
    return this.sim.log.launches().filter((launch) => launch.tags[TAG.op] !== undefined).length;
  }

  /**
   * The end state of a recovery that got through: one launch, one activation, no intent, no hold,
   * old instance down.
   */
  expectReplaced(member: MemberId, oldInstanceId: string): void {
    const [launched, second] = this.launchedFor(oldInstanceId);
    expect(second).toBeUndefined();
    expect(this.activation(member)).toMatchObject({ instanceId: launched, incarnation: 2 });
    expect(this.history(member)).toMatchObject([{ outcome: 'replaced', oldInstanceId, newInstanceId: launched }]);
    expect(this.hold(member)).toBeNull();
    expect(['stopped', 'terminated']).toContain(this.sim.core.region.instances.get(oldInstanceId)?.state);
  }

  expectHealthy(): void {
    for (const node of this.nodes) expect(node.fatal).toEqual([]);
  }
}
