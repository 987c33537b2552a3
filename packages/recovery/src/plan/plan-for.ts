import type { GroupPolicy, RecoveryPlan } from '@understudy/shared';
import type { PlanInput } from '../core/plan-input.ts';
import type { PlanResult } from '../core/plan.ts';
import { readySteps, type StepStates } from '../core/step-table.ts';
import type { StepKey } from '../core/step-id.ts';
import { REGISTERED } from '../registered.ts';
import { chosenBy, type RecoveryRegistry } from '../registry.ts';

/**
 * The plan by the strategy that the policy names. Nothing is placed in `leaveAz`, a lost zone.
 * Pure: same input, same plan.
 */
export function planFor(
  input: PlanInput,
  policy: GroupPolicy,
  leaveAz: string | null = null,
  registry: RecoveryRegistry = REGISTERED,
): PlanResult<RecoveryPlan> {
  const strategy = registry.strategies.find((one) => one.name === policy.recover.strategy);
  if (strategy) return strategy.plan(input, policy, leaveAz, registry);
  const text = `the policy names the strategy ${policy.recover.strategy}, which this build does not know`;
  return { kind: 'blocked', problems: [{ code: 'StrategyUnknown', text }] };
}

/** The steps of a recovery that may run now; none where this build does not know its plan. */
export function stepsReady(
  states: StepStates,
  plan: RecoveryPlan,
  registry: RecoveryRegistry = REGISTERED,
): readonly StepKey[] {
  const chosen = chosenBy(plan, registry);
  return 'fault' in chosen ? [] : readySteps(states, chosen.strategy.steps(plan, registry));
}

/** Ids of the steps that a recovery by this plan begins with. */
export const firstSteps = (plan: RecoveryPlan): readonly string[] => stepsReady(new Map(), plan).map((key) => key.id);
