import type { Fault } from './faults/fault.ts';
import type { InvariantId } from './invariants/invariant.ts';
import { type RunResult, type RunSpec, simulate } from './simulation.ts';

export interface Shrunk {
  readonly result: RunResult;
  readonly runs: number;
}

export interface ShrinkOptions {
  readonly runsMax: number;
  readonly onStep?: (text: string) => void;
  /** Default: the simulation. */
  readonly run?: (spec: RunSpec) => Promise<RunResult>;
}

type Episodes = readonly (readonly Fault[])[];

/**
 * Finds a smaller run that breaks the same invariant: fewer faults (delta debugging, Zeller and
 * Hildebrandt 2002), then fewer members. Ends after `runsMax` runs with the smallest found so far.
 */
export async function shrink(failed: RunResult, invariant: InvariantId, options: ShrinkOptions): Promise<Shrunk> {
  const shrinker = new Shrinker(failed, invariant, options);
  await shrinker.dropFaults();
  await shrinker.dropMembers();
  return { result: shrinker.best, runs: shrinker.runs };
}

class Shrinker {
  best: RunResult;
  runs = 0;
  readonly #invariant: InvariantId;
  readonly #options: ShrinkOptions;

  constructor(failed: RunResult, invariant: InvariantId, options: ShrinkOptions) {
    this.best = { ...failed, spec: { ...failed.spec, faults: failed.faults } };
    this.#invariant = invariant;
    this.#options = options;
  }

  get #all(): readonly Fault[] {
    return this.best.faults.flat();
  }

  /** Takes ever smaller portions out, for as long as the rest still fails. */
  async dropFaults(): Promise<void> {
    let portions = 2;
    while (this.#all.length > 0 && this.runs < this.#options.runsMax) {
      const all = this.#all;
      const size = Math.ceil(all.length / portions);
      if (await this.#dropOneOf(all, size)) portions = Math.max(2, portions - 1);
      else if (size === 1) return;
      else portions = Math.min(all.length, portions * 2);
    }
  }

  async #dropOneOf(all: readonly Fault[], size: number): Promise<boolean> {
    for (let from = 0; from < all.length && this.runs < this.#options.runsMax; from += size) {
      const out = new Set(all.slice(from, from + size).map((fault) => fault.id));
      const faults = this.best.faults.map((episode) => episode.filter((fault) => !out.has(fault.id)));
      if (await this.#stillFails({ ...this.best.spec, faults: withoutEmptyEnd(faults) })) return true;
    }
    return false;
  }

  async dropMembers(): Promise<void> {
    for (const members of [1, 2, 3, 5, 8, 12]) {
      if (members >= this.best.spec.members || this.runs >= this.#options.runsMax) return;
      if (await this.#stillFails({ ...this.best.spec, members })) return;
    }
  }

  async #stillFails(spec: RunSpec): Promise<boolean> {
    this.runs += 1;
    const result = await (this.#options.run ?? simulate)(spec);
    if (!result.violations.some((violation) => violation.invariant === this.#invariant)) return false;
    this.best = { ...result, spec: { ...spec, days: daysOf(result) } };
    this.#options.onStep?.(`${this.#all.length} faults, ${spec.members} members still break ${this.#invariant}`);
    return true;
  }
}

/** The time the violation takes, so that nothing after it is run. */
const daysOf = (result: RunResult): number => Math.max(1e-3, Math.ceil((result.simulatedMs / 86_400_000) * 1e3) / 1e3);

function withoutEmptyEnd(episodes: Episodes): Episodes {
  const last = episodes.findLastIndex((episode) => episode.length > 0);
  return episodes.slice(0, Math.max(1, last + 1));
}
