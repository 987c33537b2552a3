import {
  type GroupPolicy,
  ladderOf,
  makesWhileSuspect,
  type MemberId,
  opIdOf,
  permissionCounts,
  type PermissionCounts,
  type PlanSummary,
  type RecoveryPlan,
  type Rung,
  type RungReadiness,
} from '@understudy/shared';
import {
  type Failure,
  planByLadder,
  planByStrategy,
  tooDear,
  type PlanInput,
  type PlanResult,
  type ShownCall,
} from '@understudy/recovery';
import type { ClusterState } from '../store/cluster-state.ts';
import { callKey, type CallTrials } from './call-trials.ts';
import { callsOf, candidateViews, forecastOf, missingPermissions, tellPlan, type ToldPlan } from './told-plan.ts';

/** Calls of a member's plans that EC2 is asked about with one look at it. */
const ASKED_PER_LOOK = 2;

/** The plan by one way, with all that it calls. */
interface RungPlan {
  readonly rung: string;
  readonly result: PlanResult<RecoveryPlan>;
  /** Null: there is no plan, or no recovery could be named. */
  readonly told: ToldPlan | null;
}

/** What readiness found of every way of a member's ladder. */
export interface RungLook {
  /** The plan by the way that the policy ends with: it works when all others have not. */
  readonly last: PlanResult<RecoveryPlan>;
  /**
   * A problem for each action that EC2 would deny, by whichever way; and where what is wanted for a
   * suspect costs more than a whole day may.
   */
  readonly missing: { readonly code: string; readonly text: string }[];
  readonly shown: Pick<
    PlanSummary,
    'strategy' | 'worst' | 'rungs' | 'candidates' | 'losses' | 'forecast' | 'permissions' | 'calls' | 'ifZoneLost'
  >;
}

export const NO_RUNGS: RungLook['shown'] = {
  ...{ strategy: null, worst: null, rungs: [], candidates: [], losses: [], forecast: null },
  permissions: permissionCounts([]),
};

export interface RungLookAbout {
  readonly member: MemberId;
  readonly instanceId: string;
  readonly input: PlanInput;
  readonly policy: GroupPolicy;
  /** As if it fell silent now: it decides with which way a recovery would begin. */
  readonly silence: Failure;
}

/** Makes the plan of every way of the ladder, and asks EC2 about a few of their calls. */
export async function lookAtRungs(
  about: RungLookAbout,
  { view, trials }: { readonly view: ClusterState; readonly trials: CallTrials },
  signal: AbortSignal,
): Promise<RungLook> {
  const { input, policy, silence } = about;
  const plans = await Promise.all(ladderOf(policy).map((rung) => planOf(rung, about, view)));
  const calls = plans.flatMap(({ told }) => (told ? callsOf(told) : []));
  const words = await trials.words(calls, ASKED_PER_LOOK, signal);
  const permissions = countsOf(calls, words);
  const begins = planByLadder(input, policy, null, silence);
  const said = begins.kind === 'plan' ? (begins.plan.ladder ?? []) : [];
  let at = 0;
  const rungs = plans.map((one): RungReadiness => {
    const own = one.told ? callsOf(one.told) : [];
    const from = at;
    at += own.length;
    return rungOf(one, said, countsOf(own, words.slice(from, at)));
  });
  const ifZoneLost = policy.guard.whenZoneLost === 'recover' ? await zoneLostPlan(about, view) : null;
  return {
    last: plans.at(-1)?.result ?? begins,
    missing: [...missingPermissions(calls, words), ...dearIn(plans, policy)],
    shown: {
      ...{ ...begun(begins, plans), worst: worstOf(rungs), rungs, permissions },
      ...(ifZoneLost && { ifZoneLost }),
    },
  };
}

const planOf = (rung: string, about: RungLookAbout, view: ClusterState): Promise<RungPlan> =>
  toldOf(rung, planByStrategy(about.input, about.policy, null, rung), about, view);

/** As the guard would have it planned if its zone were lost. */
async function zoneLostPlan(
  about: RungLookAbout,
  view: ClusterState,
): Promise<NonNullable<RungLook['shown']['ifZoneLost']>> {
  const { input, policy, silence } = about;
  const { result, told } = await toldOf('', planByLadder(input, policy, input.instance.az, silence), about, view);
  return {
    ...(result.kind === 'plan'
      ? { strategy: result.plan.strategy, candidates: candidateViews(result.plan), problems: [] }
      : { strategy: null, candidates: [], problems: result.problems.map(({ code, text }) => ({ code, text })) }),
    ...{ forecast: told && forecastOf(told), calls: told ? callCounts(callsOf(told)) : {} },
  };
}

/** Those that every recovery by the plan makes. */
function callCounts(calls: readonly ShownCall[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { action, planned } of calls) if (planned.when === null) counts[action] = (counts[action] ?? 0) + 1;
  return counts;
}

async function toldOf(
  rung: string,
  result: PlanResult<RecoveryPlan>,
  { member, instanceId, input }: RungLookAbout,
  view: ClusterState,
): Promise<RungPlan> {
  const ordinal = view.records.activations.get(member)?.record.ordinal;
  if (result.kind === 'blocked' || ordinal === undefined) return { rung, result, told: null };
  const { plan } = result;
  const intent = { opId: opIdOf(instanceId, ordinal), member, oldInstanceId: instanceId, ordinal, plan };
  return { rung, result, told: await tellPlan(intent, input, view) };
}

/** Told once, of the first way that it is too dear for. */
function dearIn(plans: readonly RungPlan[], policy: GroupPolicy): RungLook['missing'] {
  const prepare = makesWhileSuspect(policy);
  const found = plans.flatMap(({ result }) => (result.kind === 'plan' ? (tooDear(result.plan, prepare) ?? []) : []));
  return found.slice(0, 1);
}

/** Each call once, however many ways make it. */
function countsOf(calls: readonly ShownCall[], words: Awaited<ReturnType<CallTrials['words']>>): PermissionCounts {
  const each = new Map(
    calls.map((call, at) => [
      callKey(call),
      { action: call.action, permission: words[at] ?? { word: 'not-asked' as const } },
    ]),
  );
  return permissionCounts([...each.values()]);
}

function rungOf({ rung, result, told }: RungPlan, said: readonly Rung[], permissions: PermissionCounts): RungReadiness {
  const { said: word = 'taken', why = 'the policy names it' } = said.find((one) => one.rung === rung) ?? {};
  const isBlocked = result.kind === 'blocked';
  return {
    ...{ rung, said: isBlocked ? 'skipped' : word, why: isBlocked ? 'it cannot be planned' : why },
    problems: isBlocked ? result.problems.map(({ code, text }) => ({ code, text })) : [],
    losses: isBlocked ? [] : result.plan.losses.map(({ code }) => code),
    forecast: told && forecastOf(told),
    permissions,
  };
}

/** How a recovery would begin, and where another instance would be launched. */
function begun(
  begins: PlanResult<RecoveryPlan>,
  plans: readonly RungPlan[],
): Pick<RungLook['shown'], 'strategy' | 'candidates' | 'losses' | 'forecast' | 'calls'> {
  const plan = begins.kind === 'plan' ? begins.plan : null;
  const told = plans.find(({ rung }) => rung === plan?.strategy)?.told ?? null;
  const places = plans.map(({ result }) => (result.kind === 'plan' ? candidateViews(result.plan) : []));
  return {
    strategy: plan?.strategy ?? null,
    candidates: places.find((one) => one.length > 0) ?? [],
    losses: plan?.losses.map(({ code }) => code) ?? [],
    forecast: told && forecastOf(told),
    ...(told && { calls: callCounts(callsOf(told)) }),
  };
}

/** The way that takes longest on a bad day; of equals, the later one. Null: none can be planned. */
function worstOf(rungs: readonly RungReadiness[]): string | null {
  const slowMs = ({ forecast }: RungReadiness): number => forecast?.servesAfter.slowMs ?? 0;
  const planned = rungs.filter(({ problems }) => problems.length === 0);
  return planned.toSorted((a, b) => slowMs(a) - slowMs(b)).at(-1)?.rung ?? null;
}
