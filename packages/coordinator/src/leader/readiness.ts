import {
  type Clock,
  type Cloud,
  errorText,
  type GroupPolicy,
  isOperationError,
  type MemberId,
  type MemberRecord,
  type MonotonicMs,
  type PlanSummary,
} from '@understudy/shared';
import type { ClusterState } from '../store/cluster-state.ts';
import type { CallTrials } from './call-trials.ts';
import { lookAtRungs, NO_RUNGS, type RungLook } from './rung-readiness.ts';
import {
  type Failure,
  gatherPlanInput,
  KeptReadsOf,
  keyIdInUserData,
  type KeyLooks,
  type LaunchTrial,
  type NameLooks,
  NOT_TRIED,
  olderSnapshots,
  type PlanInput,
  readinessProblemsOf,
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

/** What a summary tells of the reads, beside what the plans say. */
function seenIn(
  { instance, snapshots, subnets }: PlanInput,
  { candidates }: Pick<RungLook['shown'], 'candidates'>,
  { recover }: GroupPolicy,
): Pick<PlanSummary, 'disks' | 'subnets'> {
  const volumeIds = instance.volumes.map(({ volumeId }) => volumeId);
  const newest = olderSnapshots(volumeIds, snapshots, recover.volumes?.mixedMoments ?? false);
  const moments = [...newest.values()].map(({ startedAtWallMs }) => startedAtWallMs);
  const places = new Set(candidates.map(({ subnetId }) => subnetId));
  return {
    disks: {
      count: volumeIds.length,
      snapshotsAtWallMs: newest.size === volumeIds.length && moments.length > 0 ? Math.min(...moments) : null,
    },
    subnets: subnets
      .filter(({ subnetId }) => places.has(subnetId))
      .map(({ subnetId, freeAddressCount }) => ({ subnetId, freeAddresses: freeAddressCount })),
  };
}

/**
 * How long it takes until each of so many members was looked at again, at most, ms. A plan that is
 * older than twice that was left out.
 */
export const planFreshForMs = (memberCount: number, passEveryMs: number): number =>
  2 * Math.max(LOOK_EVERY_MS, Math.ceil(memberCount / LOOKS_PER_PASS) * passEveryMs);

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
  /** What would decide about the way if this instance of the member fell silent now. */
  readonly silenceOf: (member: MemberId, instanceId: string) => Failure;
}

/**
 * What would stop a recovery of each member if it began now, by every way of its ladder, looked at
 * again and again while nothing is wrong. Reads and DryRun only.
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
    const { policyOf, keyLooks, nameLooks, clock, view, silenceOf } = this.#options;
    const groupRevision = this.#groupRevision(group);
    const policy = policyOf(group);
    this.#askedAtMs.set(instanceId, this.#options.clock.monotonicMs());
    try {
      const gathered = await this.#kept.use(instanceId, (kept) =>
        gatherPlanInput(kept, instanceId, policy, {
          ...{ signal, keyLooks, urgency: 'chore' },
          ...(nameLooks && { nameLooks }),
          wallMs: () => clock.wallMs(),
          firstImageId: view.records.activations.get(member)?.record.firstImageId,
        }),
      );
      const tried = await this.#try(gathered, policy, signal);
      const input = { ...gathered, trial: tried.trial, level: view.levelInForce() };
      const silence = silenceOf(member, instanceId);
      const rungs = await lookAtRungs({ member, instanceId, input, policy, silence }, this.#options, signal);
      const found = readinessProblemsOf(rungs.last, az).map(({ code, text }) => ({ code, text }));
      const problems = [...found, ...rungs.missing];
      const userDataKeyId = keyIdInUserData(gathered.userData);
      this.#note(instanceId, {
        groupRevision,
        userDataKeyId,
        summary: { ...this.#summary(record, rungs.shown, problems), ...seenIn(gathered, rungs.shown, policy) },
        ...tried,
      });
      return problems;
    } catch (error) {
      if (!isOperationError(error)) throw error;
      if (error.code !== 'CLOUD_DENIED' && error.code !== 'CLOUD_REJECTED') return null;
      const problems = [{ code: error.code, text: errorText(error) }];
      const summary = this.#summary(record, NO_RUNGS, problems);
      this.#note(instanceId, { groupRevision, userDataKeyId: null, trial: NOT_TRIED, triedAtMs: null, summary });
      return problems;
    }
  }

  /** The plan in short of each member that was looked at, as of then. */
  summaries(): readonly PlanSummary[] {
    return [...this.#looked.values()].map((one) => one.summary);
  }

  #summary({ member, instanceId }: MemberRecord, shown: RungLook['shown'], problems: Problems): PlanSummary {
    return { member, instanceId, lookedAtWallMs: this.#options.clock.wallMs(), problems: [...problems], ...shown };
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
