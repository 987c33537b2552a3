import type { MemberId } from '@understudy/shared';
import type { Lab } from './lab/lab.ts';

/** What a scenario found out. */
export interface ScenarioResult {
  /** How we know that the fault really happened, with figures. */
  readonly evidence: string;
  /** What happened then. */
  readonly outcome: string;
  /** Members whose failure this scenario caused: only these may be replaced. */
  readonly victims: readonly MemberId[];
  /** Of those, the ones that must have been replaced, exactly once each. */
  readonly replaced: readonly MemberId[];
  /** Those of which a person ended one recovery without a replacement; default none. */
  readonly abandoned?: readonly MemberId[];
}

/**
 * One row of the table. `run` strikes, asserts that the fault struck, waits for the outcome;
 * healing, convergence and invariants come after.
 */
export interface Scenario {
  readonly name: string;
  readonly fault: string;
  readonly expected: string;
  /** Why it cannot be run here, in words; null when it can. */
  readonly refusal?: (lab: Lab) => string | null;
  readonly run: (lab: Lab) => Promise<ScenarioResult>;
}
