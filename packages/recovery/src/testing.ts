/** What tests of other packages, and the tools in test/, use beyond the public entry. */
export {
  buildImageRequest,
  buildLaunchRequest,
  buildPermitRequest,
  disksToKeep,
  type RequestIntent,
  volumeTagsToReapply,
} from './core/launch-request.ts';
export { stepId } from './core/step-id.ts';
export { makePlan } from './core/plan.ts';
export type { StepState } from './core/step-table.ts';
export { stepsReady } from './plan/plan-for.ts';
export type { OpenIntent } from './runner.ts';
