import type { MemberId } from '@understudy/shared';
import type { World } from '../cluster/world.ts';
import { type Fault, describeFault, type Stage } from './fault.ts';
import { Stages } from './stages.ts';
import { strike } from './strikes.ts';
import type { Struck } from './struck.ts';

/** What became of one fault of the list. */
export interface FaultOutcome {
  readonly fault: Fault;
  /** `waiting`: its moment never came. `nothing-to-hit`: it came, and there was nothing. `no-effect`: in force, but nobody met it. */
  readonly result: 'waiting' | 'nothing-to-hit' | 'no-effect' | 'happened';
  /** Where recoveries stood when it struck. */
  readonly stages: readonly Stage[];
}

interface InForce {
  readonly fault: Fault;
  readonly struck: Struck;
  readonly stages: readonly Stage[];
}

/** Lets a list of faults strike, each at its moment, and takes each back when its time is over. */
export class Injector {
  readonly #world: World;
  readonly #stages: Stages;
  readonly #outcomes = new Map<string, FaultOutcome>();
  readonly #inForce = new Map<string, InForce>();
  /** Faults that wait for a stage. */
  #waiting: Fault[] = [];
  #enteredCounts = new Map<Stage, number>();
  #spell = 0;

  constructor(world: World) {
    this.#world = world;
    this.#stages = new Stages(world.keys, (stage, member) => this.#entered(stage, member));
    world.witness((happening) => this.#stages.witness(happening));
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
    this.#world.kernel.setTimer(afterMs, () => {
      if (this.#spell === spell) this.#strike(fault, member);
    });
  }

  #strike(fault: Fault, struckMember: MemberId | null): void {
    const stages = this.#stages.now();
    const struck = strike(fault, { world: this.#world, struckMember });
    this.#world.tell({
      kind: 'fault',
      id: fault.id,
      what: `${describeFault(fault)}${struck ? '' : ': nothing to hit'}`,
    });
    if (!struck) {
      this.#outcomes.set(fault.id, { fault, result: 'nothing-to-hit', stages });
      return;
    }
    this.#inForce.set(fault.id, { fault, struck, stages });
    const spell = this.#spell;
    this.#world.kernel.setTimer(fault.forMs, () => {
      if (this.#spell === spell) this.#end(fault.id);
    });
  }

  #end(id: string): void {
    const one = this.#inForce.get(id);
    if (!one) return;
    this.#inForce.delete(id);
    one.struck.undo();
    const result = one.struck.happened() ? 'happened' : 'no-effect';
    this.#world.tell({ kind: 'fault', id, what: `over: ${result}` });
    this.#outcomes.set(id, { fault: one.fault, result, stages: one.stages });
  }
}
