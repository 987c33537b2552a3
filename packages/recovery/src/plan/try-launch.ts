import { type Cloud, type CloudCallOptions, errorText, type GroupPolicy, isOperationError } from '@understudy/shared';
import { NOT_TRIED, trialOutcome, trialRequestOf } from '../core/launch-trial.ts';
import type { LaunchTrial, PlanInput } from '../core/plan-input.ts';
import { launchPlan } from '../core/launch-plan.ts';
import { planFor } from './plan-for.ts';
import { namedBy } from '../core/references.ts';

/**
 * Only of these can nothing but a launch tell whether they are there: every other name has a
 * describe of its own.
 */
export function wantsTrial({ instance }: PlanInput): boolean {
  const { instanceProfileArn, licenceArns } = namedBy(instance);
  return instanceProfileArn !== null || licenceArns.length > 0;
}

/**
 * Asks EC2 whether it would take the launch of a replacement (DryRun: nothing is made). One call; a
 * failure that says nothing about the launch is "not tried".
 */
export async function tryLaunch(
  cloud: Cloud,
  input: PlanInput,
  policy: GroupPolicy,
  options: CloudCallOptions,
): Promise<LaunchTrial> {
  const request = trialLaunchOf(input, policy);
  if (request === null) return NOT_TRIED;
  try {
    await cloud.tryLaunch(request, options);
    return { kind: 'ok' };
  } catch (error) {
    if (!isOperationError(error) || !error.code.startsWith('CLOUD_')) throw error;
    return trialOutcome(error.code, error.upstreamCode, errorText(error));
  }
}

/**
 * The launch that can be tried before there is anything to launch from. Null: there is none.
 * Without what an earlier trial said: what was gone may be back.
 */
export function trialLaunchOf(input: PlanInput, policy: GroupPolicy): Record<string, unknown> | null {
  const result = planFor({ ...input, trial: NOT_TRIED }, policy);
  const plan = result.kind === 'plan' ? launchPlan(result.plan) : null;
  return plan && trialRequestOf(input, plan);
}
