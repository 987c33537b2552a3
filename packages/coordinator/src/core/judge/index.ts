export { assess } from './assess.ts';
export * from './evidence.ts';
export { guard } from './guard.ts';
export type {
  ActivePause,
  FleetMember,
  GateResult,
  GuardAnswer,
  GuardInput,
  GuardLimits,
  StartedRecovery,
} from './guard-input.ts';
