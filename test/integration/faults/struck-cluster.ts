import { EC2Client } from '@aws-sdk/client-ec2';
import { type CloudSim, type SeededInstance, seedInstance } from '@understudy/cloud-sim';
import { openStore } from '@understudy/coordinator';
import {
  ActivationRecordSchema,
  type KvEvent,
  type KvStore,
  keyspace,
  LeaderRecordSchema,
  type MemberId,
  MembersViewSchema,
  parseRecord,
} from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { type Incumbent, present, type Seat as StrikeSeat, type StrikeTarget } from '../../faults/strike.ts';
import { ACCEPTED_KEY, CoordinatorCluster } from '../coordinator/coordinator-cluster.ts';
import { EtcdCluster } from '@understudy/local-cluster';

export const TTL_MS = 2_000;
const COORDINATORS = 3;
const KEYS = keyspace();

/**
 * What differs from the coordinator tests: a shorter lease, quicker judgement, no limit on how many
 * recoveries follow each other.
 */
const timesOf = (hosts: readonly string[], endpoint: string): object => ({
  etcd: { hosts, leaseTtlMs: TTL_MS, leaseMarginMs: 300, keepaliveMs: 400, callTimeoutMs: 600 },
  aws: { region: 'us-east-1', endpoint, callTimeoutMs: 1_000 },
  guard: { massMinimum: 100, zoneMinimum: 100, budgetPerMinute: 1_000, budgetBurst: 100 },
  observer: { warmUpMs: 2_000 },
  // Questions (DryRun) are counted as calls, and change nothing: calls are compared here.
  loop: { tickMs: 100, enrolEveryMs: 500, evidenceEveryMs: 500, collectEveryMs: 2_000, tryLaunchEveryMs: 0 },
  policy: {
    detect: { suspectAfterMs: 2_000, confirmForMs: 800 },
    guard: { bootGraceMs: 0 },
    recover: { settleMs: 300 },
  },
});

/**
 * Slow reads: between the end of verification and the activation lies one of them, long enough to
 * strike in.
 */
const CLOUD = {
  speed: 25,
  latency: { 'api.DescribeInstances.request': [600, 800], 'api.DescribeInstances.response': [800, 1_000] },
};

/** One place in the cluster; a killed coordinator is started again in it. */
export interface Seat extends StrikeSeat {
  readonly configPath: string;
  readonly httpPort: number;
}

/**
 * etcd, a cloud-sim over HTTP, three coordinators and one member per case; everything is a real
 * process except the agents.
 */
export class StruckCluster implements StrikeTarget {
  readonly cluster = new CoordinatorCluster();
  readonly seats: Seat[] = [];
  readonly members = new Map<MemberId, SeededInstance>();
  /** Incarnations each member's activation was ever written with, in order. */
  readonly activated = new Map<MemberId, number[]>();
  readonly #listeners = new Set<(event: KvEvent) => void>();
  #etcd: EtcdCluster | null = null;
  #store: KvStore | null = null;
  #ec2: EC2Client | null = null;
  /** Who holds the leader key, as the watch has it, and since which revision. */
  leader: { readonly coordinatorId: string; readonly term: number } | null = null;

  get store(): KvStore {
    return present(this.#store);
  }
  get ec2(): EC2Client {
    return present(this.#ec2);
  }
  get sim(): CloudSim {
    return present(this.cluster.cloud).sim;
  }
  get cloudUrl(): string {
    return present(this.cluster.cloud).url;
  }

  async open(members: readonly MemberId[]): Promise<void> {
    const [etcd, { sim, url }] = await Promise.all([EtcdCluster.start(), this.cluster.startCloud(CLOUD)]);
    this.#etcd = etcd;
    const credentials = { accessKeyId: ACCEPTED_KEY, secretAccessKey: 'secret' };
    this.#ec2 = new EC2Client({ region: 'us-east-1', endpoint: url, credentials });
    for (const [index, member] of members.entries())
      this.members.set(
        member,
        seedInstance(sim, {
          member,
          userData: 'x',
          elasticIp: true,
          az: sim.zones[index % sim.zones.length] ?? '',
          dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 4 }],
        }),
      );
    this.#store = openStore({ hosts: etcd.hosts });
    this.#store.watch(KEYS.root, 1, {
      onEvents: (events) => events.forEach((event) => this.#seen(event)),
      onCompacted: () => {
        throw new Error('nobody compacts here');
      },
    });
    for (let index = 0; index < COORDINATORS; index++) {
      const over = timesOf(etcd.hosts, url);
      const { path, httpPort } = await this.cluster.config(index, etcd.hosts, COORDINATORS, over);
      const process = this.cluster.start(path, httpPort);
      this.seats.push({ id: `c${index + 1}`, configPath: path, httpPort, process });
    }
    this.cluster.followMachines();
    for (const seat of this.seats)
      await until(`${seat.id} sees all alive`, async () => (await aliveFor(seat)) === members.length, 40_000);
  }

  /** Synchronously, as the watch reports it. Returns the unsubscribe function. */
  onKey(listener: (event: KvEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  seat(coordinatorId: string): Seat {
    return present(this.seats.find((one) => one.id === coordinatorId));
  }

  /** Each member is struck once here. */
  incumbent(member: MemberId): Incumbent {
    return { ...present(this.members.get(member)), incarnation: 1 };
  }

  crash(instanceId: string): void {
    if (!this.sim.crashInstance(instanceId)) throw new Error(`${instanceId} does not run`);
    this.cluster.followMachines();
  }

  /**
   * A new process in a seat whose process is gone. It takes part seconds later; the other two
   * suffice meanwhile.
   */
  restart(seat: Seat): void {
    seat.process = this.cluster.start(seat.configPath, seat.httpPort);
  }

  async close(): Promise<void> {
    await this.#store?.close();
    await this.cluster.close();
    this.#ec2?.destroy();
    await this.#etcd?.stop();
  }

  #seen(event: KvEvent): void {
    const key = event.kind === 'put' ? event.entry.key : event.key;
    if (key === KEYS.leader)
      this.leader =
        event.kind === 'put'
          ? {
              coordinatorId: parseRecord(LeaderRecordSchema, key, event.entry.value).coordinatorId,
              term: event.entry.createRevision,
            }
          : null;
    if (event.kind === 'put' && key.startsWith(KEYS.activations)) {
      const { member, incarnation } = parseRecord(ActivationRecordSchema, key, event.entry.value);
      this.activated.set(member, [...(this.activated.get(member) ?? []), incarnation]);
    }
    for (const listener of this.#listeners) listener(event);
  }
}

/**
 * Members the cluster takes for alive and this coordinator hears itself. One that never heard a
 * member abstains on it for good, and the member would never be replaced.
 */
async function aliveFor(seat: Seat): Promise<number> {
  if (!seat.process.running) throw new Error(`${seat.id} has ended: ${seat.process.output}`);
  const reply = await seat.process.json('/v1/members');
  const members = reply ? MembersViewSchema.parse(reply).members : [];
  return members.filter(({ verdict, ownView }) => verdict === 'alive' && ownView?.verdict === 'alive').length;
}
