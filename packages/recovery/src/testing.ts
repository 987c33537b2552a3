/** What tests of other packages, and the tools in test/, use beyond the public entry. */
export { NO_ATTRIBUTES, NOT_LOOKED_AT } from './core/fidelity/not-read.ts';
export { FIDELITY } from './core/fidelity/table.ts';
export {
  buildImageRequest,
  buildLaunchRequest,
  buildPermitRequest,
  type RequestIntent,
} from './core/launch-request.ts';
export { makePlan } from './core/plan.ts';
export { disksToKeep } from './core/planned-volumes.ts';
export { stepId } from './core/step-id.ts';
export type { StepState } from './core/step-table.ts';
export { volumeTagsToReapply } from './core/volume-tags.ts';
export { stepsReady } from './plan/plan-for.ts';
export type { OpenIntent } from './runner.ts';
