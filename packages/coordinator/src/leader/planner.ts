import {
  type ActivationRecord,
  type Clock,
  type Cloud,
  type CloudCallOptions,
  groupOf,
  type InstanceState,
  type Keyspace,
  type MemberId,
  opIdOf,
  type RecoveryPlan,
  type Rung,
  TAG,
} from '@understudy/shared';
import {
  gatherPlanInput,
  KeptReadsOf,
  type KeyLooks,
  type LaunchTrial,
  type Failure,
  planByLadder,
  measuredSteps,
  rungTries,
  rungsKnown,
  triedFor,
  type NameLooks,
  tryLaunch,
  type PlanInput,
  type PlanResult,
  lateDetachesOf,
  recoveryBehind,
  withLateCalls,
  withOwed,
} from '@understudy/recovery';
import type { Stored } from '../store/cluster-records.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import type { GuardAnswer } from '../judge/guard-input.ts';
import type { Judgement } from './assessor.ts';
import { isStillAsked } from '../commands/recoveries.ts';
import type { CloudStatusReading } from '../judge/evidence.ts';
import { STATUS_FRESH_MS } from '../judge/status-reading.ts';
import type { Suspect } from './preparation.ts';
import { endedIn } from './told-plan.ts';
import { planToken } from './plan-token.ts';
import { wasBegunBefore } from './raise-ordinal.ts';
import { withoutGoing } from './going-snapshots.ts';

/**
 * How long an answer to a read for a plan is kept: it is not asked again when other reads failed. A
 * plan may be made of answers this old. Everything that speaks for beginning is asked again right
 * before the commit, and each step looks for itself before it acts.
 */
const READS_KEPT_FOR_MS = 30_000;

export interface PlannerOptions {
  readonly cloud: Cloud;
  readonly keyLooks: KeyLooks;
  readonly nameLooks?: NameLooks;
  readonly view: ClusterState;
  readonly keys: Keyspace;
  readonly clock: Clock;
  /** What EC2 said when the launch of this instance's replacement was tried. */
  readonly trialOf: (instanceId: string) => LaunchTrial;
  /** What EC2's status checks said last. Null: nothing yet. */
  readonly statusOf: (instanceId: string) => CloudStatusReading | null;
  /** Has this coordinator heard the boot that the instance is in, or was in last? */
  readonly hasHeard: (member: MemberId, instanceId: string) => boolean;
  /** What was read while it was suspect, for this policy. Null: nothing. */
  readonly prepared?: (suspect: Suspect, policyRevision: number) => PlanInput | null;
}

/** What is thought of, for a plan that is shown. A recovery that begins has none. */
export interface Thought {
  /** By this way. Null: by the one that the ladder takes. */
  readonly strategy: string | null;
  /** As if it fell silent now, with what EC2 says of it now. False: as it is judged. */
  readonly isSilent: boolean;
}

export type Planned =
  | { readonly kind: 'result'; readonly result: PlanResult<RecoveryPlan>; readonly input: PlanInput }
  /** A recovery of this name left a trace: it needs another name before it can be planned. */
  | { readonly kind: 'begun-before'; readonly activation: Stored<ActivationRecord> };

/**
 * Makes the plan of the next recovery of a member. What is shown to a person and what an intent is
 * written from are made here, by the same reads, so that they are the same (S21).
 */
export class Planner {
  readonly #options: PlannerOptions;
  readonly #kept: KeptReadsOf;

  constructor(options: PlannerOptions) {
    this.#options = options;
    this.#kept = new KeptReadsOf(options.cloud, options.clock, READS_KEPT_FOR_MS);
  }

  /** `thought`: only for a plan that is shown. @throws the errors of EC2's reads. */
  async plan(
    chosen: Judgement,
    ask: (judgement: Judgement) => GuardAnswer,
    signal: AbortSignal,
    thought: Thought | null = null,
  ): Promise<Planned> {
    const { member } = chosen;
    const { view, keys, prepared } = this.#options;
    const input = prepared?.(chosen, this.policyRevision(member)) ?? (await this.#read(chosen, signal, {}));
    const activation = view.records.activations.get(member);
    if (activation && wasBegunBefore(keys, view.records, activation.record, input.instance.tags[TAG.fencedBy]))
      return { kind: 'begun-before', activation };
    const given = this.#given(chosen, input);
    return { kind: 'result', result: this.#planned(chosen, given, ask(chosen), thought), input: given };
  }

  /** As {@link plan}, of what was read before. Synchronous. */
  planOf(chosen: Judgement, input: PlanInput, answer: GuardAnswer): PlanResult<RecoveryPlan> {
    return this.#planned(chosen, this.#given(chosen, input), answer, null);
  }

  #given({ instanceId }: Judgement, input: PlanInput): PlanInput {
    const { view, trialOf } = this.#options;
    const trial = input.trial.kind === 'unknown' ? trialOf(instanceId) : input.trial;
    const snapshots = withoutGoing(input.snapshots, view.records);
    return { ...input, snapshots, trial, level: view.levelInForce() };
  }

  #planned(
    chosen: Judgement,
    given: PlanInput,
    answer: GuardAnswer,
    thought: Thought | null,
  ): PlanResult<RecoveryPlan> {
    const policy = this.#options.view.policyOf(groupOf(chosen.member));
    const failure = supposed(this.failureOf(chosen), thought);
    const result = planByLadder(given, policy, leaveAzOf(answer), failure);
    return this.#withOwed(chosen, result, given.instance);
  }

  /** What {@link plan} would read, and a trial of the launch where the policy wants one. */
  async prepare(suspect: Suspect, signal: AbortSignal): Promise<PlanInput> {
    const policy = this.#options.view.policyOf(groupOf(suspect.member));
    const input = await this.#read(suspect, signal, { urgency: 'chore' });
    if (policy.recover.prepareWhileSuspect !== 'trial') return input;
    return { ...input, trial: await tryLaunch(this.#options.cloud, input, policy, { signal, urgency: 'chore' }) };
  }

  /** It changes with the policy of the member's group; 0: the configuration's. */
  policyRevision(member: MemberId): number {
    return this.#options.view.records.groups.get(groupOf(member))?.modRevision ?? 0;
  }

  /** What {@link plan} would read, for a plan that no verdict asks for. @throws EC2's errors */
  readFor(member: MemberId, instanceId: string, signal: AbortSignal): Promise<PlanInput> {
    return this.#read({ member, instanceId }, signal, {});
  }

  #read(
    { member, instanceId }: Pick<Suspect, 'member' | 'instanceId'>,
    signal: AbortSignal,
    options: CloudCallOptions,
  ): Promise<PlanInput> {
    const { view, keyLooks, nameLooks, clock } = this.#options;
    const policy = view.policyOf(groupOf(member));
    return this.#kept.use(instanceId, (cloud) =>
      gatherPlanInput(cloud, instanceId, policy, {
        ...{ signal, repeat: true, keyLooks, caller: instanceId, ...options },
        ...(nameLooks && { nameLooks }),
        wallMs: () => clock.wallMs(),
        firstImageId: view.records.activations.get(member)?.record.firstImageId,
      }),
    );
  }

  /**
   * Names this very plan of this very recovery. Null: the activation is another one by now. It
   * tells nothing of the plan, which holds the agent's key.
   */
  tokenOf({ member, instanceId }: Judgement, plan: RecoveryPlan): string | null {
    const activation = this.#options.view.records.activations.get(member);
    if (activation?.record.instanceId !== instanceId) return null;
    const opId = opIdOf(instanceId, activation.record.ordinal);
    return planToken(opId, activation.modRevision, plan);
  }

  /**
   * Which way would be taken by what is known at this moment, before EC2 is asked for a plan.
   * Empty: the policy names one way.
   */
  rungsOf(judgement: Judgement, state: InstanceState | null): readonly Rung[] {
    const policy = this.#options.view.policyOf(groupOf(judgement.member));
    return policy.recover.ladder === undefined ? [] : rungsKnown(policy, this.failureOf(judgement), state);
  }

  /** What decides about the way back, as it is known at this moment. */
  failureOf({ member, instanceId, assessment, failedSinceWallMs }: Judgement): Failure {
    return this.#failureOf(member, instanceId, assessment.verdict === 'alive', failedSinceWallMs);
  }

  /** What would decide if it fell silent now, with what EC2 says of it now. */
  silenceOf(member: MemberId, instanceId: string): Failure {
    return { ...this.#failureOf(member, instanceId, false, null), asked: null };
  }

  #failureOf(member: MemberId, instanceId: string, answers: boolean, failedSinceWallMs: number | null): Failure {
    const { view, clock, statusOf, hasHeard } = this.#options;
    const reading = statusOf(instanceId);
    const isFresh = reading !== null && clock.monotonicMs() - reading.readAtMs <= STATUS_FRESH_MS;
    const { system = null, instance = null, attachedEbs = null } = isFresh ? reading.status : {};
    const own = [...(view.records.history.get(member)?.values() ?? [])].map((one) => one.record);
    const tried = triedFor(own, instanceId, failedSinceWallMs ?? clock.wallMs());
    const request = view.records.requests.get(member)?.record;
    const isAsked =
      request?.kind === 'recover' &&
      request.opId === opIdOf(instanceId, view.records.activations.get(member)?.record.ordinal) &&
      isStillAsked(request, clock.wallMs());
    return {
      evidence: {
        ...{ system, instance, attachedEbs, answers },
        knowsBootEpoch: hasHeard(member, instanceId),
      },
      tried: tried.map(({ strategy, outcome }) => ({
        rung: strategy ?? 'snapshot-and-replace',
        outcome: outcome === 'mended' ? 'mended' : 'not-mended',
      })),
      asked: isAsked ? (request.strategy ?? null) : null,
      ...this.#pastOf(member),
      lateDetaches: lateDetachesOf(own, instanceId),
      nowWallMs: clock.wallMs(),
    };
  }

  /** What the ended recoveries of its group tell of the ways. */
  #pastOf(member: MemberId): Pick<Failure, 'tries' | 'measured'> {
    const { view, clock } = this.#options;
    const ended = endedIn(view, groupOf(member));
    return { tries: rungTries(ended, clock.wallMs()), measured: measuredSteps(ended, member) };
  }

  /** With what the recovery that put this instance in charge left undone on it. */
  #withOwed(
    { member, instanceId }: Judgement,
    result: PlanResult<RecoveryPlan>,
    instance: PlanInput['instance'],
  ): PlanResult<RecoveryPlan> {
    if (result.kind !== 'plan') return result;
    const own = [...(this.#options.view.records.history.get(member)?.values() ?? [])].map((one) => one.record);
    return { ...result, plan: withLateCalls(withOwed(result.plan, recoveryBehind(own, instanceId)), own, instance) };
  }
}

function supposed(failure: Failure, thought: Thought | null): Failure {
  if (thought === null) return failure;
  const { strategy, isSilent } = thought;
  return {
    ...failure,
    asked: strategy ?? failure.asked,
    evidence: { ...failure.evidence, answers: failure.evidence.answers && !isSilent },
  };
}

const leaveAzOf = (answer: GuardAnswer): string | null => (answer.kind === 'go' ? answer.leaveAz : null);
