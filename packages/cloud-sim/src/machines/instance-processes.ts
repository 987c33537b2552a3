import { isPrimary, type SimInstance } from '../core/model.ts';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorText, type Log } from '@understudy/shared';
import type { CloudSim } from '../cloud-sim.ts';
import type { SimEvent, TransitionEvent } from '../core/event-log.ts';
import type { ImdsEndpoints } from '../http/imds-endpoints.ts';
import type { VolumeFolders } from './volume-folders.ts';
import type { Machine } from './machine.ts';
import type { MachineBoot, MachineDriver } from './machine-driver.ts';

export interface InstanceProcessesOptions {
  readonly sim: CloudSim;
  readonly disks: VolumeFolders;
  readonly imds: ImdsEndpoints;
  readonly workDir: string;
  readonly driver: MachineDriver;
  readonly log: Log;
}

/**
 * Runs a machine for each running instance and gives it a metadata service and disks. Follows the
 * core's events.
 */
export class InstanceProcesses {
  readonly #options: InstanceProcessesOptions;
  readonly #machines = new Map<string, Machine>();
  /** Number of the boot in progress per instance. A newer event makes an older boot void. */
  readonly #turns = new Map<string, number>();
  readonly #work = new Set<Promise<void>>();
  /** Ends each wait for the first reads of a boot. */
  readonly #reading = new Set<() => void>();
  /** Instances that are stopped, and whose machine still writes. */
  readonly #outlivesItsStop = new Set<string>();
  #turn = 0;
  #closed = false;

  constructor(options: InstanceProcessesOptions) {
    this.#options = options;
  }

  onEvent(event: SimEvent): void {
    if (event.kind !== 'transition' || this.#closed) return;
    if (event.resourceKind === 'volume') return this.#onVolume(event);
    if (event.resourceKind !== 'instance') return;
    const id = event.resourceId;
    if (event.to === 'running') this.#onRunning(event);
    else if (event.to === 'stopping' || event.to === 'shutting-down') this.#powerDown(id, event);
    else if (event.to === 'stopped' && typeof event.detail['lateWritesMs'] === 'number') this.#outlivesItsStop.add(id);
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
    for (const end of [...this.#reading]) end();
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

  /** What writes after its stop ends when its disk is taken, or when its time is over. */
  #onVolume({ to, detail }: TransitionEvent): void {
    const id = detail['instanceId'];
    if (typeof id !== 'string' || !this.#outlivesItsStop.has(id)) return;
    if (detail['written'] !== true && to !== 'available') return;
    this.#outlivesItsStop.delete(id);
    this.#powerOff(id, true);
  }

  #machineDir(instanceId: string): string {
    return join(this.#options.workDir, 'machines', instanceId);
  }

  #onRunning(event: TransitionEvent): void {
    if (event.detail['crash'] === true) return this.#powerOff(event.resourceId, false);
    const machine = this.#machines.get(event.resourceId);
    if (event.detail['hang'] === true || event.detail['resume'] === true) {
      return machine?.hold(event.detail['hang'] === true);
    }
    if (event.detail['reboot'] === true && machine !== undefined) this.#options.driver.reboot(machine);
    const slowMs = event.detail['firstReadsMs'];
    this.#begin(event.resourceId, typeof slowMs === 'number' ? slowMs : 0);
  }

  /** `slowMs`: how long its first reads of volumes from snapshots hold it up. */
  #begin(instanceId: string, slowMs = 0): void {
    const turn = ++this.#turn;
    this.#turns.set(instanceId, turn);
    const work = this.#boot(instanceId, turn, slowMs).catch((error: unknown) => {
      this.#options.log.error('cloud-sim.machine.boot-failed', { instanceId, error: errorText(error) });
    });
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
  }

  #whileReading(slowMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#reading.delete(end);
        resolve();
      };
      const timer = this.#options.sim.clock.setTimer(slowMs, end);
      this.#reading.add(end);
    });
  }

  async #boot(instanceId: string, turn: number, slowMs: number): Promise<void> {
    const { imds, sim, log } = this.#options;
    const port = await imds.open(instanceId);
    await this.#machines.get(instanceId)?.exited;
    if (slowMs > 0) await this.#whileReading(slowMs);
    const instance = sim.core.region.instances.get(instanceId);
    if (this.#closed || this.#turns.get(instanceId) !== turn || instance?.state !== 'running') return;
    const machine = this.#options.driver.boot(this.#bootOf(instance, imds.url(port)));
    if (machine === null) return;
    this.#machines.set(instanceId, machine);
    log.info('cloud-sim.machine.booted', { instanceId, pid: machine.pid, imdsPort: port });
    void machine.exited.then((code) => this.#onExit(instanceId, machine, code));
  }

  #onExit(instanceId: string, machine: Machine, code: number | null): void {
    this.#options.log.info('cloud-sim.machine.exited', { instanceId, pid: machine.pid, code });
    if (machine.signalled || this.#closed || this.#machines.get(instanceId) !== machine) return;
    const meant = this.#options.driver.endedByItself(code);
    if (meant === 'power-off') this.#options.sim.shutDownFromInside(instanceId);
    if (meant === 'reboot') this.#begin(instanceId);
  }

  #bootOf(instance: SimInstance, imdsUrl: string): MachineBoot {
    const { networkInterfaces } = this.#options.sim.core.region;
    const primary = instance.networkInterfaceIds
      .map((id) => networkInterfaces.get(id))
      .find((one) => isPrimary(one?.attachment));
    return {
      instance,
      privateIp: primary?.privateIp ?? '',
      macAddress: primary?.macAddress ?? '',
      rootDir: this.rootDir(instance.id),
      dataDisks: this.#volumes(instance)
        .filter(({ device }) => device !== instance.rootDeviceName)
        .map(({ device, volumeId }) => ({ device, dir: this.#options.disks.volumeDir(volumeId) })),
      machineDir: this.#machineDir(instance.id),
      imdsUrl,
    };
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
    if (typeof event.detail['lateWritesMs'] === 'number') return;
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
