import { isPrimary, type SimInstance } from '../core/model.ts';
import { existsSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { errorText, type Log } from '@understudy/shared';
import { isMap, parseDocument } from 'yaml';
import type { CloudSim } from '../cloud-sim.ts';
import { cloudInit } from '../core/cloud-init.ts';
import type { SimEvent, TransitionEvent } from '../core/event-log.ts';
import { decodeUserData } from '../http/imds-content.ts';
import type { ImdsEndpoints } from '../http/imds-endpoints.ts';
import type { VolumeFolders } from './volume-folders.ts';
import { Machine } from './machine.ts';

export interface InstanceProcessesOptions {
  readonly sim: CloudSim;
  readonly disks: VolumeFolders;
  readonly imds: ImdsEndpoints;
  readonly workDir: string;
  /** Empty: instances run without a process. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

/** Sets `rootDir` and nothing else. Text that is no YAML mapping stays as it is. */
export function withRootDir(text: string, rootDir: string): string {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) return text;
  document.set('rootDir', rootDir);
  return document.toString();
}

/**
 * The agent's configuration as cloud-init would write it. User data without such a file is the
 * configuration itself.
 */
const agentConfigOf = (userData: string): string =>
  cloudInit(userData).files.find((file) => file.path === '/etc/understudy/agent.yaml')?.content ??
  decodeUserData(userData);

function replaceLink(target: string, path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })) rmSync(path, { recursive: true, force: true });
  symlinkSync(target, path);
}

/**
 * Runs a process for each running instance and gives it a metadata service and disks. Follows the
 * core's events.
 */
export class InstanceProcesses {
  readonly #options: InstanceProcessesOptions;
  readonly #machines = new Map<string, Machine>();
  /** Number of the boot in progress per instance. A newer event makes an older boot void. */
  readonly #turns = new Map<string, number>();
  readonly #work = new Set<Promise<void>>();
  #turn = 0;
  #closed = false;

  constructor(options: InstanceProcessesOptions) {
    this.#options = options;
  }

  onEvent(event: SimEvent): void {
    if (event.kind !== 'transition' || event.resourceKind !== 'instance' || this.#closed) return;
    const id = event.resourceId;
    if (event.to === 'running') this.#onRunning(event);
    else if (event.to === 'stopping' || event.to === 'shutting-down') this.#powerDown(id, event);
    else if (event.to === 'stopped' || event.to === 'terminated' || event.to === null) this.#powerOff(id, true);
    // No further event will name the instance, so what it wrote would otherwise stay for ever.
    if (event.to === null) rmSync(this.#machineDir(id), { recursive: true, force: true });
  }

  machines(): Readonly<Record<string, { pid: number | null; rootDir: string }>> {
    return Object.fromEntries(
      [...this.#machines].map(([id, machine]) => [
        id,
        { pid: machine.running ? machine.pid : null, rootDir: this.rootDir(id) },
      ]),
    );
  }

  /** Folder of the instance's root volume. Empty when it has none. */
  rootDir(instanceId: string): string {
    const instance = this.#options.sim.core.region.instances.get(instanceId);
    const root = instance && this.#volumes(instance).find((one) => one.device === instance.rootDeviceName);
    return root ? this.#options.disks.volumeDir(root.volumeId) : '';
  }

  /** Kills everything. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const machine of this.#machines.values()) machine.signal('SIGKILL');
    await Promise.all([...this.#work]);
    for (const machine of this.#machines.values()) machine.signal('SIGKILL');
    await Promise.all([...this.#machines.values()].map((machine) => machine.exited));
    this.#machines.clear();
  }

  /** Synchronous last resort, for the process's own `exit` event. */
  killAll(): void {
    for (const machine of this.#machines.values()) machine.signal('SIGKILL');
  }

  #machineDir(instanceId: string): string {
    return join(this.#options.workDir, 'machines', instanceId);
  }

  #onRunning(event: TransitionEvent): void {
    if (event.detail['crash'] === true) return this.#powerOff(event.resourceId, false);
    if (event.detail['reboot'] === true) this.#powerOff(event.resourceId, false);
    this.#begin(event.resourceId);
  }

  #begin(instanceId: string): void {
    const turn = ++this.#turn;
    this.#turns.set(instanceId, turn);
    const work = this.#boot(instanceId, turn).catch((error: unknown) => {
      this.#options.log.error('cloud-sim.machine.boot-failed', { instanceId, error: errorText(error) });
    });
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
  }

  async #boot(instanceId: string, turn: number): Promise<void> {
    const { imds, sim, log } = this.#options;
    const port = await imds.open(instanceId);
    await this.#machines.get(instanceId)?.exited;
    const instance = sim.core.region.instances.get(instanceId);
    if (this.#closed || this.#turns.get(instanceId) !== turn || instance?.state !== 'running') return;
    const configFile = this.#prepare(instance);
    if (configFile === null || this.#options.command.length === 0) return;
    const machine = new Machine({
      command: this.#options.command,
      configFile,
      logFile: join(this.#machineDir(instanceId), 'agent.log'),
      env: {
        ...this.#options.env,
        ...this.#hardware(instance),
        AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.url(port),
      },
    });
    this.#machines.set(instanceId, machine);
    log.info('cloud-sim.machine.booted', { instanceId, pid: machine.pid, imdsPort: port });
    void machine.exited.then((code) => log.info('cloud-sim.machine.exited', { instanceId, pid: machine.pid, code }));
  }

  /**
   * What a hypervisor knows about the machine it starts, for commands that build it a network of
   * its own.
   */
  #hardware(instance: SimInstance): Readonly<Record<string, string>> {
    const { networkInterfaces } = this.#options.sim.core.region;
    const primary = instance.networkInterfaceIds
      .map((id) => networkInterfaces.get(id))
      .find((one) => isPrimary(one?.attachment));
    return {
      CLOUD_SIM_INSTANCE_ID: instance.id,
      CLOUD_SIM_ZONE: instance.az,
      CLOUD_SIM_PRIVATE_IP: primary?.privateIp ?? '',
    };
  }

  /**
   * Mounts the volumes and writes the user data as the agent's configuration. Null without a root
   * volume or user data.
   */
  #prepare(instance: SimInstance): string | null {
    const rootDir = this.rootDir(instance.id);
    if (rootDir === '' || !existsSync(rootDir)) return null;
    for (const folder of ['mnt', 'dev', 'etc/understudy']) mkdirSync(join(rootDir, folder), { recursive: true });
    for (const { device, volumeId } of this.#volumes(instance)) {
      if (device === instance.rootDeviceName) continue;
      const name = basename(device);
      replaceLink(this.#options.disks.volumeDir(volumeId), join(rootDir, 'mnt', name));
      replaceLink(this.#options.disks.volumeDir(volumeId), join(rootDir, 'dev', name));
    }
    if (instance.userData === null) return null;
    const configFile = join(rootDir, 'etc', 'understudy', 'agent.yaml');
    writeFileSync(configFile, withRootDir(agentConfigOf(instance.userData), rootDir));
    return configFile;
  }

  #volumes(instance: SimInstance): { readonly volumeId: string; readonly device: string }[] {
    return instance.volumeIds.flatMap((volumeId) => {
      const attachment = this.#options.sim.core.region.volumes
        .get(volumeId)
        ?.attachments.find((one) => one.instanceId === instance.id);
      return attachment ? [{ volumeId, device: attachment.device }] : [];
    });
  }

  /**
   * Shuts down gracefully unless the shutdown of the OS is skipped. Processes that are left when
   * the stop is complete are killed then.
   */
  #powerDown(instanceId: string, event: TransitionEvent): void {
    this.#turns.delete(instanceId);
    this.#machines.get(instanceId)?.signal(event.detail['skipOsShutdown'] === true ? 'SIGKILL' : 'SIGTERM');
  }

  #powerOff(instanceId: string, down: boolean): void {
    this.#turns.delete(instanceId);
    this.#machines.get(instanceId)?.signal('SIGKILL');
    if (!down) return;
    this.#machines.delete(instanceId);
    const work = this.#options.imds.shut(instanceId);
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
  }
}
