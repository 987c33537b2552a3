import {
  type CallWord,
  groupOf,
  type HistoryRecord,
  type IntentRecord,
  type PlanForecast,
  type PlannedStepView,
  type PlanView,
  type RecoveryPlan,
} from '@understudy/shared';
import {
  launchPlan,
  type PlanInput,
  standInsOf,
  trialLaunchOf,
  measuredSteps,
  type PlannedStep,
  plannedSteps,
  predictPlan,
  type Prediction,
  type ShownCall,
  undoText,
} from '@understudy/recovery';
import type { ClusterState } from '../store/cluster-state.ts';

/** The recovery that a plan is told of. */
export type Told = Pick<IntentRecord, 'opId' | 'member' | 'oldInstanceId' | 'ordinal'> & {
  readonly plan: RecoveryPlan;
};

export interface ToldPlan {
  readonly steps: readonly PlannedStep[];
  readonly prediction: Prediction | null;
}

/**
 * What a recovery by this plan would do, and what it will take by figures and by the history.
 * `input`: what it was made of, which has what EC2 can be asked with. Null: not known.
 */
export async function tellPlan(told: Told, input: PlanInput | null, view: ClusterState): Promise<ToldPlan> {
  const trialLaunch = input && trialLaunchOf(input, told.plan.policy);
  const standIns = input && standInsOf(input);
  const measured = measuredSteps(endedIn(view, groupOf(told.member)), told.member);
  return {
    steps: await plannedSteps({ intent: told, trialLaunch, standIns }),
    prediction: predictPlan(told.plan, measured),
  };
}

/** The ended recoveries of a group, which tell how long its steps take. */
export const endedIn = (view: ClusterState, group: string): readonly HistoryRecord[] =>
  [...view.records.history]
    .filter(([member]) => groupOf(member) === group)
    .flatMap(([, entries]) => [...entries.values()].map(({ record }) => record));

export const callsOf = ({ steps }: ToldPlan): readonly ShownCall[] => steps.flatMap((step) => step.calls ?? []);

/** The steps with their calls; `words` are on {@link callsOf}, in its order. */
export function stepViews({ steps, prediction }: ToldPlan, words: readonly CallWord[]): PlannedStepView[] {
  const predicted = new Map((prediction?.steps ?? []).map((one) => [one.step, one]));
  const rest = [...words];
  return steps.map(({ id, needs, onFailure, calls }) => ({
    ...{ id, needs: [...needs], onFailure },
    takes: predicted.get(id)?.takes ?? null,
    basis: predicted.get(id)?.basis ?? null,
    calls:
      calls &&
      calls.map(({ action, parameters, planned }) => ({
        ...{ action, parameters: { ...parameters }, when: planned.when },
        permission: rest.shift() ?? { word: 'not-asked' as const, text: '', askedAtWallMs: null },
      })),
  }));
}

export const forecastOf = ({ prediction }: ToldPlan): PlanForecast | null =>
  prediction && {
    ...{ servesAfter: prediction.servesAfter, closedAfter: prediction.closedAfter },
    ...{ losesSinceWallMs: prediction.losesSinceWallMs, undo: undoText(prediction.undo) },
  };

export const candidateViews = (plan: RecoveryPlan): PlanView['candidates'] =>
  (launchPlan(plan)?.candidates ?? []).map(({ instanceType, az, subnetId }) => ({ instanceType, az, subnetId }));

/** Each disk with the path it takes, and why that one. */
export const volumeViews = (plan: RecoveryPlan): PlanView['volumes'] =>
  plan.volumes.map(({ volumeId, deviceName, path = 'snapshot', choice }) => ({
    ...{ volumeId, deviceName, path: launchPlan(plan) === null ? 'stays' : path },
    why: [
      ...(choice ? [choice.reason] : []),
      ...(choice?.rejected ?? []).map((one) => `not by ${one.path}: ${one.reason}`),
    ].join('; '),
  }));

/** One readiness problem for each call that EC2 would deny. */
export const missingPermissions = (
  calls: readonly ShownCall[],
  words: readonly CallWord[],
): { readonly code: string; readonly text: string }[] => {
  const denied = new Map<string, string>();
  calls.forEach(({ action }, at) => {
    const said = words[at];
    if (said?.word === 'denied' && !denied.has(action)) denied.set(action, said.text);
  });
  return [...denied].map(([action, text]) => ({
    code: 'PermissionMissing',
    text: `EC2 would deny ${action}, which a recovery needs (dry run). Give the coordinator's role what understudy iam-policy prints, and look that no boundary or organisation policy denies it: ${text}`,
  }));
};
