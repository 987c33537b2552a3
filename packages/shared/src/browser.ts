/**
 * What runs in a browser: types of the API's bodies, and words. Nothing here needs Node, and
 * nothing brings a schema along, so that the page stays small.
 */
export type {
  ExplainView,
  LeftoverView,
  OpenRecoveryView,
  OpenStepView,
  PendingRequest,
  RecoveriesView,
  Standing,
  StatusView,
} from './api.ts';
export type { HeldView, PausesView } from './api-commands.ts';
export type { EnrolmentsView } from './api/enrolments.ts';
export type { InventoryPage, InventoryStanding, InventoryVersion } from './api/inventory.ts';
export type { PlannedStepView, PlanView } from './api/plan.ts';
export type { MemberReadiness, ReadinessView } from './api/readiness.ts';
export type { UndoPreviewView } from './api/undo.ts';
export type { FleetDelta, FleetHeard, FleetMember, FleetObserver, FleetView } from './api/fleet.ts';
export { staysInPlace } from './in-place-strategies.ts';
export { recoveryWords } from './recovery-words.ts';
export type { HistoryRecord } from './records/recovery.ts';
export type { HoldReason } from './records/cluster.ts';
export type { Problem } from './problem.ts';
export { durationText } from './duration-text.ts';
export { LADDER_RUNGS } from './ladder-rungs.ts';
export { permissionCounts, permissionsText } from './permissions-text.ts';
export { preparedText } from './prepared-text.ts';
export { deedText } from './deed-text.ts';
export { hookEndText } from './hook-end-text.ts';
export { harmlessText, shownLines } from './harmless-text.ts';
export { commandsFor, WAYS_OUT } from './ways-out.ts';
