import type { MemberId } from '@understudy/shared';
import type { Lab } from './lab/lab.ts';

/** The result of a scenario. */
export interface ScenarioResult {
  /** How we know that the fault really happened, with figures. */
  readonly evidence: string;
  /** What happened then. */
  readonly outcome: string;
  /** Members whose failure this scenario caused. Only these may be replaced. */
  readonly victims: readonly MemberId[];
  /** The victims that must have been replaced, exactly once each. */
  readonly replaced: readonly MemberId[];
  /** The victims of which a person ended one recovery without a replacement. Default none. */
  readonly abandoned?: readonly MemberId[];
  /** The victims that came back on the instance they had, by exactly one recovery. Default none. */
  readonly mended?: readonly MemberId[];
  /** The victims of which a person has put the one recovery back. Default none. */
  readonly undone?: readonly MemberId[];
}

/**
 * One row of the table. `run` strikes, asserts that the fault struck, and waits for the outcome.
 * Healing, convergence and invariants come after.
 */
export interface Scenario {
  readonly name: string;
  readonly fault: string;
  readonly expected: string;
  /** Why it cannot be run here, in words. Null when it can. */
  readonly refusal?: (lab: Lab) => string | null;
  readonly run: (lab: Lab) => Promise<ScenarioResult>;
}
