import {
  invariant,
  isReattach,
  isSnapshotAndReplace,
  type LaunchPlan,
  LaunchPlanSchema,
  type RecoveryPlan,
} from '@understudy/shared';

/** The plan as one that launches a replacement. Null: its strategy launches none. */
export function launchPlan(plan: RecoveryPlan): LaunchPlan | null {
  if (isSnapshotAndReplace(plan) || isReattach(plan)) return plan;
  const parsed = LaunchPlanSchema.safeParse(plan);
  return parsed.success ? parsed.data : null;
}

/**
 * Does the same as {@link launchPlan} for a step that only a strategy with a launch has in its
 * table.
 */
export function launchPlanOf(plan: RecoveryPlan): LaunchPlan {
  const found = launchPlan(plan);
  invariant(found, `a plan of ${plan.strategy} launches nothing`);
  return found;
}
