import type { Cluster } from './cluster/cluster.ts';

export interface ScenarioResult {
  /** How we know that the fault really happened, with figures. */
  readonly evidence: string;
  /** What happened then. */
  readonly outcome: string;
}

/**
 * One row of the table: one file in `scenarios`, and one line in `scenarios/index.ts`. `run`
 * strikes, asserts that the fault struck, and waits for the outcome. That all is well again comes
 * after.
 */
export interface Scenario {
  readonly name: string;
  readonly fault: string;
  readonly expected: string;
  /** It makes no sense with one coordinator. */
  readonly needsThree?: true;
  readonly run: (cluster: Cluster) => Promise<ScenarioResult>;
}
