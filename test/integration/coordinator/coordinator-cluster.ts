import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { CloudSimConfigSchema, type RunningCloudSim, startCloudSim } from '@understudy/cloud-sim';
import { CoordinatorProcess, freePort, ProcessGroup, understudyCommand } from '@understudy/local-cluster';
import { type DatagramSocket, type Endpoint, type MemberId, silentLog, TAG } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { SeededRandom } from '@understudy/shared/testing';
import { stringify } from 'yaml';
import { underGeneratedPolicy } from '../iam/generated-policy.ts';
import { ScriptedAgent } from '../../sim/cluster/scripted-agent.ts';

export const MASTER = new Uint8Array(32).fill(9);
export const ACCEPTED_KEY = 'AKIAACCEPTED';

/** A real socket on loopback for an agent. */
export function loopbackSocket(): Promise<DatagramSocket> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, '127.0.0.1', () =>
      resolve({
        localPort: socket.address().port,
        send: (payload, to) => new Promise((done) => socket.send(payload, to.port, to.address, () => done())),
        onMessage: (listener) => {
          socket.on('message', (payload, from) => listener(payload, { address: from.address, port: from.port }));
        },
        close: () => new Promise((done) => socket.close(() => done())),
      }),
    );
  });
}

export interface Said {
  readonly code: number | null;
  readonly out: string;
}

/** The command as a person types it. */
export const understudy = (...args: readonly string[]): Promise<Said> => understudyIn({}, ...args);

/** As {@link understudy}, with variables of the person's own. */
export async function understudyIn(environment: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Said> {
  const [command = '', ...words] = understudyCommand(...args);
  const child = spawn(command, words, { env: { PATH: process.env.PATH, NO_COLOR: '1', ...environment } });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
  }
  return { code: await new Promise((resolve) => child.once('close', resolve)), out };
}

/**
 * The cluster of one test: coordinators as processes, and in the test's own process a cloud-sim
 * over HTTP and agents that follow its machines. What needs the agents as processes too gives
 * cloud-sim a command for its machines.
 */
export class CoordinatorCluster {
  readonly dir = mkdtempSync(join(tmpdir(), 'understudy-coordinator-'));
  readonly coordinators: CoordinatorProcess[] = [];
  readonly agents = new Map<string, ScriptedAgent>();
  readonly udp: Endpoint[] = [];
  cloud: RunningCloudSim | null = null;
  /** false: the machines run agents of their own. */
  simulatesAgents = true;
  readonly #starting = new Set<string>();
  readonly #group: ProcessGroup;
  #closed = false;

  constructor() {
    const logDir = join(this.dir, 'logs');
    mkdirSync(logDir);
    this.#group = new ProcessGroup({ clock: new SystemClock(), logDir });
    writeFileSync(join(this.dir, 'master.key'), Buffer.from(MASTER).toString('hex'), { mode: 0o600 });
  }

  /** `over` is merged into the top level of its configuration. */
  async startCloud(over: object = {}): Promise<RunningCloudSim> {
    const config = CloudSimConfigSchema.parse({
      http: { port: 0 },
      speed: 30,
      workDir: join(this.dir, 'cloud'),
      credentials: { accessKeyIds: [ACCEPTED_KEY] },
      ...over,
    });
    const random = new SeededRandom(1);
    const cloud = await startCloudSim(config, {
      clock: new SystemClock(),
      random,
      log: silentLog,
      env: { PATH: process.env.PATH },
    });
    // Coordinators have the rights that they are told to have, and no more.
    cloud.sim.setAuthorize(underGeneratedPolicy({ groups: [] }));
    this.cloud = cloud;
    cloud.sim.onEvent(() => this.followMachines());
    return cloud;
  }

  followMachines(): void {
    for (const instance of this.cloud?.sim.core.region.instances.all() ?? []) {
      const runs = instance.state === 'running' && instance.crashedAtMs === null && !this.#closed;
      const agent = this.agents.get(instance.id);
      if (runs && !agent && this.simulatesAgents) void this.#startAgent(instance.id, instance.tags);
      if (runs || !agent) continue;
      this.agents.delete(instance.id);
      void agent.stop();
    }
  }

  async #startAgent(instanceId: string, tags: Readonly<Record<string, string>>): Promise<void> {
    const member: MemberId = `${tags[TAG.group] ?? ''}/${tags[TAG.member] ?? ''}`;
    if (member.startsWith('/') || member.endsWith('/') || this.#starting.has(instanceId)) return;
    this.#starting.add(instanceId);
    const socket = await loopbackSocket();
    const coordinators = this.udp;
    const agent = new ScriptedAgent({
      member,
      instanceId,
      master: MASTER,
      socket,
      clock: new SystemClock(),
      coordinators,
    });
    this.agents.set(instanceId, agent);
    agent.start();
  }

  /** Short times, so that a test takes seconds; `over` is merged into the top level. */
  async config(index: number, hosts: readonly string[], count: number, over: object = {}) {
    const [udpPort, httpPort] = [await freePort(), await freePort()];
    this.udp.push({ address: '127.0.0.1', port: udpPort });
    const config = {
      id: `c${index + 1}`,
      az: `us-east-1${'abc'[index] ?? 'a'}`,
      udp: { host: '127.0.0.1', port: udpPort },
      http: { host: '127.0.0.1', port: httpPort, anonymous: 'read', requestsPerMinute: 60_000 },
      etcd: { hosts, leaseTtlMs: 4_000, leaseMarginMs: 600, keepaliveMs: 500, callTimeoutMs: 1_000 },
      aws: {
        region: 'us-east-1',
        endpoint: this.cloud?.url ?? 'http://127.0.0.1:1',
        callTimeoutMs: 1_500,
        dryRuns: 'all',
      },
      keys: [{ id: 1, file: join(this.dir, 'master.key') }],
      observer: { warmUpMs: 2_500, ...(count === 1 ? { minimumObservers: 1, minimumZones: 1 } : {}) },
      loop: { tickMs: 100, enrolEveryMs: 500, evidenceEveryMs: 500, collectEveryMs: 2_000 },
      policy: {
        detect: { suspectAfterMs: 2_500, confirmForMs: 1_200 },
        guard: { bootGraceMs: 0 },
        recover: { settleMs: 500 },
      },
      ...over,
    };
    const path = join(this.dir, `c${index + 1}.yaml`);
    writeFileSync(path, stringify(config));
    return { path, httpPort, udpPort };
  }

  start(config: string, httpPort: number, environment: NodeJS.ProcessEnv = {}): CoordinatorProcess {
    const credentials = { AWS_ACCESS_KEY_ID: ACCEPTED_KEY, AWS_SECRET_ACCESS_KEY: 'secret' };
    const place = { name: basename(config, '.yaml'), config, httpPort };
    const started = CoordinatorProcess.start(this.#group, {
      ...place,
      environment: { ...credentials, ...environment },
    });
    this.coordinators.push(started);
    return started;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#group.killAll();
    await Promise.all([...this.agents.values()].map((agent) => agent.stop()));
    await this.cloud?.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
