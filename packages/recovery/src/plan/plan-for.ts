import { FEATURE_LEVEL, type GroupPolicy, ladderOf, type RecoveryPlan, LEVEL_OF } from '@understudy/shared';
import { hooksOf } from '../core/hook-rows.ts';
import type { PlanInput } from '../core/plan-input.ts';
import type { PlanResult } from '../core/plan.ts';
import { readySteps, type StepStates } from '../core/step-table.ts';
import type { StepKey } from '../core/step-id.ts';
import { withLateCalls } from '../core/late-calls.ts';
import { recoveryBehind, withOwed } from '../core/owed.ts';
import { REGISTERED } from '../registered.ts';
import { atLevel, chosenBy, neededLevelOf, type RecoveryRegistry } from '../registry.ts';

/**
 * The plan by this strategy. Nothing is placed in `leaveAz`, a lost zone, and nothing is planned
 * that only builds above the feature level in force know (S24). Pure: same input, same plan.
 */
export function planByStrategy(
  input: PlanInput,
  policy: GroupPolicy,
  leaveAz: string | null,
  name: string,
  registry: RecoveryRegistry = REGISTERED,
): PlanResult<RecoveryPlan> {
  const { level = FEATURE_LEVEL } = input;
  // Builds of the level before would go on without asking a hook that may say no.
  if (hooksOf(policy).length > 0 && level < LEVEL_OF.hooks) {
    const text = `the policy has hooks, which need feature level ${LEVEL_OF.hooks}, and ${level} is in force: upgrade every coordinator`;
    return { kind: 'blocked', problems: [{ code: 'LevelNotInForce', text }] };
  }
  const parts = atLevel(registry, level);
  const strategy = parts.strategies.find((one) => one.name === name);
  if (strategy) return strategy.plan(input, policy, leaveAz, parts);
  const later = registry.strategies.find((one) => one.name === name);
  if (later) {
    const text = `the strategy ${name} needs feature level ${later.level ?? 1}, and ${level} is in force: upgrade every coordinator`;
    return { kind: 'blocked', problems: [{ code: 'LevelNotInForce', text }] };
  }
  const text = `the policy names the strategy ${name}, which this build does not know`;
  return { kind: 'blocked', problems: [{ code: 'StrategyUnknown', text }] };
}

/**
 * The plan of the way that the policy ends with: it has to work when all others have not. Readiness
 * is asked of it. Pure: same input, same plan.
 */
export const planFor = (
  input: PlanInput,
  policy: GroupPolicy,
  leaveAz: string | null = null,
  registry: RecoveryRegistry = REGISTERED,
): PlanResult<RecoveryPlan> =>
  planByStrategy(input, policy, leaveAz, ladderOf(policy).at(-1) ?? policy.recover.strategy, registry);

/** The plan that puts the last recovery back. Pure: same input, same plan. */
export function planUndo(
  input: PlanInput,
  policy: GroupPolicy,
  registry: RecoveryRegistry = REGISTERED,
): PlanResult<RecoveryPlan> {
  const result = planByStrategy(input, policy, null, 'undo', registry);
  if (result.kind !== 'plan' || input.undo === undefined) return result;
  const { activation, history } = input.undo;
  const plan = withOwed(result.plan, recoveryBehind(history, activation.instanceId));
  return { ...result, plan: withLateCalls(plan, history, input.instance) };
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

/** The feature level that must be in force for an intent with this plan to be written. */
export const levelNeeded = (plan: RecoveryPlan): number => neededLevelOf(plan, REGISTERED);
