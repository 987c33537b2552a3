import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CloudSimConfigSchema, type RunningCloudSim, startCloudSim } from '@understudy/cloud-sim';
import { type DatagramSocket, type Endpoint, type MemberId, silentLog, TAG } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { SeededRandom } from '@understudy/shared/testing';
import { stringify } from 'yaml';
import { SimAgent } from '../../scenarios/coordinator/sim-agent.ts';
import { freePort } from '../etcd/free-port.ts';

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const MAIN = join('packages', 'coordinator', 'src', 'main.ts');
export const MASTER = new Uint8Array(32).fill(9);
export const ACCEPTED_KEY = 'AKIAACCEPTED';

/** Calls `fact` until it is truthy. @throws with `what` after `limitMs`. */
export async function until<T>(what: string, fact: () => Promise<T> | T, limitMs = 60_000): Promise<NonNullable<T>> {
  const clock = new SystemClock();
  const fromMs = clock.monotonicMs();
  for (;;) {
    const found = await fact();
    if (found) return found;
    if (clock.monotonicMs() - fromMs > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await wait(50);
  }
}

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

/**
 * Where a process runs when not on loopback: an address, and the words that put a command there
 * (`ip netns exec NAME`).
 */
export interface Place {
  readonly address: string;
  readonly prefix: readonly string[];
}
const LOOPBACK: Place = { address: '127.0.0.1', prefix: [] };

/** One coordinator as its own process, from source. */
export class CoordinatorProcess {
  readonly child: ChildProcess;
  readonly httpUrl: string;
  stderr = '';
  stdout = '';
  readonly exited: Promise<number | null>;

  constructor(configPath: string, httpPort: number, environment: NodeJS.ProcessEnv = {}, place: Place = LOOPBACK) {
    this.httpUrl = `http://${place.address}:${httpPort}`;
    const node = [process.execPath, '--conditions=source', '--import', 'tsx', MAIN, '--config', configPath];
    const [command = '', ...args] = [...place.prefix, ...node];
    this.child = spawn(command, args, {
      cwd: PROJECT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        AWS_ACCESS_KEY_ID: ACCEPTED_KEY,
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_EC2_METADATA_DISABLED: 'true',
        ...environment,
      },
    });
    this.child.once('error', (error) => {
      this.stderr += error.message;
    });
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout = (this.stdout + chunk.toString()).slice(-200_000);
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr = (this.stderr + chunk.toString()).slice(-20_000);
    });
    this.exited = new Promise((resolve) => this.child.once('exit', (code) => resolve(code)));
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Status and body; null while nobody listens. */
  async get(path: string): Promise<{ readonly status: number; readonly body: string } | null> {
    try {
      const reply = await fetch(`${this.httpUrl}${path}`, { signal: AbortSignal.timeout(2_000) });
      return { status: reply.status, body: await reply.text() };
    } catch {
      return null;
    }
  }

  async json<T>(path: string): Promise<T | null> {
    const reply = await this.get(path);
    return reply?.status === 200 ? (JSON.parse(reply.body) as T) : null;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    if (this.running) this.child.kill(signal);
    return this.exited;
  }

  events(): string[] {
    return this.stdout
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { event: string }).event]));
  }
}

/** The command as a person types it. */
export async function understudy(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly out: string }> {
  const node = ['--conditions=source', '--import', 'tsx', 'packages/cli/src/main.ts', ...args];
  const child = spawn(process.execPath, node, { env: { PATH: process.env.PATH, NO_COLOR: '1' } });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
  }
  return { code: await new Promise((resolve) => child.once('exit', resolve)), out };
}

/**
 * A temporary folder, a cloud-sim over HTTP, agents that follow its machines, and the coordinators
 * of one test.
 */
export class Bench {
  readonly dir = mkdtempSync(join(tmpdir(), 'understudy-coordinator-'));
  readonly coordinators: CoordinatorProcess[] = [];
  readonly agents = new Map<string, SimAgent>();
  readonly udp: Endpoint[] = [];
  cloud: RunningCloudSim | null = null;
  /** false: the machines run agents of their own. */
  simulatesAgents = true;
  readonly #starting = new Set<string>();
  #closed = false;

  constructor() {
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
    const cloud = await startCloudSim(config, { clock: new SystemClock(), random, log: silentLog, env: {} });
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
    const agent = new SimAgent({ member, instanceId, master: MASTER, socket, clock: new SystemClock(), coordinators });
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
      http: { host: '127.0.0.1', port: httpPort },
      etcd: { hosts, leaseTtlMs: 4_000, leaseMarginMs: 600, keepaliveMs: 500, callTimeoutMs: 1_000 },
      aws: { region: 'us-east-1', endpoint: this.cloud?.url ?? 'http://127.0.0.1:1', callTimeoutMs: 1_500 },
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

  start(configPath: string, httpPort: number, environment: NodeJS.ProcessEnv = {}): CoordinatorProcess {
    const started = new CoordinatorProcess(configPath, httpPort, environment);
    this.coordinators.push(started);
    return started;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.coordinators.map((one) => one.kill()));
    await Promise.all([...this.agents.values()].map((agent) => agent.stop()));
    await this.cloud?.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
