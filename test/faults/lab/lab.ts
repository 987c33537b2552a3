import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CloudSim,
  CloudSimConfigSchema,
  type RunningCloudSim,
  seedInstance,
  startCloudSim,
} from '@understudy/cloud-sim';
import { openStore } from '@understudy/coordinator';
import {
  type ActivationRecord,
  ActivationRecordSchema,
  type KvEvent,
  type KvStore,
  keyspace,
  LeaderRecordSchema,
  type MemberId,
  parseRecord,
  silentLog,
} from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { stringify } from 'yaml';
import { BreakingProxy } from '../../foreign/breaking-proxy.ts';
import { Recorder } from '../audit/recorder.ts';
import { clockEnvironment, faketimeLibrary, stepClock } from '../faults/wall-clock.ts';
import { CoordinatorProcess, EtcdCluster, ProcessGroup } from '@understudy/local-cluster';
import { ACCEPTED_KEY, MASTER } from '../../integration/coordinator/coordinator-cluster.ts';
import { type Incumbent, present, type Seat as StrikeSeat, type StrikeTarget } from '../strike.ts';
import { agentUserData, cloudSimConfig, coordinatorConfig, MEMBERS, PORTS } from './configuration.ts';
import { type Disk, mountLoopOrTmpfs, mountTmpfs } from './disks.ts';
import type { LabFolder } from './folder.ts';
import { VETO_VARIABLE } from './next-build-edits.ts';
import { buildNetwork, coordinatorHost, etcdHost, insideOf, REGION, type Zone, zoneIndex, ZONES } from './network.ts';

const KEYS = keyspace();
/** Two WAL segments that etcd allocates in advance, 64 MiB each, and room for its database. */
const ETCD_DISK_MIB = 192;

export interface Seat extends StrikeSeat {
  readonly zone: Zone;
}

/**
 * The whole lab: a region with three zones, each with an etcd member, a coordinator and two
 * instances, all in namespaces of their own.
 */
export class Lab implements StrikeTarget {
  readonly folder: LabFolder;
  readonly seats: readonly Seat[];
  readonly etcd: EtcdCluster;
  /** Disks of the etcd members, in the order of the zones. */
  readonly disks: readonly Disk[];
  readonly store: KvStore;
  readonly recorder: Recorder;
  /** Stands between the coordinators and EC2, and breaks answers. */
  readonly proxy: BreakingProxy;
  /** Allocation id of each member's Elastic IP. */
  readonly addresses: Map<MemberId, string>;
  /** The agent as an instance starts it, without its configuration. */
  readonly agentCommand: readonly string[];
  /** File with the operator's token, which shows that a person asks. */
  readonly tokenFile: string;
  /** {@link recorder} has seen everything up to this revision of etcd, so it may be compacted. */
  seenRevision = 0;
  leader: { readonly coordinatorId: string; readonly term: number } | null = null;
  readonly #cloud: RunningCloudSim;
  readonly #processes: ProcessGroup;
  readonly #activations = new Map<MemberId, ActivationRecord>();
  readonly #listeners = new Set<(event: KvEvent) => void>();
  /** The process that was in a seat before the present one. */
  readonly #before = new Map<string, CoordinatorProcess>();
  #undo: (() => void | Promise<void>)[] = [];

  private constructor(parts: Parts) {
    this.folder = parts.folder;
    this.#cloud = parts.cloud;
    this.#processes = parts.processes;
    this.proxy = parts.proxy;
    this.etcd = parts.etcd;
    this.disks = parts.disks;
    this.addresses = parts.addresses;
    this.agentCommand = parts.agentCommand;
    this.tokenFile = operatorTokenFile(parts.folder);
    this.recorder = parts.recorder;
    this.store = openStore({ hosts: parts.etcd.hosts });
    this.seats = ZONES.map((zone) => ({ id: coordinatorHost.name(zone), zone, process: this.#startCoordinator(zone) }));
    this.store.watch(KEYS.root, 1, {
      onEvents: (events, revision) => {
        events.forEach((event) => this.#seen(event));
        this.seenRevision = revision;
      },
      onProgress: (revision) => {
        this.seenRevision = Math.max(this.seenRevision, revision);
      },
      onCompacted: () => {
        throw new Error('compacted before the recorder had seen it');
      },
    });
  }

  static async open(folder: LabFolder, agentCommand: readonly string[]): Promise<Lab> {
    for (const each of ['cloud', 'logs', 'etcd', 'clocks', 'boots', 'serving'])
      mkdirSync(join(folder.path, each), { recursive: true });
    writeFileSync(join(folder.path, 'master.key'), Buffer.from(MASTER).toString('hex'), { mode: 0o600 });
    writeFileSync(operatorTokenFile(folder), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
    for (const name of ['agent', ...ZONES]) stepClock(join(folder.path, 'clocks', name), 0);
    buildNetwork();
    const disks = ZONES.map((zone) => mountEtcdDisk(folder, zone));
    const processes = new ProcessGroup({ clock: new SystemClock(), logDir: join(folder.path, 'logs') });
    const [etcd, cloud] = await Promise.all([startEtcd(disks, processes), startRegion(folder, agentCommand)]);
    const recorder = new Recorder(cloud.sim, join(folder.path, 'serving'));
    const addresses = new Map(MEMBERS.map(({ member, zone }) => [member, seed(cloud.sim, folder, member, zone)]));
    const proxy = new BreakingProxy(cloud.url);
    await proxy.listen(REGION.address, PORTS.cloudProxy);
    return new Lab({ folder, processes, cloud, proxy, etcd, disks, recorder, addresses, agentCommand });
  }

  get sim(): CloudSim {
    return this.#cloud.sim;
  }
  get cloudUrl(): string {
    return this.#cloud.url;
  }

  seat(coordinatorId: string): Seat {
    return present(this.seats.find((one) => one.id === coordinatorId));
  }

  /** The seat that leads now. */
  get leaderSeat(): Seat {
    return this.seat(present(this.leader).coordinatorId);
  }

  onKey(listener: (event: KvEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The instance that etcd's activation record names, as the watch has it. */
  activated(member: MemberId): ActivationRecord | undefined {
    return this.#activations.get(member);
  }

  incumbent(member: MemberId): Incumbent {
    const allocationId = present(this.addresses.get(member));
    const { instanceId, incarnation, ordinal } = present(this.activated(member));
    const associationId = this.sim.core.region.addresses.get(allocationId)?.associationId ?? null;
    return { instanceId, incarnation, ordinal, allocationId, associationId };
  }

  crash(instanceId: string): void {
    if (!this.sim.crashInstance(instanceId)) throw new Error(`${instanceId} does not run`);
  }

  /** Folder of the root volume, and process id of the agent, of a running instance. */
  machine(instanceId: string): { readonly pid: number | null; readonly rootDir: string } {
    return present(this.#cloud.machines()[instanceId]);
  }

  privateIp(instanceId: string): string {
    const { instances, networkInterfaces } = this.sim.core.region;
    const [primary = ''] = present(instances.get(instanceId)).networkInterfaceIds;
    return present(networkInterfaces.get(primary)).privateIp;
  }

  clockFile(of: Zone | 'agent'): string {
    return join(this.folder.path, 'clocks', of);
  }

  /**
   * Starts a new process in a seat whose process is gone, under a clock that can be stepped or
   * under the kernel's.
   */
  restart(seat: Seat, clock: 'real' | 'stepped' = 'real', next?: NextBuild): void {
    this.#before.set(seat.id, seat.process);
    seat.process = this.#startCoordinator(seat.zone, clock, next);
  }

  /** What the processes of a seat have logged lately. They write into one file. */
  logOf(seat: Seat): string {
    return (this.#before.get(seat.id) ?? seat.process).output;
  }

  /** Registers an undo. They run when the scenario is over, last first, however it went. */
  undoLater(undo: () => void | Promise<void>): void {
    this.#undo.push(undo);
  }

  /** Undoes every fault. */
  async heal(): Promise<void> {
    const undo = this.#undo.toReversed();
    this.#undo = [];
    this.sim.clearFaults();
    this.proxy.clear();
    for (const one of undo) await one();
    for (const { process } of this.seats) process.signal('SIGCONT');
  }

  async close(): Promise<void> {
    await this.heal();
    await this.store.close();
    await Promise.all(this.seats.map((seat) => seat.process.kill()));
    await this.proxy.close();
    await this.#cloud.close();
    await this.etcd.stop();
  }

  #startCoordinator(zone: Zone, clock: 'real' | 'stepped' = 'real', next?: NextBuild): CoordinatorProcess {
    const config = join(this.folder.path, `${coordinatorHost.name(zone)}.yaml`);
    const secrets = { masterFile: join(this.folder.path, 'master.key'), tokenFile: this.tokenFile };
    writeFileSync(config, stringify(coordinatorConfig(zone, secrets)));
    const library = clock === 'stepped' ? present(faketimeLibrary()) : null;
    const clockVariables = library === null ? {} : clockEnvironment(library, this.clockFile(zone));
    const words = Object.entries({ ...clockVariables, ...(next && nextVariables(next)) }).map(
      ([name, value]) => `${name}=${value}`,
    );
    const prefix = [...insideOf(coordinatorHost.name(zone)), 'env', ...words];
    return CoordinatorProcess.start(this.#processes, {
      ...{
        name: coordinatorHost.name(zone),
        config,
        httpPort: PORTS.api,
        address: coordinatorHost.address(zone),
        prefix,
      },
      environment: { AWS_ACCESS_KEY_ID: ACCEPTED_KEY, AWS_SECRET_ACCESS_KEY: 'secret' },
    });
  }

  #seen(event: KvEvent): void {
    const key = event.kind === 'put' ? event.entry.key : event.key;
    if (key === KEYS.leader) this.leader = event.kind === 'put' ? leaderOf(event.entry) : null;
    if (event.kind === 'put' && key.startsWith(KEYS.activations)) {
      const record = parseRecord(ActivationRecordSchema, key, event.entry.value);
      this.#activations.set(record.member, record);
    }
    this.recorder.onKey(event);
    for (const listener of this.#listeners) listener(event);
  }
}

interface Parts {
  readonly folder: LabFolder;
  readonly processes: ProcessGroup;
  readonly cloud: RunningCloudSim;
  readonly proxy: BreakingProxy;
  readonly etcd: EtcdCluster;
  readonly disks: readonly Disk[];
  readonly recorder: Recorder;
  readonly addresses: Map<MemberId, string>;
  readonly agentCommand: readonly string[];
}

/** A coordinator of the made-up next build. */
export interface NextBuild {
  /** It has an opinion of this member that this build has no word for. */
  readonly vouchesFor?: MemberId;
}

const nextVariables = ({ vouchesFor }: NextBuild): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: `--import=${join(import.meta.dirname, 'next-build.ts')}`,
  ...(vouchesFor && { [VETO_VARIABLE]: vouchesFor }),
});

const operatorTokenFile = (folder: LabFolder): string => join(folder.path, 'operator.token');

const leaderOf = (entry: { readonly key: string; readonly value: string; readonly createRevision: number }) => ({
  coordinatorId: parseRecord(LeaderRecordSchema, entry.key, entry.value).coordinatorId,
  term: entry.createRevision,
});

/** The last zone's member is on a block device, for the scenario of the slow disk. */
function mountEtcdDisk(folder: LabFolder, zone: Zone): Disk {
  const path = join(folder.path, 'etcd', zone);
  return zone === ZONES.at(-1) ? mountLoopOrTmpfs(path, ETCD_DISK_MIB) : mountTmpfs(path, ETCD_DISK_MIB);
}

const startEtcd = (disks: readonly Disk[], processes: ProcessGroup): Promise<EtcdCluster> =>
  EtcdCluster.startAt(
    ZONES.map((zone) => ({
      name: etcdHost.name(zone),
      address: etcdHost.address(zone),
      prefix: insideOf(etcdHost.name(zone)),
      dataDir: join(present(disks[zoneIndex(zone)]).path, 'member'),
    })),
    processes,
  );

/**
 * Starts cloud-sim in the lab's own process, reached over HTTP only, so that a strike can hit in
 * the very moment a call arrives.
 */
function startRegion(folder: LabFolder, agentCommand: readonly string[]): Promise<RunningCloudSim> {
  const boot = join(import.meta.dirname, 'boot-machine.sh');
  const config = CloudSimConfigSchema.parse(cloudSimConfig(join(folder.path, 'cloud'), [boot, ...agentCommand]));
  const env = {
    PATH: process.env['PATH'],
    LAB_CLOCKS: join(folder.path, 'clocks'),
    LAB_BOOTS: join(folder.path, 'boots'),
    LAB_FAKETIME: faketimeLibrary() ?? '',
  };
  return startCloudSim(config, { clock: new SystemClock(), random: new SystemRandom(), log: silentLog, env });
}

function seed(sim: CloudSim, folder: LabFolder, member: MemberId, zone: Zone): string {
  const { allocationId } = seedInstance(sim, {
    member,
    az: `us-east-1${zone}`,
    userData: agentUserData(member, join(folder.path, 'serving')),
    elasticIp: true,
    dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 4 }],
  });
  return present(allocationId);
}
