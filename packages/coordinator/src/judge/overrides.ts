import type { HoldReason } from '@understudy/shared';
import type { GateResult, Overrides } from './guard-input.ts';

interface Rule {
  readonly may: boolean;
  /** Why, in one sentence. */
  readonly because: string;
}

const may = (because: string): Rule => ({ may: true, because });
const never = (because: string): Rule => ({ may: false, because });

const OF_A_RECOVERY = never('it is no gate, but where an open recovery stands: retry, replan or abandon it');
const NOT_DEAD = never('it is no gate: whoever is not known to be dead is not replaced (S10, S11)');

/**
 * **S** Which gates a person may override (S25). A gate that weighs what is *likely* (too many at
 * once, too soon, too often, not now) may be: a person can know better. One that says that we do
 * not *know* enough, or that acting would break what makes a replacement happen exactly once, never
 * is. No gate, and no override, stands in the way of the verdict, the fence, or the plan.
 */
export const OVERRIDE_RULES: Readonly<Record<HoldReason, Rule>> = {
  MassFailure: may('a person can see whether it is the network or the machines'),
  ZoneFailure: may('a person can see whether the zone is lost'),
  BudgetExhausted: may('the pace is a precaution against our own errors'),
  GroupConcurrency: may('how many at a time is a matter of the group'),
  Cooldown: may('a person has looked at what happened last'),
  Flapping: may('a person has looked at what happened last'),
  BootGrace: may('it only gives a fresh instance time to come up'),
  RecoveringByEc2: may('a person can see whether EC2 gets anywhere'),
  MaintenanceWindow: may('who maintains knows what is being maintained'),
  Protected: may('the tag keeps us from deciding by ourselves, not a person'),
  Paused: never('it is the word of a person: end the pause, which shows whose it is'),
  ObserverUnwell: never('the coordinator that would act does not trust what it sees'),
  NotEnoughObservers: never('too few have an opinion to call anybody dead (S10)'),
  TwoInstancesClaimMember: never('nobody can tell which of two instances it is about'),
  ClaimAgainstActivation: never('nobody can tell which of two instances it is about'),
  RecordUnreadable: never('what cannot be read may say that it is already done'),
  NotReady: never('a recovery of this name has ended: its tokens must not be used twice (S5, S6)'),
  NeverHeard: NOT_DEAD,
  ProbeAnswered: NOT_DEAD,
  KeyRetired: NOT_DEAD,
  TwoAgents: NOT_DEAD,
  Abandoned: never('it is no gate: recover without an override begins one'),
  StoppedByOwnFence: never('it is no gate: recover without an override begins one'),
  FenceNotProven: never('nothing is done before the old instance is seen stopped (S4)'),
  CaptureFailed: OF_A_RECOVERY,
  CaptureTimeout: OF_A_RECOVERY,
  VolumeNotFree: OF_A_RECOVERY,
  KmsKeyUnusable: OF_A_RECOVERY,
  NoPlacementLeft: OF_A_RECOVERY,
  NoCapacity: OF_A_RECOVERY,
  LaunchAttemptsExhausted: OF_A_RECOVERY,
  AddressHeldElsewhere: OF_A_RECOVERY,
  HookRefused: OF_A_RECOVERY,
  RecordChanged: OF_A_RECOVERY,
  TargetNotHealthy: OF_A_RECOVERY,
  CloudDenied: OF_A_RECOVERY,
  CloudRejected: OF_A_RECOVERY,
  CloudUnavailable: OF_A_RECOVERY,
};

/**
 * The gate as it is after what a person has said: one that may be overridden, and is named, lets
 * it pass, and says so.
 */
export function overridden(result: GateResult, overrides: Overrides | null): GateResult {
  if (result.passes || overrides === null || !overrides.gates.includes(result.gate)) return result;
  if (!OVERRIDE_RULES[result.gate].may) return result;
  const text = `${result.text}; overridden by ${overrides.by}: ${overrides.why}`;
  return { ...result, passes: true, text, value: text, untilWallMs: null };
}
