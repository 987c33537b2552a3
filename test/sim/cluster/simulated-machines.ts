import type { SimEvent, TransitionEvent } from '@understudy/cloud-sim';
import { TAG } from '@understudy/shared';
import { Machine } from './machine.ts';
import type { ScriptedAgent } from './scripted-agent.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';

/** Runs a machine for every member's instance that is powered, as EC2's own events say. */
export class SimulatedMachines {
  readonly #cluster: SimulatedCluster;
  readonly #machines = new Map<string, Machine>();
  /** Replacements that will come up without an agent. */
  #stillborn = 0;
  #spoiled = 0;
  #boots = 0;
  /** Instances are seeded as having run for long. */
  settled = false;

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
  }

  get all(): IterableIterator<Machine> {
    return this.#machines.values();
  }

  of(instanceId: string): Machine | undefined {
    return this.#machines.get(instanceId);
  }

  /** @throws Error when the instance is off, or crashed */
  mustRun(instanceId: string): Machine {
    const machine = this.#machines.get(instanceId);
    if (!machine) throw new Error(`no machine runs for ${instanceId}`);
    return machine;
  }

  /** The scripted agents that run, by instance id. */
  get scriptedAgents(): ReadonlyMap<string, ScriptedAgent> {
    const agents = new Map<string, ScriptedAgent>();
    for (const [instanceId, { scriptedAgent }] of this.#machines)
      if (scriptedAgent) agents.set(instanceId, scriptedAgent);
    return agents;
  }

  /** The next `count` instances that are launched boot into nothing. */
  spoilNext(count: number): void {
    this.#stillborn += count;
  }

  forgiveSpoiled(): void {
    this.#stillborn = 0;
  }

  onEvent(event: SimEvent): void {
    if (event.kind !== 'transition' || event.resourceKind !== 'instance') return;
    if (event.to === 'running') this.#onRunning(event);
    else if (event.to === 'stopping' || event.to === 'shutting-down') this.#onStopping(event);
    else if (event.to === 'stopped' || event.to === 'terminated' || event.to === null) this.#off(event.resourceId);
  }

  #onRunning(event: TransitionEvent): void {
    if (event.detail['crash'] === true) return this.#off(event.resourceId);
    if (event.detail['hang'] === true) return this.#machines.get(event.resourceId)?.pause();
    if (event.detail['resume'] === true) return this.#machines.get(event.resourceId)?.resume();
    if (event.detail['reboot'] === true) this.#off(event.resourceId);
    if (!this.#machines.has(event.resourceId)) this.#on(event.resourceId);
  }

  #on(instanceId: string): void {
    const instance = this.#cluster.cloud.core.region.instances.get(instanceId);
    const group = instance?.tags[TAG.group];
    const name = instance?.tags[TAG.member];
    if (!instance || group === undefined || name === undefined) return;
    const identity = {
      instanceId,
      member: `${group}/${name}` as const,
      az: instance.az,
      rootVolumeId: this.#rootVolumeOf(instanceId),
      address: this.#cluster.parts.agents === 'scripted' ? this.#privateIpOf(instanceId) : null,
    };
    const machine = new Machine(this.#cluster, identity, (this.#boots += 1));
    this.#machines.set(instanceId, machine);
    if (this.#stillborn > 0 && this.settled) this.#spoil(machine);
    else machine.boot(!this.settled);
    this.#cluster.healthChanged();
  }

  #privateIpOf(instanceId: string): string | null {
    const { networkInterfaces } = this.#cluster.cloud.core.region;
    return networkInterfaces.all().find((one) => one.attachment?.instanceId === instanceId)?.privateIp ?? null;
  }

  #spoil(machine: Machine): void {
    machine.isStillborn = true;
    this.#stillborn -= 1;
    this.#spoiled += 1;
  }

  /** Machines that booted into nothing, ever. */
  get spoiledCount(): number {
    return this.#spoiled;
  }

  #rootVolumeOf(instanceId: string): string {
    const { instances, volumes } = this.#cluster.cloud.core.region;
    const instance = instances.get(instanceId);
    const root = instance?.volumeIds.find((volumeId) =>
      volumes
        .get(volumeId)
        ?.attachments.some((one) => one.instanceId === instanceId && one.device === instance.rootDeviceName),
    );
    return root ?? '';
  }

  /**
   * A guest that is not asked goes on until the power is gone: the hardest case for whoever wants
   * to replace it.
   */
  #onStopping(event: TransitionEvent): void {
    if (event.detail['skipOsShutdown'] !== true) this.#machines.get(event.resourceId)?.shutDown();
  }

  #off(instanceId: string): void {
    const machine = this.#machines.get(instanceId);
    if (!machine) return;
    this.#machines.delete(instanceId);
    machine.powerOff();
  }
}
