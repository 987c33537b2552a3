import {
  type Clock,
  type GroupPolicy,
  type Keyspace,
  type MemberId,
  type MonotonicMs,
  opIdOf,
  type WallMs,
  groupOf,
} from '@understudy/shared';
import type { ClusterState } from '../store/cluster-state.ts';
import type { Assessment, MemberEvidence, ObserverRequirement } from '../judge/evidence.ts';
import { assess } from '../judge/assess.ts';
import { type OwnStop, ownStopOf, weighOwnStop } from '../judge/own-stop.ts';
import { isStillAsked } from '../commands/recoveries.ts';
import type { VerdictChanges } from '../judge/verdict-changes.ts';
import { journalFacts, undecidedRecovery } from '@understudy/recovery';
import type { ObserverTable } from '@understudy/observer';
import type { EvidencePoller } from './ec2-evidence.ts';
import { journalsUpTo } from './raise-ordinal.ts';
import { UnreachableSince } from './unreachable-since.ts';

/**
 * Members judged in one pass; the rest follow in the next. Keeps a pass short, so that datagrams
 * never wait long.
 */
const JUDGED_PER_PASS = 2_000;

export interface Judgement {
  readonly member: MemberId;
  readonly instanceId: string;
  readonly az: string;
  readonly assessment: Assessment;
  readonly judgedAtMs: MonotonicMs;
  /**
   * Since when nobody hears it (suspect, dead, or unknown after that), or since when a check fails,
   * or its services are unreachable, where the policy acts on that; null while it is fine or
   * `left`.
   */
  readonly failedSinceWallMs: number | null;
}

export interface AssessorOptions {
  readonly view: ClusterState;
  readonly observer: ObserverTable;
  readonly evidence: EvidencePoller;
  readonly clock: Clock;
  readonly keys: Keyspace;
  readonly requirement: ObserverRequirement;
  readonly coordinatorId: string;
  readonly changes: VerdictChanges;
}

/**
 * Joins everything that is known about each member and asks `assess`, when something changed or the
 * last answer said to look again. Holds no power: what follows from a judgement is the guard's and
 * the leader's business.
 */
export class Assessor {
  readonly #options: AssessorOptions;
  readonly #judgements = new Map<MemberId, Judgement>();
  readonly #unreachable = new UnreachableSince();
  /** Changed since they were judged; at most one entry per member. */
  readonly #dirty = new Set<MemberId>();
  /** When the present term of this process began; null: it never led. */
  #termBeganAtMs: MonotonicMs | null = null;

  constructor(options: AssessorOptions) {
    this.#options = options;
  }

  get all(): ReadonlyMap<MemberId, Judgement> {
    return this.#judgements;
  }

  of(member: MemberId): Judgement | null {
    return this.#judgements.get(member) ?? null;
  }

  /** As judged in the present term: what was judged in an earlier one is not this term's word. */
  inThisTerm(member: MemberId): Judgement | null {
    const judgement = this.of(member);
    const sinceMs = this.#termBeganAtMs;
    return judgement && sinceMs !== null && judgement.judgedAtMs >= sinceMs ? judgement : null;
  }

  *ofThisTerm(): Iterable<Judgement> {
    for (const member of this.#judgements.keys()) {
      const judgement = this.inThisTerm(member);
      if (judgement) yield judgement;
    }
  }

  /** Keys of the view that changed: whom they concern is judged in the next pass. */
  noteChanged(keys: readonly string[]): void {
    const { root } = this.#options.keys;
    for (const key of keys) {
      const [area, group, name] = key.slice(root.length).split('/');
      if (
        area === 'requests' ||
        area === 'history' ||
        area === 'opinions' ||
        area === 'activations' ||
        area === 'members' ||
        area === 'intents'
      )
        this.#dirty.add(`${group ?? ''}/${name ?? ''}`);
      else if (area === 'coordinators' || area === 'groups' || area === 'drains')
        for (const member of this.#judgements.keys()) this.#dirty.add(member);
    }
  }

  /** Something new is known of them: they are judged in the next pass. */
  judgeSoon(members: readonly MemberId[]): void {
    for (const member of members) this.#dirty.add(member);
  }

  /**
   * Judges whoever is due. Synchronous. Returns the members EC2 should be asked about out of turn.
   */
  pass(): readonly Judgement[] {
    const nowMs = this.#options.clock.monotonicMs();
    this.#forgetGone();
    const wanting: Judgement[] = [];
    let room = JUDGED_PER_PASS;
    for (const member of this.#due(nowMs)) {
      if (room-- <= 0) break;
      this.#dirty.delete(member);
      const judgement = this.judgeNow(member);
      if (judgement?.assessment.wantsCloudReading) wanting.push(judgement);
    }
    return wanting;
  }

  /**
   * Judges one member on what is known at this moment, and keeps the answer; null when there is
   * nothing to judge.
   */
  judgeNow(member: MemberId): Judgement | null {
    const evidence = this.evidenceOf(member);
    if (evidence === null) {
      this.#judgements.delete(member);
      this.#unreachable.forget(member);
      return null;
    }
    const judgement = this.#judge(evidence);
    this.#unreachable.note(evidence, judgement.assessment.serviceUnreachable, judgement.judgedAtMs);
    this.#judgements.set(member, judgement);
    this.#note(judgement);
    return judgement;
  }

  /** Call when a term begins. */
  beginTerm(): void {
    this.#unreachable.forgetAll();
    this.#termBeganAtMs = this.#options.clock.monotonicMs();
  }

  /**
   * As {@link judgeNow}, but keeps nothing: for whoever only wants to know. Also on a follower,
   * which knows nothing from EC2.
   */
  look(member: MemberId): Judgement | null {
    const evidence = this.evidenceOf(member);
    return evidence && this.#judge(evidence);
  }

  #judge(evidence: MemberEvidence): Judgement {
    const { clock, view } = this.#options;
    const { member, instanceId, az } = evidence;
    const policy = view.policyOf(groupOf(member));
    const judgedAtMs = clock.monotonicMs();
    const assessment = weighOwnStop(
      assess(evidence, policy, judgedAtMs),
      this.#ownStop(evidence),
      this.#askedBy(evidence),
    );
    const before = this.#judgements.get(member);
    const failedSinceWallMs =
      failedSince(
        assessment,
        evidence,
        before?.instanceId === instanceId && before.assessment.verdict !== 'alive' ? before : null,
      ) ?? unreachableSince(assessment, evidence, policy, judgedAtMs);
    return { member, instanceId, az, assessment, judgedAtMs, failedSinceWallMs };
  }

  /** Known by leaders only: a follower does not ask EC2. */
  #ownStop({ member, instanceId, opinions }: MemberEvidence): OwnStop | null {
    const { view, evidence, keys } = this.#options;
    const { activations, history, journals, intents } = view.records;
    const instance = evidence.of(instanceId).cloud?.instance ?? null;
    const activation = activations.get(member)?.record;
    const recordsOf = (opId: string) => [...(journals.get(opId)?.values() ?? [])].map((one) => one.record);
    const left = !activation || intents.has(member) ? [] : journalsUpTo(keys, view.records, activation);
    const heard = opinions.filter((one) => one.instanceId === instanceId).map((one) => one.lastHeardWallMs ?? 0);
    return ownStopOf({
      instanceId,
      tags: instance?.tags ?? null,
      launchedAtWallMs: instance?.launchedAtWallMs ?? null,
      history: [...(history.get(member)?.values() ?? [])].map((one) => one.record),
      journalOpId: left.findLast((opId) => journalFacts(recordsOf(opId)).fenceBegun) ?? null,
      lastHeardWallMs: heard.length === 0 ? null : Math.max(...heard),
    });
  }

  /**
   * Who has asked for a recovery of this very instance, under the name it would have; null: nobody.
   */
  #askedBy({ member, instanceId }: MemberEvidence): string | null {
    const { requests, activations } = this.#options.view.records;
    const request = requests.get(member)?.record;
    const opId = opIdOf(instanceId, activations.get(member)?.record.ordinal);
    return request?.kind === 'recover' && request.opId === opId && isStillAsked(request, this.#options.clock.wallMs())
      ? request.by
      : null;
  }

  #note({ member, instanceId, assessment }: Judgement): void {
    const { changes, clock, coordinatorId } = this.#options;
    const { verdict, reasonCode, reason } = assessment;
    const by = `${coordinatorId} as leader`;
    changes.note(member, { atWallMs: clock.wallMs(), by, instanceId, verdict, reasonCode, reason });
  }

  *#due(nowMs: MonotonicMs): Iterable<MemberId> {
    yield* [...this.#dirty];
    for (const [member, { judgedAtMs, assessment }] of this.#judgements)
      if (nowMs - judgedAtMs >= assessment.recheckInMs) yield member;
    for (const member of this.#options.view.records.activations.keys()) if (!this.#judgements.has(member)) yield member;
  }

  #forgetGone(): void {
    const { activations } = this.#options.view.records;
    for (const member of this.#judgements.keys()) {
      if (activations.has(member)) continue;
      this.#judgements.delete(member);
      this.#unreachable.forget(member);
    }
  }

  /**
   * null: no activation, or a recovery is open that has activated nobody yet (its engine looks
   * after it), or a record cannot be read.
   */
  evidenceOf(member: MemberId): MemberEvidence | null {
    const { view, clock, observer, evidence, requirement } = this.#options;
    const { activations, members, coordinators, opinions } = view.records;
    const activation = activations.get(member)?.record;
    const record = members.get(member)?.record;
    if (!activation || !record || view.isBlocked(member)) return null;
    // **S** Whatever chores its recovery still does: an activated replacement is watched like any
    // member.
    if (undecidedRecovery(view.records, member) !== null) return null;
    const { instanceId } = activation;
    const seen = evidence.of(instanceId);
    const drained = view.drained(clock.wallMs());
    const all: MemberEvidence = {
      member,
      instanceId,
      az: record.az,
      wallNowMs: clock.wallMs(),
      observers: [
        // **S** One that is drained is about to go: what it hears is a veto, and it accuses nobody.
        ...[...coordinators.values()].map(({ record: { coordinatorId, az } }) => ({
          coordinatorId,
          az: drained.has(coordinatorId) ? null : az,
        })),
        ...view.strangers().map((coordinatorId) => ({ coordinatorId, az: null })),
      ],
      opinions: [...(opinions.get(member)?.values() ?? [])].map(({ record: one }) => ({
        observer: one.observer,
        az: one.observerAz,
        instanceId: one.instanceId,
        verdict: one.verdict,
        reason: one.reason,
        sinceWallMs: one.sinceWallMs,
        lastHeardWallMs: one.lastHeardWallMs,
        ...(one.service ? { service: one.service } : {}),
      })),
      requirement,
      cloud: seen.cloud,
      cloudStatus: seen.cloudStatus,
      workload: observer.reading(member, instanceId, clock.monotonicMs()),
    };
    return { ...all, serviceUnreachableSinceMs: this.#unreachable.of(all) };
  }
}

/**
 * So that many services that become unreachable together are a mass; only where the group acts on
 * it.
 */
function unreachableSince(
  { serviceUnreachable }: Assessment,
  { wallNowMs, serviceUnreachableSinceMs }: MemberEvidence,
  { detect: { serviceFailsAfterMs } }: GroupPolicy,
  nowMs: MonotonicMs,
): number | null {
  if (!serviceUnreachable || serviceFailsAfterMs === 0) return null;
  return wallNowMs - (nowMs - (serviceUnreachableSinceMs ?? nowMs));
}

/**
 * When the failure began. For a silence it comes from the observers' published opinions, so that a
 * new leader gets the same answer; the earliest wins. `before` is the last judgement, if it was of
 * a silence.
 */
function failedSince(assessment: Assessment, evidence: MemberEvidence, before: Judgement | null): number | null {
  const { verdict, failingForMs } = assessment;
  if (verdict === 'left') return null;
  if (verdict === 'alive') return failingForMs === null ? null : evidence.wallNowMs - failingForMs;
  if (verdict === 'unknown') return before?.failedSinceWallMs ?? null;
  const now: WallMs = evidence.wallNowMs;
  const since = evidence.opinions
    .filter((one) => one.instanceId === evidence.instanceId && (one.verdict === 'suspect' || one.verdict === 'dead'))
    .map((one) => one.sinceWallMs);
  return Math.min(before?.failedSinceWallMs ?? now, now, ...since);
}
