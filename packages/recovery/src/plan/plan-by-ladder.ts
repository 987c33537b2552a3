import {
  type GroupPolicy,
  type InstanceState,
  ladderOf,
  type RecoveryPlan,
  type Rung,
  rungDeadlineMs,
  staysInPlace,
} from '@understudy/shared';
import { ownTypeOf } from '../core/fidelity/disks.ts';
import { chooseRung, type RungEvidence, type TriedRung } from '../core/ladder/choose-rung.ts';
import { notWorthIt, type RungForecast, type RungTries } from '../core/ladder/rung-forecast.ts';
import { type LateDetach, lateDetachObstacle } from '../core/late-calls.ts';
import type { PlanInput } from '../core/plan-input.ts';
import type { PlanResult } from '../core/plan.ts';
import { REGISTERED } from '../registered.ts';
import type { RecoveryRegistry } from '../registry.ts';
import type { MeasuredSteps } from '../core/predict/measured.ts';
import { planByStrategy } from './plan-for.ts';
import { predictPlan } from './predict-plan.ts';

/** What decides about the way, beside what EC2 was asked for the plan. */
export interface Failure {
  readonly evidence: Omit<RungEvidence, 'state' | 'hasInstanceStore' | 'leavesZone'>;
  readonly tried: readonly TriedRung[];
  /** How often each way has helped in the group. Absent: not known. */
  readonly tries?: ReadonlyMap<string, RungTries>;
  /** How long steps have taken in the group. Absent: published figures only. */
  readonly measured?: MeasuredSteps;
  /** The way that a person has asked for. Null: none. */
  readonly asked: string | null;
  /** Disks of it that a call of an earlier recovery may take off. Absent: none. */
  readonly lateDetaches?: readonly LateDetach[];
  readonly nowWallMs?: number;
}

/**
 * The plan by the rung that fits, or by the one strategy that the policy names. Every rung says in
 * the plan what became of it. Pure: same input, same plan.
 */
export function planByLadder(
  input: PlanInput,
  policy: GroupPolicy,
  leaveAz: string | null,
  failure: Failure,
  registry: RecoveryRegistry = REGISTERED,
): PlanResult<RecoveryPlan> {
  const rungs = ladderOf(policy);
  const planFor = (name: string): PlanResult<RecoveryPlan> => {
    const obstacle = lateDetachObstacle(failure.lateDetaches ?? [], input.instance, {
      inPlace: staysInPlace({ strategy: name }),
      nowWallMs: failure.nowWallMs ?? 0,
    });
    return obstacle === null
      ? planByStrategy(input, policy, leaveAz, name, registry)
      : { kind: 'blocked', problems: [obstacle] };
  };
  if (policy.recover.ladder === undefined && failure.asked === null) return planFor(policy.recover.strategy);
  const made = new Map<string, PlanResult<RecoveryPlan>>();
  const planOf = (rung: string): PlanResult<RecoveryPlan> => {
    const result = made.get(rung) ?? planFor(rung);
    made.set(rung, result);
    return result;
  };
  const { rung, said } = chooseRung({
    ...{ rungs, tried: failure.tried, asked: failure.asked },
    evidence: {
      ...failure.evidence,
      state: input.instance.state,
      hasInstanceStore: ownTypeOf(input)?.instanceStorage === true,
      leavesZone: leaveAz !== null,
    },
    obstacleOf: (name) => obstacleIn(planOf(name)),
    notWorthIt: (name, next) => {
      const [one, other] = [name, next].map((each) => forecastOf(planOf(each), failure.measured, registry));
      return one && other ? notWorthIt(one, other, failure.tries?.get(name)) : null;
    },
  });
  if (rung === null) return nothingLeft(rungs, said, planOf);
  const result = planOf(rung);
  return result.kind === 'plan' ? { ...result, plan: { ...result.plan, ladder: [...said] } } : result;
}

/** Losses of what was written somewhere. What is in memory is lost by every way. */
const OF_DATA: ReadonlySet<string> = new Set(['InstanceStoreLost', 'InstanceStoreNotMapped', 'TpmSecretsLost']);

/** Null: it cannot be planned, or this build does not know how it goes. */
function forecastOf(
  result: PlanResult<RecoveryPlan>,
  measured: MeasuredSteps | undefined,
  registry: RecoveryRegistry,
): RungForecast | null {
  if (result.kind !== 'plan') return null;
  const { plan } = result;
  const prediction = predictPlan(plan, measured, registry);
  if (prediction === null) return null;
  const older = prediction.losesSinceWallMs === null ? [] : ['WritesSinceSnapshotLost'];
  return {
    backAfterMs: prediction.servesAfter.typicalMs,
    slowMs: prediction.servesAfter.slowMs,
    deadlineMs: rungDeadlineMs(plan.policy, plan.strategy),
    dataLosses: [...older, ...plan.losses.flatMap(({ code }) => (OF_DATA.has(code) ? [code] : []))],
  };
}

/** What becomes of each rung by the failure alone, where no plan was made yet. Pure. */
export const rungsKnown = (
  policy: GroupPolicy,
  { evidence, tried, asked }: Failure,
  state: InstanceState | null,
): readonly Rung[] =>
  chooseRung({
    ...{ rungs: ladderOf(policy), tried, asked, obstacleOf: () => null },
    evidence: { ...evidence, state, hasInstanceStore: false, leavesZone: false },
  }).said;

const obstacleIn = (result: PlanResult<RecoveryPlan>): string | null =>
  result.kind === 'plan' ? null : result.problems.map((one) => `${one.code}: ${one.text}`).join('; ');

/** The problems of the rung that always fits stay what they are: their codes are known. */
function nothingLeft(
  rungs: readonly string[],
  said: readonly { readonly rung: string; readonly said: string; readonly why: string }[],
  planOf: (rung: string) => PlanResult<RecoveryPlan>,
): PlanResult<RecoveryPlan> {
  const last = rungs.at(-1) ?? '';
  const wasTried = said.find((one) => one.rung === last)?.said === 'tried';
  const own = wasTried ? [] : planOf(last).problems;
  const text = `no way is left that the policy allows: ${said.map(({ rung, why }) => `${rung}: ${why}`).join('; ')}`;
  return { kind: 'blocked', problems: [...own, { code: 'LadderExhausted', text }] };
}
