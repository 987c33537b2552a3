import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seedInstance } from '@understudy/cloud-sim';
import { openStore } from '@understudy/coordinator';
import { type CoordinatorProcess, EtcdCluster } from '@understudy/local-cluster';
import {
  deriveAgentKey,
  KeysViewSchema,
  keyspace,
  type KeysView,
  type KvStore,
  type KvWatch,
  type MemberId,
  OpinionRecordSchema,
} from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { parse, stringify } from 'yaml';
import { AGENT_NODE_FLAGS, bundleAgent } from '../../../scripts/bundle-agent.mjs';
import { CoordinatorCluster, MASTER, type Said, understudyIn } from '../coordinator/coordinator-cluster.ts';
import { DatagramTap } from './datagram-tap.ts';

export const MEMBERS: readonly MemberId[] = ['prod/db1', 'prod/db2'];
export const HEARTBEAT_MS = 200;
export const SUSPECT_AFTER_MS = 1_500;
/** With confirmation and a tick to spare. */
export const DEAD_AFTER_MS = SUSPECT_AFTER_MS + 800;

const SHORT_TIMES = {
  observer: { warmUpMs: 1_500, heartbeatMs: HEARTBEAT_MS },
  loop: { tickMs: 100, enrolEveryMs: 500, evidenceEveryMs: 500, collectEveryMs: 2_000, keysEveryMs: 300 },
  policy: {
    detect: { suspectAfterMs: SUSPECT_AFTER_MS, confirmForMs: 600 },
    guard: { bootGraceMs: 0 },
    recover: { settleMs: 400 },
  },
};

/** What an observer published, in the order it did. */
export interface PublishedOpinion {
  readonly observer: string;
  readonly member: MemberId;
  readonly verdict: string;
  readonly reason: string;
}

interface Seat {
  readonly process: CoordinatorProcess;
  readonly tap: DatagramTap;
  readonly configPath: string;
}

/**
 * Three coordinators and two agents as processes, a real etcd, cloud-sim for their machines, and a
 * tap before each coordinator.
 */
export class RotationCluster {
  readonly cluster = new CoordinatorCluster();
  readonly seats: Seat[] = [];
  readonly opinions: PublishedOpinion[] = [];
  readonly instances = new Map<MemberId, { readonly instanceId: string; readonly rootFolder: string }>();
  readonly #etcd: EtcdCluster;
  readonly #store: KvStore;
  #watch: KvWatch | null = null;

  private constructor(etcd: EtcdCluster) {
    this.#etcd = etcd;
    this.#store = openStore({ hosts: etcd.hosts });
  }

  static async open(): Promise<RotationCluster> {
    const [etcd, bundle] = await Promise.all([EtcdCluster.start(), bundleAgent()]);
    const cluster = new RotationCluster(etcd);
    try {
      await cluster.#start(bundle);
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  async #start(bundle: string): Promise<void> {
    this.cluster.simulatesAgents = false;
    await this.cluster.startCloud({ machine: { command: [process.execPath, ...AGENT_NODE_FLAGS, bundle] } });
    for (let index = 0; index < 3; index++) {
      const { path, httpPort, udpPort } = await this.cluster.config(index, this.#etcd.hosts, 3, SHORT_TIMES);
      const tap = await DatagramTap.open(udpPort);
      this.seats.push({ process: this.cluster.start(path, httpPort), tap, configPath: path });
    }
    await this.#watchOpinions();
    for (const member of MEMBERS) this.#boot(member);
    await this.everybodyAlive();
  }

  /** User data names key id 1, for good: that is what a replacement starts from as well. */
  #boot(member: MemberId): void {
    const sim = this.cluster.cloud?.sim;
    if (!sim) throw new Error('no cloud');
    const userData = stringify({
      member,
      key: { id: 1, hex: agentKey(MASTER, 1, member), reloadEveryMs: 500 },
      coordinators: this.seats.map(({ tap }) => `127.0.0.1:${tap.port}`),
      heartbeat: { intervalMs: HEARTBEAT_MS },
      checks: { network: { gateway: 'none', dns: 'none' } },
    });
    const { instanceId, volumeIds } = seedInstance(sim, { member, userData });
    const rootVolume = Object.values(volumeIds)[0] ?? '';
    const rootFolder = join(this.cluster.dir, 'cloud', 'volumes', rootVolume);
    this.instances.set(member, { instanceId, rootFolder });
  }

  async #watchOpinions(): Promise<void> {
    const { opinions } = keyspace();
    const { revision } = await this.#store.range(opinions);
    this.#watch = this.#store.watch(opinions, revision + 1, {
      onEvents: (events) => {
        for (const event of events) {
          if (event.kind === 'delete') continue;
          const { observer, member, verdict, reason } = OpinionRecordSchema.parse(JSON.parse(event.entry.value));
          this.opinions.push({ observer, member, verdict, reason });
        }
      },
      onCompacted: () => this.opinions.push({ observer: '?', member: '?/?', verdict: 'lost', reason: 'compacted' }),
    });
  }

  /** What each observer thinks of each member now. */
  async everybodyAlive(limitMs = 30_000): Promise<void> {
    await until(
      'every observer says alive of every member',
      async () => {
        const { entries } = await this.#store.range(keyspace().opinions);
        const alive = entries.filter(({ value }) => (JSON.parse(value) as { verdict: string }).verdict === 'alive');
        return alive.length === this.seats.length * MEMBERS.length;
      },
      limitMs,
    );
  }

  seat(index: number): Seat {
    const seat = this.seats[index];
    if (!seat) throw new Error(`no coordinator ${index}`);
    return seat;
  }

  masterFile(id: number): string {
    return id === 1 ? join(this.cluster.dir, 'master.key') : join(this.cluster.dir, `master-${id}.key`);
  }

  writeMaster(id: number): void {
    writeFileSync(this.masterFile(id), Buffer.alloc(32, id).toString('hex'), { mode: 0o600 });
  }

  /** Writes the `keys` section of these coordinators' files; they are to notice by themselves. */
  giveCoordinators(indices: readonly number[], ids: readonly number[], dropKeysInUse: readonly number[] = []): void {
    for (const index of indices) {
      const { configPath } = this.seat(index);
      const config = parse(readFileSync(configPath, 'utf8')) as object;
      const keys = ids.map((id) => ({ id, file: this.masterFile(id) }));
      writeFileSync(configPath, stringify({ ...config, keys, dropKeysInUse }));
    }
  }

  giveAgents(id: number, members = MEMBERS): void {
    const master = Buffer.from(readFileSync(this.masterFile(id), 'utf8').trim(), 'hex');
    for (const member of members) {
      const path = join(this.#root(member), 'var/lib/understudy/next.key');
      writeFileSync(path, `${id} ${agentKey(master, id, member)}\n`, { mode: 0o600 });
    }
  }

  #root(member: MemberId): string {
    const found = this.instances.get(member);
    if (!found) throw new Error(`no ${member}`);
    return found.rootFolder;
  }

  storedOn(member: MemberId, file: 'keys.json' | 'state.json'): unknown {
    return JSON.parse(readFileSync(join(this.#root(member), 'var/lib/understudy', file), 'utf8'));
  }

  async keys(index: number): Promise<KeysView> {
    return KeysViewSchema.parse(await until('/v1/keys', () => this.seat(index).process.json('/v1/keys')));
  }

  /** Waits until coordinator `index` accepts exactly these ids. */
  async accepts(index: number, ids: readonly number[]): Promise<void> {
    await until(
      `c${index + 1} accepts ${ids.join()}`,
      async () => (await this.keys(index)).accepted.map(({ id }) => id).join() === ids.join(),
      10_000,
    );
  }

  /** Waits until coordinator `index` hears all members under this id. */
  async hears(index: number, id: number): Promise<void> {
    await until(
      `c${index + 1} hears all under ${id}`,
      async () => (await this.keys(index)).members.every(({ keyId }) => keyId === id),
      10_000,
    );
  }

  /** Counters of coordinator `index`, by outcome; `received` for the good ones. */
  async counts(index: number): Promise<Readonly<Record<string, number>>> {
    const { body } = await until('/metrics', () => this.seat(index).process.get('/metrics'));
    const counts: Record<string, number> = {};
    for (const [, name = '', value] of body.matchAll(/datagrams_dropped_total\{reason="([a-z-]+)"\} (\d+)/g))
      counts[name] = Number(value);
    counts.received = Number(/heartbeats_received_total (\d+)/.exec(body)?.[1]);
    return counts;
  }

  /** Runs `understudy …` against the first coordinator. */
  understudy(...args: readonly string[]): Promise<Said> {
    return understudyIn({ UNDERSTUDY_URL: this.seat(0).process.httpUrl }, ...args);
  }

  /**
   * Runs `keys status --retire ID` until it says this: what it reports comes from three processes,
   * each in its own time.
   */
  says(text: string, retireId: number): Promise<Said> {
    return until(`keys status says "${text}"`, async () => {
      const answer = await this.understudy('keys', 'status', '--retire', String(retireId));
      return answer.out.includes(text) ? answer : null;
    });
  }

  async close(): Promise<void> {
    this.#watch?.cancel();
    await this.cluster.close();
    for (const { tap } of this.seats) tap.close();
    await this.#store.close();
    await this.#etcd.stop();
  }
}

export const agentKey = (master: Uint8Array, id: number, member: MemberId): string =>
  Buffer.from(deriveAgentKey(master, id, member)).toString('hex');
