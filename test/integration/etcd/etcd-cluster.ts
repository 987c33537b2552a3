import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ensureEtcd } from '../../../scripts/etcd.mjs';

/** PEM files of the client side of etcd. */
export interface EtcdTlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

interface Member {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly metricsPort: number;
  process: ChildProcess | null;
  output: string;
}

/** A port the kernel just had free. Somebody may take it before etcd does; then the start fails and says so. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Real etcd members as child processes, on loopback, in a temporary folder. */
export class EtcdCluster {
  readonly #binary: string;
  readonly #folder: string;
  readonly #members: Member[];
  readonly #tls: EtcdTlsFiles | null;

  private constructor(binary: string, members: Member[], tls: EtcdTlsFiles | null) {
    this.#binary = binary;
    this.#members = members;
    this.#tls = tls;
    this.#folder = mkdtempSync(join(tmpdir(), 'understudy-etcd-'));
  }

  static async start(options: { readonly members?: number; readonly tls?: EtcdTlsFiles } = {}): Promise<EtcdCluster> {
    const binary = await ensureEtcd();
    const members: Member[] = [];
    for (let index = 0; index < (options.members ?? 1); index += 1)
      members.push({
        name: `m${index}`,
        clientPort: await freePort(),
        peerPort: await freePort(),
        metricsPort: await freePort(),
        process: null,
        output: '',
      });
    const cluster = new EtcdCluster(binary, members, options.tls ?? null);
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

  /** Starts a member that is not running; its data are still there. */
  launch(index: number): void {
    const member = this.#member(index);
    const client = this.#url(member);
    const peer = `http://127.0.0.1:${member.peerPort}`;
    const peers = this.#members.map((other) => `${other.name}=http://127.0.0.1:${other.peerPort}`).join(',');
    const child = spawn(
      this.#binary,
      [
        ...['--name', member.name, '--data-dir', join(this.#folder, member.name)],
        ...['--listen-client-urls', client, '--advertise-client-urls', client],
        ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
        ...['--initial-cluster', peers, '--initial-cluster-state', 'new', '--unsafe-no-fsync', '--log-level', 'warn'],
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
    for (let attempt = 0; attempt < 150; attempt += 1) {
      const ok = await fetch(`http://127.0.0.1:${this.#tls ? member.metricsPort : member.clientPort}/health`, {
        signal: AbortSignal.timeout(1000),
      })
        .then(async (reply) => (await reply.text()).includes('"true"'))
        .catch(() => false);
      if (ok) return;
      if (member.process?.exitCode !== null && member.process?.exitCode !== undefined) break;
      await wait(100);
    }
    throw new Error(`etcd member ${member.name} did not become healthy: ${member.output}`);
  }

  #url(member: Member): string {
    return `${this.#tls ? 'https' : 'http'}://127.0.0.1:${member.clientPort}`;
  }

  #member(index: number): Member {
    const member = this.#members[index];
    if (!member) throw new Error(`no member ${index}`);
    return member;
  }
}
