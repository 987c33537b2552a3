import type { Machine } from '../cluster/machine.ts';
import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';

interface Spell {
  /** Since when something is wrong; null: nothing is. */
  downSinceMs: number | null;
  /** Spells of trouble that are over. */
  past: { readonly fromMs: number; readonly toMs: number }[];
}

/** How far back a trouble can be the reason of a failover. */
const REMEMBER_MS = 180_000;

/**
 * The truth about every machine, as nobody inside the simulation knows it: is it on, does its agent
 * run, and does at least what it sends reach every coordinator?
 */
export class Health {
  readonly #cluster: SimulatedCluster;
  readonly #spells = new Map<string, Spell>();

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
    cluster.onHealthChange(() => this.#look());
  }

  /**
   * The longest trouble of the machine within the time that matters, the present one included; ms.
   */
  longestTroubleMs(instanceId: string): number {
    const nowMs = this.#cluster.kernel.monotonicMs();
    // What has no machine is down, and was for as long as anybody can tell.
    const spell = this.#spells.get(instanceId);
    if (!this.#cluster.machines.of(instanceId) || !spell) return Number.POSITIVE_INFINITY;
    const past = spell.past.filter(({ toMs }) => nowMs - toMs < REMEMBER_MS).map(({ fromMs, toMs }) => toMs - fromMs);
    return Math.max(0, ...past, spell.downSinceMs === null ? 0 : nowMs - spell.downSinceMs);
  }

  #look(): void {
    const nowMs = this.#cluster.kernel.monotonicMs();
    for (const machine of this.#cluster.machines.all) this.#note(machine, nowMs);
    for (const [instanceId, spell] of this.#spells) {
      if (this.#cluster.machines.of(instanceId)) continue;
      // Off is down, and stays part of its story when it is switched on again.
      spell.downSinceMs ??= nowMs;
      if (!this.#cluster.cloud.core.region.instances.get(instanceId)) this.#spells.delete(instanceId);
    }
  }

  #note(machine: Machine, nowMs: number): void {
    const { instanceId } = machine.identity;
    const spell: Spell = this.#spells.get(instanceId) ?? { downSinceMs: nowMs, past: [] };
    this.#spells.set(instanceId, spell);
    const well = machine.agentRuns && this.#reachesAll(machine);
    if (!well) spell.downSinceMs ??= nowMs;
    else if (spell.downSinceMs !== null) {
      spell.past = [...spell.past.slice(-20), { fromMs: spell.downSinceMs, toMs: nowMs }];
      spell.downSinceMs = null;
    }
  }

  #reachesAll(machine: Machine): boolean {
    const { hosts, network } = this.#cluster;
    return hosts.every((host) => !network.isCut(machine.node, host.node));
  }
}
