import {
  type Clock,
  type Cloud,
  errorText,
  type GroupPolicy,
  isOperationError,
  type MemberId,
  type MemberRecord,
  type MonotonicMs,
  opIdOf,
  type PlanSummary,
  type RecoveryPlan,
} from '@understudy/shared';
import type { ClusterState } from '../store/cluster-state.ts';
import type { CallTrials } from './call-trials.ts';
import {
  callsOf,
  candidateViews,
  forecastOf,
  missingPermissions,
  permissionsOf,
  tellPlan,
  type ToldPlan,
} from './told-plan.ts';
import {
  gatherPlanInput,
  KeptReadsOf,
  keyIdInUserData,
  type KeyLooks,
  type LaunchTrial,
  type NameLooks,
  planFor,
  NOT_TRIED,
  type PlanInput,
  type PlanResult,
  readinessProblemsOf,
  trialLaunchOf,
  tryLaunch,
  undecidedRecovery,
  wantsTrial,
} from '@understudy/recovery';

/** Members whose readiness is looked at per pass; each costs about fifteen EC2 reads. */
const LOOKS_PER_PASS = 4;
/** Launches tried per pass: their bucket is small, and it is the recoveries' first. */
const TRIALS_PER_PASS = 1;
/**
 * A member's readiness is looked at again after this long, and soon after its group's policy was
 * changed.
 */
const LOOK_EVERY_MS = 600_000;
/**
 * What was read stays good for so long when another read of the same look fails; a look is repeated
 * after one pass of enrolment.
 */
const READS_KEPT_FOR_MS = 60_000;

/** Calls of a plan that EC2 is asked about with one look at a member. */
const ASKED_PER_LOOK = 2;

type Problems = MemberRecord['readinessProblems'];

/** What a look at one instance left behind. */
interface Looked {
  readonly atMs: MonotonicMs;
  /** Revision of the group's policy it was judged by; 0: the configuration's. */
  readonly groupRevision: number;
  readonly userDataKeyId: number | null;
  readonly trial: LaunchTrial;
  readonly triedAtMs: MonotonicMs | null;
  readonly summary: PlanSummary;
}

/** A plan, and what EC2 said to its calls. */
interface Tried {
  readonly plan: RecoveryPlan;
  readonly told: ToldPlan;
  readonly permissions: PlanSummary['permissions'];
  readonly missing: Problems;
}

export interface ReadinessOptions {
  readonly cloud: Cloud;
  /** The same, where a crawl saw it lately. Absent: everything is asked. */
  readonly seen?: Cloud | undefined;
  readonly keyLooks: KeyLooks;
  readonly nameLooks?: NameLooks;
  readonly view: ClusterState;
  readonly clock: Clock;
  readonly policyOf: (group: string) => GroupPolicy;
  /** A launch is tried again (DryRun) after this long; 0: never. */
  readonly tryLaunchEveryMs: number;
  readonly trials: CallTrials;
}

/**
 * What would stop a recovery of each member if it began now, looked at again and again while
 * nothing is wrong. Reads and DryRun only.
 */
export class Readiness {
  readonly #options: ReadinessOptions;
  /** Rebuilt from the members whenever somebody asks who is due, so no larger than they are. */
  #looked: Map<string, Looked> = new Map();
  #trialsLeft = 0;
  /**
   * When each instance was asked about last, answered or not: one that EC2 does not answer must not
   * keep the others from being looked at.
   */
  readonly #askedAtMs = new Map<string, MonotonicMs>();
  readonly #kept: KeptReadsOf;

  constructor(options: ReadinessOptions) {
    this.#options = options;
    this.#kept = new KeptReadsOf(options.seen ?? options.cloud, options.clock, READS_KEPT_FOR_MS);
  }

  /**
   * Key id that the user data of this instance names, as last seen; null = none seen, or not looked
   * yet.
   */
  userDataKeyId(instanceId: string): number | null {
    return this.#looked.get(instanceId)?.userDataKeyId ?? null;
  }

  /** What EC2 last said to a launch of this instance's replacement. */
  trialOf(instanceId: string): LaunchTrial {
    return this.#looked.get(instanceId)?.trial ?? NOT_TRIED;
  }

  /** The members to look at now. Those that waited longest come first. */
  due(): readonly MemberId[] {
    const { view, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const looked = new Map<string, Looked>();
    const due: { readonly member: MemberId; readonly atMs: number }[] = [];
    const instances = new Set<string>();
    for (const [member, { record }] of view.records.members) {
      instances.add(record.instanceId);
      const own = this.#looked.get(record.instanceId);
      if (own) looked.set(record.instanceId, own);
      const isKnown =
        own && nowMs - own.atMs < LOOK_EVERY_MS && own.groupRevision === this.#groupRevision(record.group);
      if (!isKnown && undecidedRecovery(view.records, member) === null)
        due.push({ member, atMs: this.#askedAtMs.get(record.instanceId) ?? Number.NEGATIVE_INFINITY });
    }
    this.#looked = looked;
    for (const instanceId of this.#askedAtMs.keys()) if (!instances.has(instanceId)) this.#askedAtMs.delete(instanceId);
    this.#trialsLeft = TRIALS_PER_PASS;
    return due
      .sort((a, b) => a.atMs - b.atMs)
      .slice(0, LOOKS_PER_PASS)
      .map((one) => one.member);
  }

  /**
   * The problems of one member; null: EC2 did not answer, which is no finding. @throws what is not
   * EC2's
   */
  async look(record: MemberRecord, signal: AbortSignal): Promise<Problems | null> {
    const { member, instanceId, group, az } = record;
    const { policyOf, keyLooks, nameLooks, clock } = this.#options;
    const groupRevision = this.#groupRevision(group);
    const policy = policyOf(group);
    this.#askedAtMs.set(instanceId, this.#options.clock.monotonicMs());
    try {
      const gathered = await this.#kept.use(instanceId, (kept) =>
        gatherPlanInput(kept, instanceId, policy, {
          ...{ signal, keyLooks, urgency: 'chore' },
          ...(nameLooks && { nameLooks }),
          wallMs: () => clock.wallMs(),
          firstImageId: this.#options.view.records.activations.get(member)?.record.firstImageId,
        }),
      );
      const tried = await this.#try(gathered, policy, signal);
      const result = planFor({ ...gathered, trial: tried.trial }, policy);
      const found = readinessProblemsOf(result, az).map(({ code, text }) => ({ code, text }));
      const told = await this.#tell(record, result, gathered, signal);
      const problems = [...found, ...(told?.missing ?? [])];
      const userDataKeyId = keyIdInUserData(gathered.userData);
      this.#note(instanceId, {
        groupRevision,
        userDataKeyId,
        summary: this.#summary(record, told, problems),
        ...tried,
      });
      return problems;
    } catch (error) {
      if (!isOperationError(error)) throw error;
      if (error.code !== 'CLOUD_DENIED' && error.code !== 'CLOUD_REJECTED') return null;
      const problems = [{ code: error.code, text: errorText(error) }];
      const summary = this.#summary(record, null, problems);
      this.#note(instanceId, { groupRevision, userDataKeyId: null, trial: NOT_TRIED, triedAtMs: null, summary });
      return problems;
    }
  }

  /** The plan in short of each member that was looked at, as of then. */
  summaries(): readonly PlanSummary[] {
    return [...this.#looked.values()].map((one) => one.summary);
  }

  /**
   * The plan with EC2's word on its calls, of which a few are asked for with each look. Null: there
   * is none.
   */
  async #tell(
    { member, instanceId }: MemberRecord,
    result: PlanResult<RecoveryPlan>,
    input: PlanInput,
    signal: AbortSignal,
  ): Promise<Tried | null> {
    const { view, trials } = this.#options;
    const ordinal = view.records.activations.get(member)?.record.ordinal;
    if (result.kind === 'blocked' || ordinal === undefined) return null;
    const { plan } = result;
    const intent = { opId: opIdOf(instanceId, ordinal), member, oldInstanceId: instanceId, ordinal, plan };
    const told = await tellPlan(intent, trialLaunchOf(input, plan.policy), view);
    const calls = callsOf(told);
    const words = await trials.words(calls, ASKED_PER_LOOK, signal);
    return { plan, told, permissions: permissionsOf(calls, words), missing: missingPermissions(calls, words) };
  }

  #summary({ member, instanceId }: MemberRecord, tried: Tried | null, problems: Problems): PlanSummary {
    return {
      ...{ member, instanceId, lookedAtWallMs: this.#options.clock.wallMs(), problems: [...problems] },
      strategy: tried?.plan.strategy ?? null,
      candidates: tried ? candidateViews(tried.plan) : [],
      losses: tried?.plan.losses.map(({ code }) => code) ?? [],
      forecast: tried && forecastOf(tried.told),
      permissions: tried?.permissions ?? { allowed: 0, unknown: 0, denied: [] },
    };
  }

  #note(instanceId: string, found: Omit<Looked, 'atMs'>): void {
    this.#looked.set(instanceId, { atMs: this.#options.clock.monotonicMs(), ...found });
  }

  /**
   * What a trial found wrong is tried again with every look, so that a correction shows; all else
   * at its own slow pace.
   */
  async #try(input: PlanInput, policy: GroupPolicy, signal: AbortSignal): Promise<Pick<Looked, 'trial' | 'triedAtMs'>> {
    const { cloud, clock, tryLaunchEveryMs } = this.#options;
    const { trial = NOT_TRIED, triedAtMs = null } = this.#looked.get(input.instance.instanceId) ?? {};
    const isGood = trial.kind === 'ok' || trial.kind === 'unknown';
    const isFresh = isGood && triedAtMs !== null && clock.monotonicMs() - triedAtMs < tryLaunchEveryMs;
    if (tryLaunchEveryMs === 0 || !wantsTrial(input) || isFresh || this.#trialsLeft === 0) return { trial, triedAtMs };
    this.#trialsLeft -= 1;
    return {
      trial: await tryLaunch(cloud, input, policy, { signal, urgency: 'chore' }),
      triedAtMs: clock.monotonicMs(),
    };
  }

  #groupRevision(group: string): number {
    return this.#options.view.records.groups.get(group)?.modRevision ?? 0;
  }
}
