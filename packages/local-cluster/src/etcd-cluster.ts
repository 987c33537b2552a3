import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '@understudy/shared/node';
import { clientUrlOf, type EtcdMember, etcdProcess, type EtcdSetting, type EtcdTlsFiles } from './etcd-member.ts';
import { freePorts } from './free-ports.ts';
import { ProcessGroup, type RunningProcess } from './process-group.ts';
import { etcdBinary } from './project-paths.ts';

/** Where a member runs when not on loopback: an address and a disk of its own. */
export type EtcdPlace = Pick<EtcdMember, 'name' | 'address' | 'prefix' | 'dataDir'>;

/** Another process may take a port before etcd does: then the cluster is started on other ones. */
const STARTS_MAX = 3;
/**
 * On a machine that is busy with other things. Below what vitest gives to a hook (60 s), so that it
 * is this that says why.
 */
const HEALTHY_WITHIN_MS = 45_000;
const ON_USUAL_PORTS = { clientPort: 2379, peerPort: 2380, metricsPort: 2381 };

async function onLoopback(count: number, dir: string): Promise<EtcdMember[]> {
  const members: EtcdMember[] = [];
  for (let number = 1; number <= count; number += 1) {
    const [clientPort = 0, peerPort = 0, metricsPort = 0] = await freePorts(3);
    const name = `etcd-${number}`;
    const dataDir = join(dir, name);
    members.push({ name, address: '127.0.0.1', prefix: [], dataDir, clientPort, peerPort, metricsPort });
  }
  return members;
}

/** Real etcd members as processes, which can be killed, stopped and started again. */
export class EtcdCluster {
  readonly #members: readonly EtcdMember[];
  readonly #setting: EtcdSetting;
  readonly #group: ProcessGroup;
  /** Made by us: removed with the cluster. */
  readonly #ownDir: string | null;

  private constructor(
    members: readonly EtcdMember[],
    setting: EtcdSetting,
    group: ProcessGroup,
    ownDir: string | null,
  ) {
    this.#members = members;
    this.#setting = setting;
    this.#group = group;
    this.#ownDir = ownDir;
  }

  /** On loopback, in a temporary folder; resolves when all members are healthy. */
  static async start(
    options: { readonly members?: number; readonly tls?: EtcdTlsFiles; readonly args?: readonly string[] } = {},
  ): Promise<EtcdCluster> {
    const { tls = null, args = [] } = options;
    const setting = { binary: await etcdBinary(process.env), tls, args, environment: {}, fsync: false };
    for (let attempt = 1; ; attempt += 1) {
      const dir = mkdtempSync(join(tmpdir(), 'understudy-etcd-'));
      const group = new ProcessGroup({ clock: new SystemClock(), logDir: dir });
      const cluster = new EtcdCluster(await onLoopback(options.members ?? 1, dir), setting, group, dir);
      try {
        return await cluster.#up();
      } catch (error) {
        const taken = group.all().some((one) => one.output().includes('address already in use'));
        await cluster.stop();
        if (attempt === STARTS_MAX || !taken) throw error;
      }
    }
  }

  /**
   * On loopback, among the processes of `group` and below `dir`. Does not wait: whoever uses etcd
   * waits for it.
   */
  static async startIn(
    group: ProcessGroup,
    dir: string,
    options: { readonly members: number } & Pick<EtcdSetting, 'args' | 'environment'>,
  ): Promise<EtcdCluster> {
    const { members, ...more } = options;
    const setting = { binary: await etcdBinary(process.env), tls: null, fsync: false, ...more };
    const cluster = new EtcdCluster(await onLoopback(members, dir), setting, group, null);
    for (const index of cluster.#members.keys()) cluster.launch(index);
    return cluster;
  }

  /**
   * Members with addresses and disks of their own, on etcd's usual ports; their writes reach the
   * disk. Resolves when all are healthy.
   */
  static async startAt(places: readonly EtcdPlace[], group: ProcessGroup): Promise<EtcdCluster> {
    const members = places.map((place) => ({ ...place, ...ON_USUAL_PORTS }));
    const setting = { binary: await etcdBinary(process.env), tls: null, args: [], environment: {}, fsync: true };
    return new EtcdCluster(members, setting, group, null).#up();
  }

  async #up(): Promise<EtcdCluster> {
    for (const index of this.#members.keys()) this.launch(index);
    await this.healthy();
    return this;
  }

  get hosts(): readonly string[] {
    return this.#members.map((member) => clientUrlOf(member, this.#setting.tls));
  }

  port(index = 0): number {
    return this.#member(index).clientPort;
  }

  /**
   * Starts a member that is not running; its data are still there. `args`: further ones, for this
   * start only.
   */
  launch(index: number, args: readonly string[] = []): void {
    this.#group.start(etcdProcess(this.#member(index), this.#members, this.#setting, args));
  }

  /** The process of a member that was started last. */
  process(index: number): RunningProcess {
    return this.#group.get(this.#member(index).name);
  }

  pid(index: number): number {
    if (this.hasEnded(index)) throw new Error(`member ${index} is not running`);
    return this.process(index).pid;
  }

  /** What its latest process wrote. */
  output(index: number): string {
    return this.process(index).output();
  }

  /** Whether the process we started last is gone, whoever ended it. */
  hasEnded(index: number): boolean {
    return this.process(index).hasExited();
  }

  signal(index: number, signal: NodeJS.Signals): void {
    if (this.hasEnded(index)) throw new Error(`member ${index} is not running`);
    this.process(index).signal(signal);
  }

  /** SIGKILL, and waits until it is gone. Idempotent. */
  async kill(index: number): Promise<void> {
    const running = this.process(index);
    running.signal('SIGKILL');
    await running.exited;
  }

  async healthy(index?: number): Promise<void> {
    const indices = index === undefined ? [...this.#members.keys()] : [index];
    for (const at of indices) await this.#healthyMember(at);
  }

  async stop(): Promise<void> {
    for (const index of this.#members.keys()) await this.kill(index);
    if (this.#ownDir !== null) rmSync(this.#ownDir, { recursive: true, force: true });
  }

  async #healthyMember(index: number): Promise<void> {
    const clock = new SystemClock();
    const { name, address, metricsPort, clientPort } = this.#member(index);
    const url = `http://${address}:${this.#setting.tls ? metricsPort : clientPort}/health`;
    const fromMs = clock.monotonicMs();
    while (clock.monotonicMs() - fromMs < HEALTHY_WITHIN_MS) {
      const isHealthy = await fetch(url, { signal: AbortSignal.timeout(1000) })
        .then(async (reply) => (await reply.text()).includes('"true"'))
        .catch(() => false);
      if (isHealthy) return;
      if (this.hasEnded(index))
        throw new Error(`${name} ended (${await this.process(index).exited}): ${this.output(index)}`);
      await clock.sleep(100);
    }
    throw new Error(`${name} not healthy within ${HEALTHY_WITHIN_MS} ms: ${this.output(index)}`);
  }

  #member(index: number): EtcdMember {
    const member = this.#members[index];
    if (!member) throw new Error(`no member ${index}`);
    return member;
  }
}
