import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, errorText, type Random } from '@understudy/shared';
import { coordinatorClient, type CoordinatorClient, until } from '@understudy/shared/node';
import { type LocalMember, ZONES } from './local-member.ts';
import {
  agentUserData,
  cloudSimConfig,
  coordinatorConfig,
  type CoordinatorSections,
  type ClusterSecrets,
  type Endpoints,
  writeSecrets,
  writeYaml,
} from './configuration.ts';
import { CoordinatorProcess } from './coordinator-process.ts';
import { EtcdCluster } from './etcd-cluster.ts';
import { SELF_COMPACTING } from './etcd-member.ts';
import { freePorts } from './free-ports.ts';
import { Operator } from './operator.ts';
import { makeRunDir } from './leftovers.ts';
import type { ProcessGroup } from './process-group.ts';
import { agentCommand, understudyCommand } from './project-paths.ts';
import { SimAdmin } from './sim-admin.ts';

/** What runs in it, and under which rules. Times that are not named are `LOCAL_TIMES`. */
export interface LocalClusterSetting {
  readonly members: readonly LocalMember[];
  /** The cloud's latencies are divided by this. */
  readonly speed: number;
  readonly coordinator: CoordinatorSections;
  /** Further fields of cloud-sim's configuration. */
  readonly cloud: Readonly<Record<string, unknown>>;
  /** Environment of coordinators and cloud-sim. Agents have it from cloud-sim. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Everything that runs: folders, processes, clients. Start it, use it, stop its process group. */
export interface LocalCluster {
  readonly dir: string;
  readonly group: ProcessGroup;
  /** Names of the processes in {@link group}, in the order of {@link urls}. */
  readonly coordinatorIds: readonly string[];
  readonly urls: readonly string[];
  readonly cloudUrl: string;
  readonly etcdHosts: readonly string[];
  /** For commands, at every coordinator. Reading needs none. */
  readonly operatorToken: string;
  readonly client: CoordinatorClient;
  readonly operator: Operator;
  readonly admin: SimAdmin;
  /** allocation id → member it belongs to. */
  readonly addresses: ReadonlyMap<string, string>;
}

export interface LocalClusterOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly setting: LocalClusterSetting;
  readonly signal: AbortSignal;
  say(line: string): void;
}

/** As {@link makeRunDir}, with a place for every part of a cluster. */
export function makeClusterDir(purpose: 'demo' | 'soak', nowMs: number): string {
  const dir = makeRunDir(purpose, nowMs);
  for (const each of ['logs', 'cloud', 'etcd']) mkdirSync(join(dir, each));
  return dir;
}

async function chooseEndpoints(etcdHosts: readonly string[]): Promise<Endpoints> {
  const [cloudPort = 0, ...ports] = await freePorts(1 + 2 * ZONES.length);
  const coordinators = ZONES.map((zone, index) => ({
    id: `coordinator-${zone}`,
    zone: `us-east-1${zone}`,
    udpPort: ports[2 * index] ?? 0,
    httpPort: ports[2 * index + 1] ?? 0,
  }));
  return { cloud: { host: '127.0.0.1', port: cloudPort }, coordinators, etcdHosts };
}

/**
 * Waits until `ready()` holds; what it throws meanwhile is said in the end.
 * @throws Error naming `what`, or the signal's reason.
 */
async function waitFor(
  signal: AbortSignal,
  what: string,
  limitMs: number,
  ready: () => Promise<boolean>,
): Promise<void> {
  let last = '';
  const holds = () => {
    signal.throwIfAborted();
    return ready().catch((error: unknown) => {
      last = errorText(error);
      return false;
    });
  };
  await until(what, holds, limitMs, 100).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new Error(`${errorText(error)} ${last}`, { cause: error });
  });
}

function startCoordinators(
  group: ProcessGroup,
  dir: string,
  endpoints: Endpoints,
  secrets: ClusterSecrets,
  setting: LocalClusterSetting,
): readonly string[] {
  const credentials = { AWS_ACCESS_KEY_ID: 'AKIALOCALCOORDINATOR', AWS_SECRET_ACCESS_KEY: 'local' };
  const environment = { ...credentials, ...setting.environment };
  return endpoints.coordinators.map(({ id, httpPort }, index) => {
    const config = writeYaml(dir, `${id}.yaml`, coordinatorConfig(endpoints, index, secrets, setting.coordinator));
    CoordinatorProcess.start(group, { name: id, config, httpPort, environment });
    return id;
  });
}

interface Cloud {
  readonly operator: Operator;
  readonly admin: SimAdmin;
}

/** Launches the members with the operator's own client; gives out Elastic IPs. */
async function populate(
  cloud: Cloud,
  endpoints: Endpoints,
  secrets: ClusterSecrets,
  members: readonly LocalMember[],
): Promise<Map<string, string>> {
  const [imageId, subnets, dnsPort] = await Promise.all([
    cloud.operator.imageId(),
    cloud.operator.subnets(),
    cloud.admin.dnsPort(),
  ]);
  const network = { dns: `127.0.0.1:${dnsPort}`, gateway: `tcp:127.0.0.1:${endpoints.cloud.port}` };
  const launch = async (member: LocalMember) => {
    const devices = member.dataVolumes.map((volume) => volume.deviceName);
    const userData = agentUserData(endpoints, member.member, secrets, network, devices);
    return [
      member,
      await cloud.operator.launch(member, { imageId, subnetId: subnets.get(member.zone) ?? '', userData }),
    ] as const;
  };
  // One after the other: RunInstances is EC2's scarcest token (burst 5, 2 per second).
  const launched: (readonly [LocalMember, string])[] = [];
  for (const member of members) launched.push(await launch(member));
  await cloud.operator.running(
    launched.map(([, instanceId]) => instanceId),
    30_000,
  );
  const addresses = new Map<string, string>();
  for (const [member, instanceId] of launched) {
    if (member.elasticIp) addresses.set((await cloud.operator.giveElasticIp(instanceId)).allocationId, member.member);
  }
  return addresses;
}

/**
 * Starts etcd, cloud-sim and the coordinators, launches the members, and returns once every member
 * is enrolled and heard.
 */
export async function startLocalCluster(
  options: LocalClusterOptions,
  dir: string,
  group: ProcessGroup,
): Promise<LocalCluster> {
  const [etcd, agent] = await Promise.all([
    EtcdCluster.startIn(group, join(dir, 'etcd'), { members: ZONES.length, ...SELF_COMPACTING }),
    agentCommand(),
  ]);
  const endpoints = await chooseEndpoints(etcd.hosts);
  const { members, speed, cloud, environment } = options.setting;
  const secrets = writeSecrets(dir, Buffer.from(options.random.hex(32), 'hex'), options.random.hex(24));
  const simConfig = cloudSimConfig(endpoints, {
    workDir: join(dir, 'cloud'),
    speed,
    seed: 1,
    agentCommand: agent,
    more: cloud,
  });
  const [command = '', ...args] = understudyCommand(
    'cloud-sim',
    '--config',
    writeYaml(dir, 'cloud-sim.yaml', simConfig),
  );
  group.start({ name: 'cloud-sim', command, args, environment });
  const coordinatorIds = startCoordinators(group, dir, endpoints, secrets, options.setting);
  const cloudUrl = `http://${endpoints.cloud.host}:${endpoints.cloud.port}`;
  const operator = new Operator({ endpoint: cloudUrl, clock: options.clock });
  const admin = new SimAdmin(cloudUrl);
  options.say('  · three etcd members, a local EC2 and three coordinators in three zones are starting');
  await waitFor(options.signal, 'cloud-sim answers', 20_000, async () => (await admin.dnsPort()) > 0);
  const addresses = await populate({ operator, admin }, endpoints, secrets, members);
  options.say(`  · ${members.length} instances run, each with its agent`);
  const urls = endpoints.coordinators.map((each) => `http://127.0.0.1:${each.httpPort}`);
  const client = coordinatorClient(urls);
  await waitFor(options.signal, 'every member is enrolled and alive', 30_000, async () => {
    const enrolled = await client.members();
    return (
      enrolled.length === members.length &&
      enrolled.every((each) => each.verdict === 'alive' && each.incarnation !== null)
    );
  });
  // The leader alone may have heard them so far: whoever dies now would be silent for one observer
  // only, and be held.
  await waitFor(options.signal, 'every coordinator hears every agent', 30_000, async () => {
    const all = await Promise.all(urls.map((url) => coordinatorClient([url]).status()));
    return all.every(({ observer }) => observer.heardAgents === members.length);
  });
  const { etcdHosts } = endpoints;
  const { operatorToken } = secrets;
  return { dir, group, coordinatorIds, urls, cloudUrl, etcdHosts, operatorToken, client, operator, admin, addresses };
}
