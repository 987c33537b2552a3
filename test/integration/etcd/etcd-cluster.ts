import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ensureEtcd } from '../../../scripts/etcd.mjs';
import { freePort } from './free-port.ts';

/** PEM files of the client side of etcd. */
export interface EtcdTlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Where a member runs when not on loopback. */
export interface EtcdPlace {
  readonly name: string;
  readonly address: string;
  /** Words that put a command there (`ip netns exec NAME`). */
  readonly prefix: readonly string[];
  readonly dataDir: string;
}

interface Member {
  readonly name: string;
  readonly address: string;
  readonly prefix: readonly string[];
  readonly dataDir: string | null;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly metricsPort: number;
  process: ChildProcess | null;
  output: string;
}

/** Another test may take a port before etcd does: then the cluster is started on other ones. */
const STARTS_MAX = 3;
/**
 * On a machine that is busy with other tests. Below what vitest gives to a hook (60 s), so that it
 * is this that says why.
 */
const HEALTHY_WITHIN_MS = 45_000;

async function onLoopback(count: number): Promise<Member[]> {
  const members: Member[] = [];
  for (let index = 0; index < count; index += 1)
    members.push({
      name: `m${index}`,
      address: '127.0.0.1',
      prefix: [],
      dataDir: null,
      clientPort: await freePort(),
      peerPort: await freePort(),
      metricsPort: await freePort(),
      process: null,
      output: '',
    });
  return members;
}

/**
 * Real etcd members as child processes, on loopback and in a temporary folder unless told where.
 */
export class EtcdCluster {
  readonly #binary: string;
  readonly #folder: string;
  readonly #members: Member[];
  readonly #tls: EtcdTlsFiles | null;

  /** Whether a write waits for the disk. */
  readonly #fsync: boolean;
  readonly #args: readonly string[];

  private constructor(
    binary: string,
    members: Member[],
    tls: EtcdTlsFiles | null,
    fsync: boolean,
    args: readonly string[] = [],
  ) {
    this.#args = args;
    this.#binary = binary;
    this.#members = members;
    this.#tls = tls;
    this.#fsync = fsync;
    this.#folder = mkdtempSync(join(tmpdir(), 'understudy-etcd-'));
  }

  /** `args`: further ones of the server. */
  static async start(
    options: { readonly members?: number; readonly tls?: EtcdTlsFiles; readonly args?: readonly string[] } = {},
  ): Promise<EtcdCluster> {
    const binary = await ensureEtcd();
    for (let attempt = 1; ; attempt += 1) {
      const members = await onLoopback(options.members ?? 1);
      const cluster = new EtcdCluster(binary, members, options.tls ?? null, false, options.args);
      try {
        return await EtcdCluster.#up(cluster);
      } catch (error) {
        await cluster.stop();
        if (attempt === STARTS_MAX || !members.some((one) => one.output.includes('address already in use')))
          throw error;
      }
    }
  }

  /**
   * Members with addresses and disks of their own, on etcd's usual ports; their writes reach the
   * disk.
   */
  static async startAt(places: readonly EtcdPlace[]): Promise<EtcdCluster> {
    const ports = { clientPort: 2379, peerPort: 2380, metricsPort: 2381 };
    const members = places.map((place) => ({ ...place, ...ports, process: null, output: '' }));
    return EtcdCluster.#up(new EtcdCluster(await ensureEtcd(), members, null, true));
  }

  static async #up(cluster: EtcdCluster): Promise<EtcdCluster> {
    const members = cluster.#members;
    for (const index of members.keys()) cluster.launch(index);
    await cluster.healthy();
    return cluster;
  }

  get hosts(): readonly string[] {
    return this.#members.map((member) => this.#url(member));
  }

  port(index = 0): number {
    return this.#member(index).clientPort;
  }

  /**
   * Starts a member that is not running; its data are still there. `args`: further ones, for this
   * start only.
   */
  launch(index: number, args: readonly string[] = []): void {
    const member = this.#member(index);
    const client = this.#url(member);
    const peerOf = (one: Member) => `http://${one.address}:${one.peerPort}`;
    const peer = peerOf(member);
    const peers = this.#members.map((other) => `${other.name}=${peerOf(other)}`).join(',');
    const [command = '', ...before] = [...member.prefix, this.#binary];
    const child = spawn(
      command,
      [
        ...before,
        ...['--name', member.name, '--data-dir', member.dataDir ?? join(this.#folder, member.name)],
        ...['--listen-client-urls', client, '--advertise-client-urls', client],
        ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
        ...['--initial-cluster', peers, '--initial-cluster-state', 'new', '--log-level', 'warn'],
        ...(this.#fsync ? [] : ['--unsafe-no-fsync']),
        ...this.#args,
        ...args,
        ...(this.#tls
          ? [
              ...['--client-cert-auth', '--trusted-ca-file', this.#tls.ca],
              ...['--cert-file', this.#tls.cert, '--key-file', this.#tls.key],
              // Health is asked without a certificate.
              ...['--listen-metrics-urls', `http://127.0.0.1:${member.metricsPort}`],
            ]
          : []),
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    child.stderr.on('data', (chunk: Buffer) => {
      member.output = (member.output + chunk.toString()).slice(-4000);
    });
    member.process = child;
  }

  /** Of a member's running process. */
  pid(index: number): number {
    const pid = this.#member(index).process?.pid;
    if (pid === undefined) throw new Error(`member ${index} is not running`);
    return pid;
  }

  /** The end of what it wrote to stderr, since its first start. */
  output(index: number): string {
    return this.#member(index).output;
  }

  /** Whether the process we started last is gone, whoever ended it. */
  hasEnded(index: number): boolean {
    const child = this.#member(index).process;
    return !child || child.exitCode !== null || child.signalCode !== null;
  }

  signal(index: number, signal: NodeJS.Signals): void {
    const child = this.#member(index).process;
    if (!child?.kill(signal)) throw new Error(`member ${index} is not running`);
  }

  /** SIGKILL, and waits until it is gone. */
  async kill(index: number): Promise<void> {
    const member = this.#member(index);
    const child = member.process;
    member.process = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async healthy(index?: number): Promise<void> {
    const indices = index === undefined ? [...this.#members.keys()] : [index];
    for (const at of indices) await this.#healthyMember(this.#member(at));
  }

  async stop(): Promise<void> {
    for (const index of this.#members.keys()) await this.kill(index);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #healthyMember(member: Member): Promise<void> {
    const untilMs = performance.now() + HEALTHY_WITHIN_MS;
    while (performance.now() < untilMs) {
      const ok = await fetch(`http://${member.address}:${this.#tls ? member.metricsPort : member.clientPort}/health`, {
        signal: AbortSignal.timeout(1000),
      })
        .then(async (reply) => (await reply.text()).includes('"true"'))
        .catch(() => false);
      if (ok) return;
      const { exitCode = null, signalCode = null } = member.process ?? {};
      if (exitCode !== null || signalCode !== null)
        throw new Error(`etcd member ${member.name} ended (${exitCode ?? signalCode}): ${member.output}`);
      await wait(100);
    }
    throw new Error(`etcd member ${member.name} not healthy within ${HEALTHY_WITHIN_MS} ms: ${member.output}`);
  }

  #url(member: Member): string {
    return `${this.#tls ? 'https' : 'http'}://${member.address}:${member.clientPort}`;
  }

  #member(index: number): Member {
    const member = this.#members[index];
    if (!member) throw new Error(`no member ${index}`);
    return member;
  }
}
