export { assess } from './assess.ts';
export * from './evidence.ts';
export { type Decision, explain, type Explanation } from './explain.ts';
export { guard } from './guard.ts';
export type {
  FleetMember,
  GateResult,
  GuardAnswer,
  GuardInput,
  GuardLimits,
  Objection,
  StartedRecovery,
} from './guard-input.ts';
export { guardQuorum } from './quorum.ts';
export { nextStatusReading } from './status-reading.ts';
export { type VerdictChange, VerdictChanges } from './verdict-changes.ts';
export * from './pauses.ts';
export * from './lost-zones.ts';
export * from './own-stop.ts';
