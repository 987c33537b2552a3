/** Carries out recoveries: plan, steps, journal, collector. */
export { Collector } from './collector/collector.ts';
export { hasActivated, undecidedRecovery } from './core/activated.ts';
export { choreKey, choreText } from './core/chores.ts';
export { handBackOf } from './core/hand-back/hand-back.ts';
export type { HandBackFacts } from './core/hand-back/facts.ts';
export { type InstanceSight, instanceSight } from './core/hand-back/instance-sight.ts';
export { type HandBackRecoveries, handBackRecoveries } from './core/hand-back/recoveries.ts';
export { journalFacts } from './core/journal-facts.ts';
export { launchPlan } from './core/launch-plan.ts';
export { LATE_CALL_MS, type LateDetach, lateDetachesOf, withLateCalls } from './core/late-calls.ts';
export { olderSnapshots } from './core/paths/older-snapshots.ts';
export { pathTexts } from './core/paths/path-text.ts';
export { NOT_TRIED } from './core/launch-trial.ts';
export { recoveryBehind, withOwed } from './core/owed.ts';
export type { LaunchTrial, PlanInput } from './core/plan-input.ts';
export { type Duration, roughly } from './core/predict/duration.ts';
export { type MeasuredSteps, measuredSteps } from './core/predict/measured.ts';
export type { PredictedStep, Prediction } from './core/predict/predict.ts';
export { undoText, type UndoWindow } from './core/predict/undo-window.ts';
export { type PlanResult, readinessProblemsOf } from './core/plan.ts';
export { decideUndo, recoveryToUndo, type UndoFacts, type UndoVerdict } from './core/undo/undo-decision.ts';
export { FirstSeen } from './core/serve-lease/first-seen.ts';
export {
  answersHoldMsOf,
  contractDue,
  type LeaseStanding,
  leaseStanding,
  promiseFault,
  sameTerms,
  type ServeTerms,
} from './core/serve-lease/serve-lease.ts';
export type { ServeLeases } from './core/serve-lease/serve-leases.ts';
export { goesOnWith, triedFor } from './core/ladder/this-failure.ts';
export { inQuarantine, preparable, takenOver } from './core/preparation.ts';
export { amountOf, mostCost, tooDear } from './core/preparation-cost.ts';
export { planWithRoom, roomText } from './preparation/room-found.ts';
export { readStepId } from './core/step-id.ts';
export { keyIdInUserData } from './core/user-data/agent-key-id.ts';
export { RecoveryEngine } from './engine.ts';
export { FailureHooks, type StoredHistory } from './failure-hooks.ts';
export { type CalledOff, LateStarts } from './late-starts.ts';
export { openLateStartOf } from './core/undo/late-start.ts';
export { gatherPlanInput } from './plan/gather-plan-input.ts';
export { KeptReadsOf } from './plan/kept-reads.ts';
export { KeyLooks } from './plan/key-looks.ts';
export { rungTries } from './core/ladder/rung-forecast.ts';
export { type Failure, planByLadder, rungsKnown } from './plan/plan-by-ladder.ts';
export { NameLooks } from './plan/name-looks.ts';
export { firstSteps, levelNeeded, planByStrategy, planFor, planUndo } from './plan/plan-for.ts';
export { predictPlan } from './plan/predict-plan.ts';
export { type PlannedStep, plannedSteps, type ShownCall } from './plan/planned-steps.ts';
export { type StandIns, standInsOf } from './plan/stand-ins.ts';
export { trialLaunchOf, tryLaunch, wantsTrial } from './plan/try-launch.ts';
export type { CallTrial, PlannedCall } from './planned-call.ts';
export { OwnershipWatch, strayTexts, type WatchedRecovery } from './ownership-watch.ts';
export type { OpenPreparation, PreparationOutcome } from './preparation/preparation-outcome.ts';
export { leftoverText } from './registered.ts';
export type { RecoveryActivity, RecoveryRunner, RecoveryRunOutcome, StepActivity } from './runner.ts';
export type { RecoverySettings } from './settings.ts';
export { supersede } from './supersede.ts';
export { withoutCollecting } from './undo-books.ts';
