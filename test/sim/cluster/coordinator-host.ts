import { type Ec2Transport, inProcessKms, inProcessTransport } from '@understudy/cloud-sim';
import { Coordinator, type CoordinatorConfig } from '@understudy/coordinator/testing';
import { createEc2Cloud, kmsOver } from '@understudy/aws';
import { type Keyspace, type KvTxn, OpinionRecordSchema, parseRecord } from '@understudy/shared';
import type { NetworkNode, SimKvClient } from '@understudy/shared/testing';
import { ProcessClock } from '../kernel/process-clock.ts';
import { CHECKSUM_TAGS } from './checksum-tags.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';
import { lookAtService } from './service-look.ts';
import { PausePoints } from './pause-points.ts';
import { ProcessSocket } from './process-socket.ts';
import { ProcessStore } from './process-store.ts';
import { ForwardedLog } from './forwarded-log.ts';

const UDP_PORT = 7946;
/** One way to etcd and back. */
const STORE_LATENCY_MS = 1;

/** One life of a coordinator process: from its start to its crash. */
interface Life {
  readonly clock: ProcessClock;
  readonly coordinator: Coordinator;
  readonly client: SimKvClient;
  readonly socket: ProcessSocket;
  readonly points: PausePoints;
  readonly startedAtMs: number;
}

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

  /**
   * `id`: of another coordinator, as when its configuration was copied and not corrected. Default:
   * its own.
   */
  start(id = this.id): void {
    if (this.#life) return;
    const { kernel, kv, network } = this.#cluster;
    this.#lives += 1;
    const clock = new ProcessClock(kernel);
    clock.setRate(this.#rate);
    clock.stepWall(this.#wallStepMs);
    const name = `${this.id}.${this.#lives}`;
    const client = kv.client(name, { clock, watchLatencyMs: 2, latencyMs: this.#storeLatencyMs });
    const points = new PausePoints(clock, (forMs) => this.pauseFor(forMs));
    const socket = new ProcessSocket(network.open(this.node, UDP_PORT), clock);
    const coordinator = this.#make(name, id, { clock, client, points, socket });
    this.#life = { clock, coordinator, client, socket, points, startedAtMs: kernel.monotonicMs() };
    this.#applyStoreCut();
    this.#cluster.tell({ kind: 'process', who: this.id, what: 'started' });
    coordinator.start();
  }

  #make(
    name: string,
    id: string,
    parts: { clock: ProcessClock; client: SimKvClient; points: PausePoints; socket: ProcessSocket },
  ): Coordinator {
    const { masters, keys, version } = this.#cluster;
    const { clock, client, points, socket } = parts;
    const { callTimeoutMs } = this.config.aws;
    return new Coordinator({
      config: { ...this.config, id },
      masters,
      store: new ProcessStore(client, points, (txn) => this.#noteSent(keys, txn)),
      cloud: createEc2Cloud({
        transport: this.#transport(name, clock, points),
        ...{ clock, callTimeoutMs, random: this.#cluster.streamOf(`${name}-reads`) },
      }),
      kms: kmsOver({ transport: this.#kms(name, clock, points), clock, callTimeoutMs: 2_000 }),
      socket,
      clock,
      random: this.#cluster.streamOf(name),
      log: new ForwardedLog((level, event, fields) => {
        if (event === 'presence.waiting') this.#timesIdTaken += 1;
        this.#cluster.logged(this.id, level, event, fields);
      }),
      version,
      tags: CHECKSUM_TAGS,
      httpUrl: `http://${this.node.address}:8080`,
      probeService: (_probe, to, timeoutMs) => lookAtService(this.#cluster, this.node, clock, { to, timeoutMs }),
      readDrops: () => Promise.resolve(socket.droppedCount),
      onFatal: (error) => this.#cluster.tell({ kind: 'fatal', coordinatorId: this.id, error }),
    });
  }

  /**
   * A request leaves when the process runs; its reply arrives when the process runs. In between it
   * is on its way, whatever becomes of the process.
   */
  #transport(reader: string, clock: ProcessClock, points: PausePoints): Ec2Transport {
    const send = inProcessTransport(this.#cluster.cloud, { reader });
    return (action, input, options) =>
      clock.arrival(points.pass(`ec2.${action}`, () => send(action, input, options ?? {})));
  }

  #kms(reader: string, clock: ProcessClock, points: PausePoints): Ec2Transport {
    const send = inProcessKms(this.#cluster.cloud, { reader });
    return (action, input, options) =>
      clock.arrival(points.pass(`kms.${action}`, () => send(action, input, options ?? {})));
  }

  #noteSent(keys: Keyspace, txn: KvTxn): void {
    for (const write of txn.writes) {
      if (write.kind !== 'put' || !write.key.startsWith(keys.opinions)) continue;
      const { member, verdict } = parseRecord(OpinionRecordSchema, write.key, write.value);
      this.#cluster.tell({ kind: 'opinion-sent', coordinatorId: this.id, member, verdict });
    }
  }

  /** SIGKILL. */
  crash(): void {
    const life = this.#life;
    if (!life) return;
    this.#life = null;
    life.clock.end();
    void life.socket.close();
    void life.client.close();
    this.#cluster.tell({ kind: 'process', who: this.id, what: 'crashed' });
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
