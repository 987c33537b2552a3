import {
  type Clock,
  commandsFor,
  type HistoryRecord,
  type HoldReason,
  type MemberId,
  type MonotonicMs,
  opIdOf,
  type Revision,
  TAG,
  type WallMs,
  WAYS_OUT,
  groupOf,
} from '@understudy/shared';
import type { ClusterState } from '../store/cluster-state.ts';
import type { BeginOutcome, Refusal } from './begin-outcome.ts';
import type { WantedHold } from './holds.ts';
import type { Assessor, Judgement } from './assessor.ts';
import { explain, type Explanation } from '../judge/explain.ts';
import type {
  FleetMember,
  GuardAnswer,
  GuardInput,
  GuardLimits,
  Objection,
  Overrides,
  StartedRecovery,
} from '../judge/guard-input.ts';
import { ec2Recovers } from '../judge/ec2-recovers.ts';
import { guard } from '../judge/guard.ts';
import { isStillAsked } from '../commands/recoveries.ts';
import { guardQuorum } from '../judge/quorum.ts';
import { lostZones } from '../judge/lost-zones.ts';
import { goesOnWith, hasActivated, journalFacts, undecidedRecovery } from '@understudy/recovery';
import type { EnrolConflict } from '../enrol/enrol.ts';
import type { EvidencePoller } from './ec2-evidence.ts';

/** Guards asked in one pass; each looks at the whole fleet. The longest silent first. */
const GUARDS_PER_PASS = 50;
/** A refusal is asked about again after this long. */
const GUARD_AGAIN_MS = 1_000;
/**
 * How long a member may stay unjudged, or EC2's answer be unclear, before a hold tells people. It
 * is longer than observers need to warm up after a restart.
 */
const UNJUDGED_HOLD_MS = 60_000;
/**
 * Recoveries older than this matter to nobody: longer than the longest `flapWindowMs` and
 * `cooldownMs`.
 */
const REMEMBER_MS = 604_800_000;

/** A recovery this process is beginning, or began and does not see in its view yet. */
export interface Beginning {
  readonly startedAtWallMs: number;
  readonly az: string;
  /** It goes on with a failure that an earlier recovery has begun on. */
  readonly goesOn: boolean;
  /** Store revision of the intent; null while it is not written. */
  readonly revision: Revision | null;
}

export interface RecoveryDeciderOptions {
  readonly view: ClusterState;
  readonly assessor: Assessor;
  readonly evidence: EvidencePoller;
  readonly clock: Clock;
  readonly limits: GuardLimits;
  /** Claims that exclude each other, as enrolment saw them last. */
  readonly conflicts: () => ReadonlyMap<MemberId, EnrolConflict>;
  /** Why this coordinator must not trust itself now; null = it may. */
  readonly ownTrouble: () => string | null;
}

/** What the guard is asked with: what is the same for all, and of each member what is its own. */
export interface KnownToGuard extends Pick<GuardInput, 'fleet' | 'recoveries'> {
  readonly inputs: ReadonlyMap<MemberId, Omit<GuardInput, 'fleet' | 'recoveries'>>;
}

interface Asked {
  readonly answer: GuardAnswer;
  readonly atMs: MonotonicMs;
}

const isUnjudged = (reasonCode: string): boolean =>
  reasonCode === 'NeverHeard' || reasonCode === 'EveryoneAbstains' || reasonCode === 'KeyRetired';

/**
 * Nobody hears it, and EC2's answer proves neither failure nor intent: no later answer need ever
 * come.
 */
const isUnclear = ({ reasonCode, quorum }: Judgement['assessment']): boolean =>
  quorum.silentEverywhere && (reasonCode === 'Ec2DoesNotKnowIt' || reasonCode === 'StoppedUnexplained');

/** The reason, what a person can do, and the commands for it. */
const withWayOut = (reason: HoldReason, text: string, member: MemberId): string =>
  `${text} ${WAYS_OUT[reason].act}: ${commandsFor(reason, member).join(', ')}`;

const isWaiting = (reasonCode: string): boolean =>
  reasonCode === 'NotEnoughObservers' || reasonCode === 'NotEnoughZones' || reasonCode === 'NoObserverOutsideZone';

/**
 * From verdicts to decisions: whom the guard lets us recover, and why not the others. Synchronous;
 * writes nothing.
 */
export class RecoveryDecider {
  readonly #options: RecoveryDeciderOptions;
  readonly #asked = new Map<MemberId, Asked>();
  /**
   * Bounded by the budget: entries go when their intent shows in the view, or when beginning it
   * failed.
   */
  readonly #beginning = new Map<MemberId, Beginning>();
  /**
   * Why beginning failed lately, and when to try again. Entries go with the failure they are about.
   */
  readonly #refused = new Map<MemberId, Refusal>();
  /**
   * Since when no observer has an opinion, or EC2's answer is unclear; at most one entry per judged
   * member.
   */
  readonly #unjudgedSinceMs = new Map<MemberId, MonotonicMs>();

  constructor(options: RecoveryDeciderOptions) {
    this.#options = options;
  }

  /**
   * Members to begin a recovery for now, each already counted as begun. The caller begins it, and
   * tells {@link ended} what became of it.
   */
  pass(room: number): readonly Judgement[] {
    this.#settle();
    const nowMs = this.#options.clock.monotonicMs();
    const failed = [...this.#options.assessor.all.values()]
      .filter((one) => one.assessment.act && !this.#beginning.has(one.member) && this.#isDue(one.member, nowMs))
      .sort((a, b) => (a.failedSinceWallMs ?? 0) - (b.failedSinceWallMs ?? 0))
      .slice(0, GUARDS_PER_PASS);
    const chosen: Judgement[] = [];
    for (const judgement of failed) {
      if (chosen.length >= room) break;
      const answer = this.ask(judgement);
      this.#asked.set(judgement.member, { answer, atMs: nowMs });
      if (answer.kind !== 'go') continue;
      chosen.push(judgement);
      const startedAtWallMs = this.#options.clock.wallMs();
      const goesOn = this.#goesOn(judgement);
      this.#beginning.set(judgement.member, { startedAtWallMs, az: judgement.az, goesOn, revision: null });
    }
    return chosen;
  }

  /**
   * May we act on this member, on what is known at this moment? Its own beginning does not count
   * against it.
   */
  ask(judgement: Judgement): GuardAnswer {
    return guard(this.#guardInput(judgement, this.#overridesOf(judgement)));
  }

  /** What the guard would say if these gates were overridden. Changes nothing. */
  askIf(judgement: Judgement, overrides: Overrides): GuardAnswer {
    return guard(this.#guardInput(judgement, overrides));
  }

  /**
   * Verdict and every gate, on what is known at this moment, also where nobody would ask the guard.
   * Changes nothing.
   */
  explain(judgement: Judgement): Explanation {
    const refused = this.#refused.get(judgement.member)?.hold ?? null;
    return explain(judgement.assessment, this.ask(judgement), refused, this.#holdOf(judgement));
  }

  /** What became of a member that {@link pass} chose. */
  ended(member: MemberId, outcome: BeginOutcome): void {
    const beginning = this.#beginning.get(member);
    if (outcome.kind === 'begun') {
      if (beginning) this.#beginning.set(member, { ...beginning, revision: outcome.revision });
      this.#refused.delete(member);
      return;
    }
    this.#beginning.delete(member);
    if (outcome.kind === 'refused') this.#refused.set(member, outcome);
  }

  /**
   * The hold each member should show, if any. One per member: what needs a person most comes first.
   */
  wantedHolds(): ReadonlyMap<MemberId, WantedHold> {
    const { view, assessor } = this.#options;
    const wanted = new Map<MemberId, WantedHold>();
    this.#noteUnjudged();
    for (const judgement of assessor.all.values()) {
      const hold = this.#holdOf(judgement);
      if (hold) wanted.set(judgement.member, hold);
    }
    for (const [member, { reason, text }] of this.#options.conflicts())
      wanted.set(member, { reason, text, untilWallMs: null });
    for (const member of view.blockedMembers()) {
      const text = view.unreadableOf(member)?.text ?? 'a record cannot be read';
      wanted.set(member, { reason: 'RecordUnreadable', text, untilWallMs: null });
    }
    return wanted;
  }

  #settle(): void {
    const { view, assessor } = this.#options;
    for (const [member, { revision }] of this.#beginning)
      if (revision !== null && view.revision >= revision) this.#beginning.delete(member);
    for (const member of [...this.#asked.keys(), ...this.#refused.keys()]) {
      if (assessor.of(member)?.assessment.act === true) continue;
      this.#asked.delete(member);
      this.#refused.delete(member);
    }
  }

  #isDue(member: MemberId, nowMs: MonotonicMs): boolean {
    const refused = this.#refused.get(member);
    if (refused) return nowMs >= refused.againAtMs;
    const asked = this.#asked.get(member);
    return asked === undefined || asked.answer.kind === 'go' || nowMs - asked.atMs >= GUARD_AGAIN_MS;
  }

  #holdOf({ member, az, assessment }: Judgement): WantedHold | null {
    if (assessment.act) {
      const refused = this.#refused.get(member);
      const answer = this.#asked.get(member)?.answer;
      if (answer?.kind === 'hold') return { reason: answer.reason, text: answer.text, untilWallMs: answer.untilWallMs };
      return refused?.hold ?? null;
    }
    const unjudged = this.#unjudgedHold(member, assessment);
    if (unjudged) return unjudged;
    const hold = (reason: HoldReason): WantedHold => ({ reason, text: assessment.reason, untilWallMs: null });
    if (assessment.reasonCode === 'ProbeAnswered') return hold('ProbeAnswered');
    if (assessment.reasonCode === 'Abandoned' || assessment.reasonCode === 'StoppedByOwnFence')
      return { ...hold(assessment.reasonCode), text: withWayOut(assessment.reasonCode, assessment.reason, member) };
    if (assessment.reasonCode === 'TwoAgents') return hold('TwoAgents');
    if (!assessment.quorum.silentEverywhere) return null;
    if (isWaiting(assessment.reasonCode)) return hold('NotEnoughObservers');
    if (assessment.reasonCode !== 'Ec2Unreadable' && assessment.reasonCode !== 'Ec2Stale') return null;
    const failure = this.#options.evidence.failures().find((one) => one.az === az);
    if (!failure) return null;
    const text = `${assessment.reason} ${failure.text}`;
    return { reason: failure.code === 'CLOUD_DENIED' ? 'CloudDenied' : 'CloudUnavailable', text, untilWallMs: null };
  }

  #noteUnjudged(): void {
    const { assessor, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    for (const { member, assessment } of assessor.all.values()) {
      if (!isUnjudged(assessment.reasonCode) && !isUnclear(assessment)) this.#unjudgedSinceMs.delete(member);
      else if (!this.#unjudgedSinceMs.has(member)) this.#unjudgedSinceMs.set(member, nowMs);
    }
    for (const member of this.#unjudgedSinceMs.keys())
      if (!assessor.all.has(member)) this.#unjudgedSinceMs.delete(member);
  }

  /**
   * Whoever died while no coordinator was up, or never spoke, is not failed over (S11); but
   * somebody should know.
   */
  #unjudgedHold(member: MemberId, assessment: Judgement['assessment']): WantedHold | null {
    const { reasonCode, reason } = assessment;
    const sinceMs = this.#unjudgedSinceMs.get(member);
    if (sinceMs === undefined || this.#options.clock.monotonicMs() - sinceMs < UNJUDGED_HOLD_MS) return null;
    if (reasonCode === 'KeyRetired') {
      const retired = `${reason} Give its agent a key that is accepted, or take the retired one back (docs/key-rotation.md)`;
      return { reason: 'KeyRetired', text: retired, untilWallMs: null };
    }
    if (isUnclear(assessment)) return { reason: 'NotReady', text: `${reason} A person has to look`, untilWallMs: null };
    if (reasonCode !== 'NeverHeard') return { reason: 'ObserverUnwell', text: reason, untilWallMs: null };
    const text = `${reason} Its agent does not speak, or it died while no coordinator was up: start the one or replace the other by hand`;
    return { reason: 'NeverHeard', text, untilWallMs: null };
  }

  /**
   * What the guard would say of each of these if it, and nobody else, failed now. Looks at nobody
   * else, so it may be asked of many. Changes nothing.
   */
  askAlone(judgements: Iterable<Judgement>): ReadonlyMap<MemberId, GuardAnswer> {
    const { inputs, recoveries } = this.known(judgements);
    return new Map([...inputs].map(([member, input]) => [member, guard({ ...input, fleet: [], recoveries })]));
  }

  /** What the guard would be asked with, now. Changes nothing. */
  known(judgements: Iterable<Judgement>): KnownToGuard {
    const recoveries = this.#recoveries(null, this.#options.clock.wallMs());
    const around = { fleet: [], recoveries };
    const inputs = [...judgements].map((one) => [one.member, this.#guardInput(one, null, around)] as const);
    return { fleet: this.#fleet(), recoveries, inputs: new Map(inputs) };
  }

  #guardInput(
    judgement: Judgement,
    overrides: Overrides | null,
    around?: Pick<GuardInput, 'fleet' | 'recoveries'>,
  ): GuardInput {
    const { view, clock, limits, evidence, ownTrouble } = this.#options;
    const { member, az, assessment, instanceId } = judgement;
    const group = groupOf(member);
    const wallNowMs = clock.wallMs();
    const instance = evidence.of(instanceId).cloud?.instance ?? null;
    return {
      member,
      group,
      az,
      wallNowMs,
      policy: view.policyOf(group),
      limits,
      pauses: view.pausesOf(member, wallNowMs),
      objections: this.#objections(member, instanceId),
      ownTrouble: ownTrouble(),
      quorum: guardQuorum(assessment, az),
      protectedByTag: instance?.tags[TAG.protected] === 'true',
      launchedAtWallMs: instance?.launchedAtWallMs ?? null,
      ...(around ?? { fleet: this.#fleet(), recoveries: this.#recoveries(member, wallNowMs) }),
      goesOn: this.#goesOn(judgement),
      ...this.#ec2Recovers(judgement, wallNowMs),
      overrides,
    };
  }

  /** Only where the group has a ladder: elsewhere nothing is waited for. */
  #ec2Recovers(
    { member, instanceId, failedSinceWallMs }: Judgement,
    wallNowMs: WallMs,
  ): Pick<GuardInput, 'ec2Recovers'> {
    const { view, clock, evidence } = this.#options;
    const policy = view.policyOf(groupOf(member));
    if (policy.recover.ladder === undefined) return {};
    const now = { nowMs: clock.monotonicMs(), wallNowMs };
    return { ec2Recovers: ec2Recovers(evidence.of(instanceId).cloudStatus, policy, failedSinceWallMs, now) };
  }

  /** Another way is taken for the failure that an earlier recovery has not ended. */
  #goesOn({ member, instanceId, failedSinceWallMs }: Judgement): boolean {
    const { view, clock } = this.#options;
    const own = [...(view.records.history.get(member)?.values() ?? [])].map((one) => one.record);
    return goesOnWith(own, instanceId, failedSinceWallMs ?? clock.wallMs());
  }

  /**
   * **S** (S25) Only for the recovery it was asked for, and not for longer than the person may
   * still mean it. The transaction that begins the recovery compares the request.
   */
  #overridesOf({ member, instanceId }: Judgement): Overrides | null {
    const { view, clock } = this.#options;
    const request = view.records.requests.get(member)?.record;
    const { ordinal } = view.records.activations.get(member)?.record ?? {};
    if (!request || request.kind !== 'recover' || request.opId !== opIdOf(instanceId, ordinal)) return null;
    if (!request.overrides || !isStillAsked(request, clock.wallMs())) return null;
    return { gates: request.overrides, by: request.by, why: request.why };
  }

  #objections(member: MemberId, instanceId: string): GuardInput['objections'] {
    const { view } = this.#options;
    const found: Objection[] = [];
    const unreadable = view.unreadableOf(member);
    if (unreadable) found.push({ reason: 'RecordUnreadable', text: unreadable.text });
    const conflict = this.#options.conflicts().get(member);
    if (conflict) found.push({ reason: conflict.reason, text: conflict.text });
    // A recovery with this very identity has ended: the same ids and tokens must not be used for a
    // second one.
    const { ordinal } = view.records.activations.get(member)?.record ?? {};
    const earlier = view.records.history.get(member)?.get(opIdOf(instanceId, ordinal));
    if (earlier) {
      const text = `recovery ${earlier.record.opId} of ${instanceId} ended as ${earlier.record.outcome}: a person has to look`;
      found.push({ reason: 'NotReady', text });
    }
    return found;
  }

  /** Where no replacement should be placed now, for groups whose policy recovers a lost zone. */
  lostZones(): readonly string[] {
    const { limits, clock } = this.#options;
    return lostZones({ fleet: this.#fleet(), recoveries: this.#recoveries(null, clock.wallMs()), limits });
  }

  #fleet(): readonly FleetMember[] {
    const fleet: FleetMember[] = [];
    for (const { member, az, failedSinceWallMs, assessment } of this.#options.assessor.all.values())
      if (assessment.verdict !== 'left')
        fleet.push({ member, az, failedSinceWallMs, heard: assessment.verdict === 'alive' });
    return fleet;
  }

  #recoveries(except: MemberId | null, wallNowMs: WallMs): readonly StartedRecovery[] {
    const { intents, history, activations, journals } = this.#options.view.records;
    const started: StartedRecovery[] = [];
    for (const [member, { record }] of intents) {
      const { startedAtWallMs } = record;
      const az = record.oldAz;
      // With its replacement in charge it is over for the guard, whatever chores are left.
      const activated = hasActivated(record, activations.get(member)?.record);
      const journal = [...(journals.get(record.opId)?.values() ?? [])].map((one) => one.record);
      const activatedAtWallMs = journalFacts(journal).activatedAtWallMs ?? startedAtWallMs;
      const endedAtWallMs = activated ? activatedAtWallMs : null;
      const goesOn = wentOn(record, history.get(member));
      started.push({ member, group: groupOf(member), az, startedAtWallMs, endedAtWallMs, goesOn });
    }
    for (const [member, { startedAtWallMs, az, goesOn }] of this.#beginning)
      if (member !== except && undecidedRecovery(this.#options.view.records, member) === null)
        started.push({ member, group: groupOf(member), az, startedAtWallMs, endedAtWallMs: null, goesOn });
    for (const [member, entries] of history) {
      for (const { record } of entries.values()) {
        // No failure has led to it: a person has.
        if (record.outcome === 'undone') continue;
        const { startedAtWallMs, endedAtWallMs } = record;
        const az = record.oldAz;
        const acknowledged = record.acknowledged !== undefined;
        const failureGoesOn = record.outcome === 'not-mended';
        const went = { failureGoesOn, goesOn: wentOn(record, entries) };
        if (wallNowMs - endedAtWallMs <= REMEMBER_MS)
          started.push({ member, group: groupOf(member), az, startedAtWallMs, endedAtWallMs, acknowledged, ...went });
      }
    }
    return started;
  }
}

/** It took the next way after one that had not brought the same instance back. */
const wentOn = (
  { oldInstanceId, ordinal, startedAtWallMs }: Pick<HistoryRecord, 'oldInstanceId' | 'ordinal' | 'startedAtWallMs'>,
  history: ReadonlyMap<string, { readonly record: HistoryRecord }> | undefined,
): boolean =>
  goesOnWith(
    [...(history?.values() ?? [])].map((one) => one.record).filter((one) => one.ordinal < ordinal),
    oldInstanceId,
    startedAtWallMs,
  );
