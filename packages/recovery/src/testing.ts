/** What tests of other packages, and the tools in test/, use beyond the public entry. */
export { NO_ATTRIBUTES, NOT_LOOKED_AT } from './core/fidelity/not-read.ts';
export { firstBootOf } from './core/user-data/first-boot.ts';
export { FIDELITY } from './core/fidelity/table.ts';
export {
  buildImageRequest,
  buildLaunchRequest,
  buildPermitRequest,
  type RequestIntent,
} from './core/launch-request.ts';
export { LAUNCH_ERRORS } from './core/launch-errors.ts';
export { lateDetachesOf, lateDetachObstacle } from './core/late-calls.ts';
export { makePlan } from './core/plan.ts';
export { disksToKeep } from './core/planned-volumes.ts';
export { inQuarantine, preparable, takenOver } from './core/preparation.ts';
export { stepId } from './core/step-id.ts';
export type { StepRow, StepState } from './core/step-table.ts';
export { volumeTagsToReapply } from './core/volume-tags.ts';
export type { Call } from './effect.ts';
export { type IdentityMove, identityMove, type ItemMove } from './identity/identity-move.ts';
export { stepsReady } from './plan/plan-for.ts';
export { isLater } from './planned-call.ts';
export { REGISTERED } from './registered.ts';
export { type RecoveryRegistry, stepsOf } from './registry.ts';
export { Run } from './run.ts';
export type { OpenIntent } from './runner.ts';
export { type StepKind, stepKind } from './step-kind.ts';
export { NOTHING_KEPT } from './step-record.ts';
export { ACTIVATE } from './steps/activate-record.ts';
export { replacementOf } from './steps/activate.ts';
export { LAUNCH, PERMIT, REVOKE, VERIFY } from './steps/attempt-records.ts';
export { DONE } from './steps/done.ts';
export { FENCE } from './steps/fence-record.ts';
export type { Strategy, VolumePath } from './strategy.ts';
