import type { BuildInfo } from './build-info.ts';
import type { NodeRuntime } from './node-runtime.ts';

/** One program of ours with the Node that runs it, for one architecture. */
export interface ShippedProgram<Code> {
  readonly build: BuildInfo;
  readonly code: Code;
  readonly node: NodeRuntime;
  /** What is inside, as CycloneDX. */
  readonly bill: string;
}
