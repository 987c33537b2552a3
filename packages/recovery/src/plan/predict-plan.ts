import type { RecoveryPlan } from '@understudy/shared';
import type { MeasuredSteps } from '../core/predict/measured.ts';
import { type Prediction, predictRecovery } from '../core/predict/predict.ts';
import { REGISTERED } from '../registered.ts';
import { chosenBy, type RecoveryRegistry } from '../registry.ts';

/**
 * What a recovery by this plan will take and cost. Null: this build does not know how it goes.
 * `measured` is what `measuredSteps` finds in the history.
 */
export function predictPlan(
  plan: RecoveryPlan,
  measured: MeasuredSteps = {},
  registry: RecoveryRegistry = REGISTERED,
): Prediction | null {
  const chosen = chosenBy(plan, registry);
  if ('fault' in chosen) return null;
  return predictRecovery({ plan, rows: chosen.strategy.steps(plan, registry), measured });
}
