import type { MemberId } from '@understudy/shared';
import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';
import { type Fault, describeFault, type Stage } from './fault.ts';
import { Stages } from './stages.ts';
import { inject } from './inject.ts';
import type { ActiveFault } from './active-fault.ts';

/** What became of one fault of the list. */
export interface FaultOutcome {
  readonly fault: Fault;
  /**
   * `waiting`: its moment never came. `nothing-to-hit`: it came, and there was nothing.
   * `no-effect`: in force, but nobody met it.
   */
  readonly result: 'waiting' | 'nothing-to-hit' | 'no-effect' | 'happened';
  /** Where recoveries stood when it was injected. */
  readonly stages: readonly Stage[];
}

interface InForce {
  readonly fault: Fault;
  readonly active: ActiveFault;
  readonly stages: readonly Stage[];
}

/** Injects a list of faults, each at its moment, and takes each back when its time is over. */
export class Injector {
  readonly #cluster: SimulatedCluster;
  readonly #stages: Stages;
  readonly #outcomes = new Map<string, FaultOutcome>();
  readonly #inForce = new Map<string, InForce>();
  /** Faults that wait for a stage. */
  #waiting: Fault[] = [];
  #enteredCounts = new Map<Stage, number>();
  #spell = 0;

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
    this.#stages = new Stages(cluster.keys, (stage, member) => this.#entered(stage, member));
    cluster.listen((clusterEvent) => this.#stages.onClusterEvent(clusterEvent));
  }

  outcomes(): readonly FaultOutcome[] {
    return [...this.#outcomes.values()];
  }

  /** Moments in `faults` count from now. What an earlier list left waiting is dropped. */
  arm(faults: readonly Fault[]): void {
    this.#spell += 1;
    this.#enteredCounts = new Map();
    this.#waiting = faults.filter((fault) => 'stage' in fault.when);
    for (const fault of faults) {
      this.#outcomes.set(fault.id, { fault, result: 'waiting', stages: [] });
      if ('atMs' in fault.when) this.#later(fault.when.atMs, fault, null);
    }
  }

  forget(): void {
    this.#outcomes.clear();
  }

  /** Everything as before, at once. */
  heal(): void {
    this.#spell += 1;
    this.#waiting = [];
    for (const id of [...this.#inForce.keys()]) this.#end(id);
  }

  #entered(stage: Stage, member: MemberId): void {
    const count = (this.#enteredCounts.get(stage) ?? 0) + 1;
    this.#enteredCounts.set(stage, count);
    for (const fault of [...this.#waiting]) {
      if (!('stage' in fault.when) || fault.when.stage !== stage || fault.when.nth !== count) continue;
      this.#waiting = this.#waiting.filter((one) => one !== fault);
      this.#later(fault.when.afterMs, fault, member);
    }
  }

  #later(afterMs: number, fault: Fault, member: MemberId | null): void {
    const spell = this.#spell;
    this.#cluster.kernel.setTimer(afterMs, () => {
      if (this.#spell === spell) this.#inject(fault, member);
    });
  }

  #inject(fault: Fault, struckMember: MemberId | null): void {
    const stages = this.#stages.now();
    const active = inject(fault, { cluster: this.#cluster, struckMember });
    this.#cluster.tell({
      kind: 'fault',
      id: fault.id,
      what: `${describeFault(fault)}${active ? '' : ': nothing to hit'}`,
    });
    if (!active) {
      this.#outcomes.set(fault.id, { fault, result: 'nothing-to-hit', stages });
      return;
    }
    this.#inForce.set(fault.id, { fault, active, stages });
    const spell = this.#spell;
    this.#cluster.kernel.setTimer(fault.forMs, () => {
      if (this.#spell === spell) this.#end(fault.id);
    });
  }

  #end(id: string): void {
    const one = this.#inForce.get(id);
    if (!one) return;
    this.#inForce.delete(id);
    one.active.undo();
    const result = one.active.happened() ? 'happened' : 'no-effect';
    this.#cluster.tell({ kind: 'fault', id, what: `over: ${result}` });
    this.#outcomes.set(id, { fault: one.fault, result, stages: one.stages });
  }
}
