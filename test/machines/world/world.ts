import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  type CloudSim,
  CloudSimConfigSchema,
  descendantsOf,
  letGo,
  type RunningCloudSim,
  type SeededInstance,
  type SeedInstance,
  seedInstance,
  startCloudSim,
  stopAllBelow,
} from '@understudy/cloud-sim';
import type { Log, LogFields } from '@understudy/shared';
import { SystemClock, SystemRandom, until } from '@understudy/shared/node';
import { type Outcome, runInMachine } from './inside.ts';
import { REGION, setElasticIps, setNameServer } from './region.ts';

/** Where the members' data volume is, and its device's name. */
export const DATA = { device: '/dev/sdf', path: '/data' } as const;
export const CLOUD_PORT = 4566;
export const ACCESS_KEY = 'AKIAMACHINESWORLD';
/** EC2's waits are a twentieth of the usual ones, but for a guest's shutdown: that gets 8 s. */
const SPEED = 20;
const LATENCY = { 'instance.stop-graceful': [8_000 * SPEED, 8_000 * SPEED] };

export interface WorldOptions {
  readonly folder: string;
  readonly tree: string;
  /** Folders that all machines see, by their path inside. */
  readonly readOnly: Readonly<Record<string, string>>;
}

/** The folder of a run is called `machines-…`. */
export const GROUP_PREFIX = 'understudy-machines-';
/** Name of the control group of a run, so that the next one finds what a killed one left. */
export const groupOf = (folder: string): string => `understudy-${basename(folder)}`;

/** cloud-sim's log, of which the boots are counted and what went wrong is shown. */
class BootCounter implements Log {
  boots = 0;

  debug(): void {}
  info(event: string): void {
    if (event === 'cloud-sim.machine.booted') this.boots += 1;
  }
  warn(): void {}
  error(event: string, fields: LogFields = {}): void {
    console.error(event, fields);
  }
  child(): Log {
    return this;
  }
}

/** A region in which every instance is a machine that boots. */
export class World {
  readonly #cloud: RunningCloudSim;
  readonly #folder: string;
  readonly #counter: BootCounter;

  private constructor(cloud: RunningCloudSim, folder: string, counter: BootCounter) {
    this.#counter = counter;
    this.#cloud = cloud;
    this.#folder = folder;
    cloud.sim.onEvent((event) => {
      if (event.kind === 'transition' && event.resourceKind !== 'snapshot') this.#followAddresses();
    });
  }

  static async open({ folder, tree, readOnly }: WorldOptions): Promise<World> {
    const workDir = join(folder, 'cloud');
    mkdirSync(workDir, { recursive: true });
    const names = join(folder, 'resolv.conf');
    writeFileSync(names, `nameserver ${REGION.address}\n`);
    const config = CloudSimConfigSchema.parse({
      http: { host: REGION.address, port: CLOUD_PORT },
      imds: { host: REGION.address },
      speed: SPEED,
      workDir,
      latency: LATENCY,
      credentials: { accessKeyIds: [ACCESS_KEY] },
      machine: {
        driver: 'nspawn',
        nspawn: {
          tree,
          bridge: REGION.bridge,
          router: REGION.address,
          prefixLength: REGION.prefixLength,
          mounts: { [DATA.device]: DATA.path },
          readOnly: { ...readOnly, '/etc/resolv.conf': names },
          cgroup: groupOf(folder),
        },
      },
    });
    const log = new BootCounter();
    const parts = { clock: new SystemClock(), random: new SystemRandom(), log, env: process.env };
    const cloud = await startCloudSim(config, parts);
    setNameServer(cloud.dnsPort);
    return new World(cloud, folder, log);
  }

  /** Boots so far, of all machines. */
  get boots(): number {
    return this.#counter.boots;
  }

  get sim(): CloudSim {
    return this.#cloud.sim;
  }

  /** An instance that was launched long ago, by its own user data. */
  launch(wanted: SeedInstance): SeededInstance {
    return seedInstance(this.sim, wanted);
  }

  state(instanceId: string): string | undefined {
    return this.sim.core.region.instances.get(instanceId)?.state;
  }

  privateIp(instanceId: string): string {
    const { instances, networkInterfaces } = this.sim.core.region;
    const [primary = ''] = instances.get(instanceId)?.networkInterfaceIds ?? [];
    return networkInterfaces.get(primary)?.privateIp ?? '';
  }

  consoleOf(instanceId: string): string {
    const file = join(this.#folder, 'cloud', 'machines', instanceId, 'console.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** Process 1 of a running machine, as seen from here. Null: it is not up. */
  firstProcess(instanceId: string): number | null {
    const pid = this.#cloud.machines()[instanceId]?.pid ?? null;
    // unshare, systemd-nspawn, and then systemd itself.
    return pid === null ? null : (descendantsOf(pid)[1] ?? null);
  }

  /**
   * Runs a command inside.
   * @throws when the machine is not up
   */
  run(instanceId: string, ...command: readonly string[]): Promise<Outcome> {
    const first = this.firstProcess(instanceId);
    assert(first !== null, `${instanceId} is not up`);
    return runInMachine(first, command);
  }

  /** The output of a shell script inside. @throws with it when it fails */
  async shell(instanceId: string, script: string): Promise<string> {
    const { code, output } = await this.run(instanceId, '/bin/sh', '-c', script);
    assert.equal(code, 0, `${script} on ${instanceId}: ${output}`);
    return output;
  }

  /** Waits until systemd has done everything, cloud-init included. */
  async booted(instanceId: string, limitMs = 60_000): Promise<string> {
    const up = async () => {
      const first = this.firstProcess(instanceId);
      if (first === null) return null;
      const { output } = await runInMachine(first, ['systemctl', 'is-system-running']);
      return /^(?:running|degraded)$/m.exec(output)?.[0] ?? null;
    };
    return until(`${instanceId} has booted`, up, limitMs);
  }

  /** Its power is gone; EC2 goes on saying that it runs. */
  cutPower(instanceId: string): void {
    assert(this.sim.crashInstance(instanceId), `${instanceId} does not run`);
  }

  /** Everything inside stands still, as on a host that hangs. */
  freeze(instanceId: string): { readonly count: number; thaw(): void } {
    const pid = this.#cloud.machines()[instanceId]?.pid ?? null;
    assert(pid !== null, `${instanceId} is not up`);
    const stopped = stopAllBelow(pid);
    return { count: stopped.length, thaw: () => letGo(stopped) };
  }

  async call(action: string, input: Record<string, unknown>): Promise<Record<string, unknown>> {
    const reply = await this.sim.call(action, input);
    assert('output' in reply, `${action}: ${JSON.stringify(reply)}`);
    return reply.output;
  }

  async close(): Promise<void> {
    await this.#cloud.close();
  }

  #followAddresses(): void {
    const { addresses } = this.sim.core.region;
    const held = addresses
      .all()
      .flatMap(({ publicIp, privateIp }) => (privateIp === null ? [] : [[publicIp, privateIp] as const]));
    setElasticIps(new Map(held));
  }
}
