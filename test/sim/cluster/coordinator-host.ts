import { type Ec2Transport, inProcessKms, inProcessService, inProcessTransport } from '@understudy/cloud-sim';
import {
  type Build,
  Coordinator,
  type CoordinatorConfig,
  type SendNotice,
  signersFor,
} from '@understudy/coordinator/testing';
import {
  createEc2Cloud,
  dnsRecordsOver,
  ServiceLimiters,
  kmsOver,
  messageQueueOver,
  targetGroupsOver,
} from '@understudy/aws';
import type { RecoveryRunner } from '@understudy/recovery';
import {
  type Keyspace,
  type KvTxn,
  type Log,
  OpinionRecordSchema,
  parseRecord,
  type RunHook,
} from '@understudy/shared';
import type { NetworkNode, SimKvClient } from '@understudy/shared/testing';
import { ProcessClock } from '../kernel/process-clock.ts';
import { CHECKSUM_TAGS } from './checksum-tags.ts';
import { hooksOnInstances } from './instance-commands.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';
import { simulatedHooks } from './simulated-hooks.ts';
import { simulatedInventory } from './simulated-inventory.ts';
import { lookAtService } from './service-look.ts';
import { PausePoints } from './pause-points.ts';
import { ProcessSocket } from './process-socket.ts';
import { ProcessStore } from './process-store.ts';
import { ForwardedLog } from './forwarded-log.ts';

const UDP_PORT = 7946;
/** One way to etcd and back. */
const STORE_LATENCY_MS = 1;
const WATCH_LATENCY_MS = 2;

/** What one life of a coordinator process has otherwise than the next. */
export interface LifeOptions {
  /**
   * It runs under the id of another coordinator, as when its configuration was copied and not
   * corrected. Default: its own.
   */
  readonly id?: string;
  /** Default: the build under test. */
  readonly build?: Build | undefined;
  readonly runner?: RecoveryRunner | undefined;
  /** What stands between it and EC2. Default: nothing. */
  readonly between?: ((transport: Ec2Transport) => Ec2Transport) | undefined;
  /** From a change in etcd to its event. Default 2. */
  readonly watchLatencyMs?: number;
  /** Default: every line but debug is told to the cluster. */
  readonly log?: Log;
}

/** One life of a coordinator process: from its start to its crash or its stop. */
export interface Life {
  readonly clock: ProcessClock;
  readonly coordinator: Coordinator;
  readonly client: SimKvClient;
  readonly socket: ProcessSocket;
  readonly points: PausePoints;
  readonly startedAtMs: number;
  /** Errors that a production process ends on. */
  readonly fatal: readonly unknown[];
}

type LifeParts = Pick<Life, 'clock' | 'client' | 'points' | 'socket'> & { readonly fatal: unknown[] };

/**
 * A machine that runs a coordinator, and starts it again when told. What it is made of is
 * production code but for the ports.
 */
export class CoordinatorHost {
  readonly id: string;
  readonly node: NetworkNode;
  readonly config: CoordinatorConfig;
  readonly #cluster: SimulatedCluster;
  #life: Life | null = null;
  #lives = 0;
  /** Told that another process has its id, over all its lives. */
  #timesIdTaken = 0;
  #cutFromStore = new Map<string, 'both' | 'requests' | 'replies'>();
  #storeLatencyMs = STORE_LATENCY_MS;
  #rate = 1;
  #wallStepMs = 0;

  constructor(cluster: SimulatedCluster, id: string, az: string, address: string, config: CoordinatorConfig) {
    this.#cluster = cluster;
    this.id = id;
    this.config = config;
    this.node = { name: id, role: 'coordinator', az, address };
  }

  get isUp(): boolean {
    return this.#life !== null;
  }

  get isPaused(): boolean {
    return this.#life?.clock.isPaused ?? false;
  }

  /** Up, not paused. */
  get runs(): boolean {
    return this.isUp && !this.isPaused;
  }

  get life(): Life | null {
    return this.#life;
  }

  /** Believes it leads, or would if it ran. */
  get leads(): boolean {
    return (this.#life?.coordinator.leadership.current() ?? null) !== null;
  }

  get timesIdTaken(): number {
    return this.#timesIdTaken;
  }

  /** Does nothing while it is up. Returns the life it has then. */
  start(options: LifeOptions = {}): Life {
    if (this.#life) return this.#life;
    const { kernel, kv, network } = this.#cluster;
    this.#lives += 1;
    const clock = new ProcessClock(kernel);
    clock.setRate(this.#rate);
    clock.stepWall(this.#wallStepMs);
    const name = `${this.id}.${this.#lives}`;
    const { watchLatencyMs = WATCH_LATENCY_MS } = options;
    const client = kv.client(name, { clock, watchLatencyMs, latencyMs: this.#storeLatencyMs });
    const points = new PausePoints(clock, (forMs) => this.pauseFor(forMs));
    const socket = new ProcessSocket(network.open(this.node, UDP_PORT), clock);
    const parts: LifeParts = { clock, client, points, socket, fatal: [] };
    const coordinator = this.#make(name, options, parts);
    const life = { ...parts, coordinator, startedAtMs: kernel.monotonicMs() };
    this.#life = life;
    this.#applyStoreCut();
    this.#cluster.tell({ kind: 'process', who: this.id, what: 'started' });
    coordinator.start();
    return life;
  }

  #make(name: string, options: LifeOptions, parts: LifeParts): Coordinator {
    const { masters, keys, version } = this.#cluster;
    const { clock, client, points, socket, fatal } = parts;
    const { id = this.id, build, runner } = options;
    const { callTimeoutMs, rates } = this.config.aws;
    const limiters = new ServiceLimiters({ clock, ...rates });
    return new Coordinator({
      config: { ...this.config, id },
      masters,
      store: new ProcessStore(client, points, (txn) => this.#noteSent(keys, txn)),
      cloud: createEc2Cloud({
        transport: this.#transport(name, options, parts),
        ...{ clock, callTimeoutMs, random: this.#cluster.streamOf(`${name}-reads`) },
        limiter: limiters.of('ec2'),
      }),
      ...this.#names(name, clock, points, limiters),
      ...this.#events(name, clock, points),
      ...this.#inventory(name, options, parts, limiters),
      runHook: this.#runHook(name, clock, points),
      kms: kmsOver({ transport: this.#kms(name, clock, points), clock, callTimeoutMs: 2_000 }),
      socket,
      clock,
      random: this.#cluster.streamOf(name),
      log: options.log ?? this.#forwardedLog(),
      version,
      ...(this.#cluster.parts.signs === 'hmac' ? {} : { tags: CHECKSUM_TAGS }),
      httpUrl: `http://${this.node.address}:8080`,
      probeService: (_probe, to, timeoutMs) => lookAtService(this.#cluster, this.node, clock, { to, timeoutMs }),
      readDrops: () => Promise.resolve(socket.droppedCount),
      onFatal: (error) => {
        fatal.push(error);
        this.#cluster.tell({ kind: 'fatal', coordinatorId: this.id, error });
      },
      ...(runner ? { runner } : {}),
      ...(build ? { build } : {}),
      ...this.#sendNotice(parts),
      ...this.#enrolment(),
    });
  }

  #enrolment() {
    const { parts, shape, cloud } = this.#cluster;
    if (parts.enrols !== true && shape.enrols !== true) return {};
    const signers = signersFor(cloud.region, { text: cloud.identity.certificate(), file: 'cloud-sim' });
    return { enrolment: { region: cloud.region, accounts: ['123456789012'], signers } };
  }

  /** A notice leaves when the process runs, and its answer arrives when it runs. */
  #sendNotice({ clock, points }: LifeParts): { readonly sendNotice?: SendNotice } {
    const { sendNotice: send } = this.#cluster.parts;
    return send ? { sendNotice: (...all) => clock.arrival(points.pass('notice', () => send(...all))) } : {};
  }

  #forwardedLog(): Log {
    return new ForwardedLog((level, event, fields) => {
      if (event === 'presence.waiting') this.#timesIdTaken += 1;
      this.#cluster.logged(this.id, level, event, fields);
    });
  }

  /**
   * A request leaves when the process runs; its reply arrives when the process runs. In between it
   * is on its way, whatever becomes of the process.
   */
  #transport(reader: string, { between }: LifeOptions, { clock, points }: LifeParts): Ec2Transport {
    const direct = inProcessTransport(this.#cluster.cloud, { reader, userAgent: `understudy/1 ${reader}` });
    const send = between?.(direct) ?? direct;
    return (action, input, options) =>
      clock.arrival(points.pass(`ec2.${action}`, () => send(action, input, options ?? {})));
  }

  /** Route 53 and load balancing, where members have anything there. */
  #names(reader: string, clock: ProcessClock, points: PausePoints, limiters: ServiceLimiters) {
    if (this.#cluster.shape.identities !== true) return {};
    const { callTimeoutMs } = this.config.aws;
    const transport = (service: 'route53' | 'elasticloadbalancing'): Ec2Transport => {
      const send = inProcessService(this.#cluster.cloud, service, { reader });
      return (action, input, options) =>
        clock.arrival(points.pass(`${service}.${action}`, () => send(action, input, options ?? {})));
    };
    return {
      dns: dnsRecordsOver({
        ...{ transport: transport('route53'), clock, callTimeoutMs, limiter: limiters.of('route53') },
      }),
      targetGroups: targetGroupsOver({
        ...{ transport: transport('elasticloadbalancing'), clock, callTimeoutMs, limiter: limiters.of('elbv2') },
      }),
    };
  }

  /** The queue of events, where there is one. */
  #events(reader: string, clock: ProcessClock, points: PausePoints) {
    const { queueUrl } = this.config.events;
    if (queueUrl === undefined) return {};
    const send = inProcessService(this.#cluster.cloud, 'sqs', { reader });
    const transport: Ec2Transport = (action, input, options) =>
      clock.arrival(points.pass(`sqs.${action}`, () => send(action, input, options ?? {})));
    return {
      eventQueue: messageQueueOver({ transport, clock, callTimeoutMs: this.config.aws.callTimeoutMs, queueUrl }),
    };
  }

  #runHook(name: string, clock: ProcessClock, points: PausePoints): RunHook {
    const programs = simulatedHooks(this.#cluster, name, clock);
    const isElsewhere = this.#cluster.shape.commands === true;
    return isElsewhere ? hooksOnInstances(this.#cluster, programs, { name, clock, points }) : programs;
  }

  /** An inventory history, where one is kept. */
  #inventory(name: string, options: LifeOptions, parts: LifeParts, limiters: ServiceLimiters) {
    const { inventory } = this.#cluster;
    if (inventory === null) return {};
    const ec2 = this.#transport(name, options, parts);
    const { callTimeoutMs } = this.config.aws;
    const random = this.#cluster.streamOf(`${name}-crawls`);
    const how = { ...parts, name, limiters, random, callTimeoutMs, ec2 };
    return { inventory: simulatedInventory(this.#cluster, inventory, how) };
  }

  #kms(reader: string, clock: ProcessClock, points: PausePoints): Ec2Transport {
    const send = inProcessKms(this.#cluster.cloud, { reader });
    return (action, input, options) =>
      clock.arrival(points.pass(`kms.${action}`, () => send(action, input, options ?? {})));
  }

  /** A rehearsed write holds no record, and is no opinion. */
  #noteSent(keys: Keyspace, txn: KvTxn): void {
    for (const write of txn.writes) {
      if (write.kind !== 'put' || write.value === '' || !write.key.startsWith(keys.opinions)) continue;
      const { member, verdict } = parseRecord(OpinionRecordSchema, write.key, write.value);
      this.#cluster.tell({ kind: 'opinion-sent', coordinatorId: this.id, member, verdict });
    }
  }

  /** SIGKILL. */
  crash(): void {
    if (this.#end()) this.#cluster.tell({ kind: 'process', who: this.id, what: 'crashed' });
  }

  /** SIGTERM: it gives back what it holds, for as long as `limitMs` at most. */
  async stop(limitMs: number): Promise<void> {
    if (!this.#life) return;
    await this.#cluster.kernel.runUntilSettled(this.#life.coordinator.stop(), limitMs);
    this.#end();
    this.#cluster.tell({ kind: 'process', who: this.id, what: 'stopped' });
  }

  /** False: it was not up. */
  #end(): boolean {
    const life = this.#life;
    if (!life) return false;
    this.#life = null;
    life.clock.end();
    void life.socket.close();
    void life.client.close();
    return true;
  }

  pause(): void {
    if (!this.#life || this.#life.clock.isPaused) return;
    this.#life.clock.pause();
    this.#cluster.tell({ kind: 'process', who: this.id, what: 'paused' });
  }

  resume(): void {
    if (!this.#life?.clock.isPaused) return;
    this.#life.clock.resume();
    this.#cluster.tell({ kind: 'process', who: this.id, what: 'resumed' });
  }

  pauseFor(forMs: number): void {
    this.pause();
    const paused = this.#life;
    this.#cluster.kernel.setTimer(forMs, () => {
      if (this.#life === paused) this.resume();
    });
  }

  /** Survives restarts until {@link reachStore} with the same reason. */
  cutFromStore(reason: string, direction: 'both' | 'requests' | 'replies'): void {
    this.#cutFromStore.set(reason, direction);
    this.#applyStoreCut();
  }

  reachStore(reason: string): void {
    this.#cutFromStore.delete(reason);
    this.#applyStoreCut();
  }

  #applyStoreCut(): void {
    const directions = [...this.#cutFromStore.values()];
    const [first] = directions;
    if (first === undefined) this.#life?.client.heal();
    else this.#life?.client.cut(directions.length > 1 ? 'both' : first);
  }

  slowStore(latencyMs: number | null): void {
    this.#storeLatencyMs = latencyMs ?? STORE_LATENCY_MS;
    this.#life?.client.slowTo(this.#storeLatencyMs);
  }

  /** How fast its clocks run. */
  get rate(): number {
    return this.#rate;
  }

  setRate(rate: number): void {
    this.#rate = rate;
    this.#life?.clock.setRate(rate);
  }

  /** What NTP does when it is allowed to. */
  correctWall(): void {
    this.stepWall(-this.#wallStepMs);
  }

  stepWall(byMs: number): void {
    this.#wallStepMs += byMs;
    this.#life?.clock.stepWall(byMs);
  }
}
