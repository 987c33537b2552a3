import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@understudy/shared';
import { Machine } from './machine.ts';
import type { MachineBoot, MachineDriver } from './machine-driver.ts';
import { letGo, stopAllBelow } from './process-tree.ts';

export interface NspawnSettings {
  /**
   * Folder with the operating system that every root volume begins with. It is never written to.
   */
  readonly tree: string;
  /** Bridge of the current network namespace that the machines are joined by. */
  readonly bridge: string;
  /** Address on it that leads out of the subnet, with the length of the network's prefix. */
  readonly router: string;
  readonly prefixLength: number;
  /** Where a data volume is mounted, by its device name. Others are not seen inside. */
  readonly mounts: Readonly<Record<string, string>>;
  /** Folders of ours that all machines see, read-only: path inside → folder. */
  readonly readOnly: Readonly<Record<string, string>>;
  /** Name of the control group that the machines' own are made in. */
  readonly cgroup: string;
}

const SCRIPT = join(import.meta.dirname, 'boot-nspawn.sh');
const HIERARCHIES = ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified', '/sys/fs/cgroup'] as const;
/** systemd-nspawn's exit code when the machine wants to start again (its EXIT_FORCE_RESTART). */
const REBOOT = 133;
/** EC2 gives a guest four minutes to shut down before a reboot. These have less to do. */
const REBOOT_LIMIT_MS = 60_000;

/** Removes a control group with all below it. It has to be without processes. Idempotent. */
export function removeGroup(dir: string): void {
  if (!existsSync(dir)) return;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) removeGroup(join(dir, entry.name));
  }
  rmdirSync(dir);
}

/** The folders of a control group in every hierarchy that this kernel has mounted. */
export const groupFolders = (name: string): string[] =>
  HIERARCHIES.filter((one) => existsSync(join(one, 'cgroup.procs'))).map((one) => join(one, name));

/**
 * An instance is a machine of its own: systemd as process 1, in a container of systemd-nspawn with
 * its own network namespace. A root volume's folder holds what differs from the tree (overlayfs).
 * Needs root, and a bridge. Best in a network, mount and process-id namespace that ends with
 * cloud-sim.
 */
export class NspawnDriver implements MachineDriver {
  readonly #settings: NspawnSettings;
  readonly #clock: Clock;
  readonly #env: Readonly<Record<string, string | undefined>>;
  /** Machines by the folders of their disks. */
  readonly #byDisk = new Map<string, Machine>();

  constructor(settings: NspawnSettings, clock: Clock, env: Readonly<Record<string, string | undefined>>) {
    this.#settings = settings;
    this.#clock = clock;
    this.#env = env;
  }

  boot(boot: MachineBoot): Machine | null {
    if (boot.rootDir === '') return null;
    const settings = this.#settings;
    for (const folder of ['root', 'work']) mkdirSync(join(boot.machineDir, folder), { recursive: true });
    const machine = new Machine({
      command: ['/bin/sh', SCRIPT, ...this.#arguments(boot)],
      logFile: join(boot.machineDir, 'console.log'),
      env: {
        PATH: this.#env['PATH'],
        MACHINE_ID: boot.instance.id,
        MACHINE_DIR: boot.machineDir,
        MACHINE_DISK: boot.rootDir,
        MACHINE_TREE: settings.tree,
        MACHINE_MAC: boot.macAddress,
        MACHINE_ADDRESS: `${boot.privateIp}/${settings.prefixLength}`,
        MACHINE_BRIDGE: settings.bridge,
        MACHINE_ROUTER: settings.router,
        MACHINE_IMDS: new URL(boot.imdsUrl).host,
        MACHINE_GROUPS: groupFolders(join(settings.cgroup, boot.instance.id)).join(' '),
      },
    });
    for (const dir of [boot.rootDir, ...boot.dataDisks.map((one) => one.dir)]) this.#byDisk.set(dir, machine);
    void machine.exited.then(() => this.#forget(boot.instance.id, machine));
    return machine;
  }

  /**
   * Stops the machine while its disk is copied, so that all of the copy is of one moment. What the
   * machine wrote and did not sync is in it, as the kernel is ours and lives on.
   */
  copyDisk(from: string, to: string): void {
    const machine = this.#byDisk.get(from);
    const pid = machine?.running === true ? machine.pid : null;
    const stopped = pid === null ? [] : stopAllBelow(pid);
    try {
      mkdirSync(to, { recursive: true });
      // Owners, modes, overlayfs's marks and what it keeps in extended attributes come along.
      execFileSync('cp', ['-a', '--reflink=auto', `${from}/.`, to], { stdio: ['ignore', 'ignore', 'pipe'] });
    } finally {
      letGo(stopped);
    }
  }

  reboot(machine: Machine): void {
    machine.signal('SIGTERM');
    const timer = this.#clock.setTimer(REBOOT_LIMIT_MS, () => machine.signal('SIGKILL'));
    void machine.exited.then(() => timer.cancel());
  }

  endedByItself(exitCode: number | null): 'nothing' | 'power-off' | 'reboot' {
    if (exitCode === REBOOT) return 'reboot';
    return exitCode === 0 ? 'power-off' : 'nothing';
  }

  #arguments({ dataDisks }: MachineBoot): string[] {
    const { mounts, readOnly } = this.#settings;
    const disks = dataDisks.flatMap(({ device, dir }) => {
      const path = mounts[device];
      return path === undefined ? [] : [`--bind=${dir}:${path}`];
    });
    return [...disks, ...Object.entries(readOnly).map(([path, folder]) => `--bind-ro=${folder}:${path}`)];
  }

  #forget(instanceId: string, machine: Machine): void {
    for (const [dir, one] of this.#byDisk) if (one === machine) this.#byDisk.delete(dir);
    for (const folder of groupFolders(join(this.#settings.cgroup, instanceId))) {
      try {
        removeGroup(folder);
      } catch {
        // Its next boot is in it already.
      }
    }
  }
}
