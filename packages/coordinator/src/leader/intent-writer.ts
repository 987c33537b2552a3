import {
  type ActivationRecord,
  type Clock,
  errorText,
  type GuardedWrite,
  type HoldReason,
  type IntentRecord,
  isOperationError,
  type Keyspace,
  type KvCompare,
  type KvReads,
  laterBy,
  type Log,
  type MemberId,
  type OperatorAct,
  type OperatorRequestRecord,
  opIdOf,
  type RecoveryPlan,
  type Term,
  type Unwritten,
  type WallMs,
} from '@understudy/shared';
import { launchPlan, levelNeeded, type PlanResult, type ServeLeases, supersede } from '@understudy/recovery';
import type { Stored } from '../store/cluster-records.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import { type BeginOutcome, MOOT } from './begin-outcome.ts';
import { recordsBasis } from './intent-basis.ts';
import type { Judgement } from './assessor.ts';
import type { Planner } from './planner.ts';
import type { PreparationKeeper, TakeOver } from './preparation-keeper.ts';
import { journalsUpTo, raisedOrdinal } from './raise-ordinal.ts';
import { isStillAsked } from '../commands/recoveries.ts';
import type { GuardAnswer } from '../judge/guard-input.ts';

/** After a plan that could not be made. Each attempt costs about ten EC2 reads. */
const REFUSED_AGAIN_MS = 15_000;
/** After a failure that passes by itself (EC2 busy, a compare that failed). */
const PASSING_AGAIN_MS = 2_000;
/** Members whose refusal is remembered, so that it is told once. */
const TOLD_MAX = 1_000;
/**
 * Observers whose opinions one transaction can compare (etcd takes 128 operations); a cluster has a
 * handful.
 */
const OBSERVERS_MAX = 40;
/** Text of a hold. */
const TEXT_MAX = 500;

export interface IntentWriterOptions {
  readonly planner: Pick<Planner, 'plan' | 'tokenOf'>;
  readonly view: ClusterState;
  /**
   * Judges the member anew, on what is known at this moment; null when there is nothing to judge.
   * Synchronous.
   */
  readonly judgeNow: (member: MemberId) => Judgement | null;
  /** What the guard says to it at this moment. Synchronous; changes nothing. */
  readonly ask: (judgement: Judgement) => GuardAnswer;
  readonly store: KvReads;
  readonly keys: Keyspace;
  readonly clock: Clock;
  readonly log: Log;
  readonly serveLeases: ServeLeases;
  /** Deadline of one etcd call: the commit starts only when the term holds for longer. */
  readonly storeTimeoutMs: number;
  /** What was made for it while it was suspect. */
  readonly preparations: Pick<PreparationKeeper, 'takeOver' | 'drop' | 'noteTaken'>;
  /** Takes off a request that cannot be carried out, and says why. @throws LEASE_LOST, STORE_* */
  readonly dropRequest: (term: Term, request: Stored<OperatorRequestRecord>, why: string) => Promise<void>;
}

/**
 * From a decision to an intent: reads what a plan needs (seconds, perhaps), then asks everything
 * again, synchronously, and commits only what is still true: one transaction that compares the
 * term, the activation, the member, its group, every observer's opinion and every pause with what
 * the decision was based on. Whatever changed in between, the reply, or a pause of this process can
 * only make it fail. It asks, and says what became of it; it tells nobody else. **S**
 */
export class IntentWriter {
  readonly #options: IntentWriterOptions;

  /**
   * What keeps each member's recovery from being begun, as it was told last; entries go when it is
   * begun.
   */
  readonly #told = new Map<MemberId, { readonly key: string; readonly count: number }>();

  constructor(options: IntentWriterOptions) {
    this.#options = options;
  }

  /** @throws LEASE_LOST, InvariantViolation; everything else is an outcome. */
  async run(term: Term, chosen: Judgement): Promise<BeginOutcome> {
    const { member } = chosen;
    const { view, ask, planner } = this.#options;
    try {
      if (view.records.intents.has(member)) return await this.#closeEarlier(term, chosen);
      const planned = await planner.plan(chosen, ask, term.signal);
      if (planned.kind === 'begun-before') return await this.#raiseOrdinal(term, member, planned.activation);
      return await this.#commit(term, chosen, planned.result);
    } catch (error) {
      if (!isOperationError(error) || error.code === 'LEASE_LOST' || term.signal.aborted) throw error;
      return this.#refused(member, ...reasonOf(error.code), errorText(error));
    }
  }

  /**
   * The recovery that put this instance in charge still does chores: it is closed with what it has
   * not done, and the next pass begins a recovery as usual, with every gate asked again.
   */
  async #closeEarlier(term: Term, chosen: Judgement): Promise<BeginOutcome> {
    const { view, ask, judgeNow, store: kv, keys, clock, log } = this.#options;
    const { member } = chosen;
    const intent = view.records.intents.get(member);
    const activation = view.records.activations.get(member);
    const judgement = judgeNow(member);
    const still = judgement?.instanceId === chosen.instanceId && judgement.assessment.act && view.isFresh();
    if (!intent || !activation || !still || ask(judgement).kind !== 'go') return MOOT;
    const why = `${judgement.instanceId}: ${judgement.assessment.reason}`;
    const wallMs = () => clock.wallMs();
    const closed = await supersede({ kv, keys, wallMs }, intent, activation, term, why);
    if (closed) log.warn('recovery.superseded', { member, opId: intent.record.opId, term: term.number, why });
    return this.#later(closed ? 0 : PASSING_AGAIN_MS);
  }

  async #commit(term: Term, chosen: Judgement, result: PlanResult<RecoveryPlan>): Promise<BeginOutcome> {
    const { member } = chosen;
    const { log, storeTimeoutMs } = this.#options;
    const again = (text: string) => this.#refused(member, null, PASSING_AGAIN_MS, text);
    if (result.kind === 'blocked') {
      const text = result.problems.map((one) => `${one.code}: ${one.text}`).join('; ');
      const reason = isOnlyPlacement(result.problems) ? 'NoPlacementLeft' : 'NotReady';
      return this.#refused(member, reason, REFUSED_AGAIN_MS, text);
    }
    const shown = this.#askedByToken(member);
    const otherwise = shown && this.#isOtherwise(shown, chosen, result.plan) ? shown : null;
    if (otherwise) {
      await this.#options.dropRequest(term, otherwise, 'the plan is another one than was shown: look at it again');
      return this.#later(PASSING_AGAIN_MS);
    }
    const taken = this.#options.preparations.takeOver(member, result.plan, shown !== null);
    if (taken.kind === 'other') {
      await this.#options.preparations.drop(term, taken.stored, 'the recovery begins by another launch');
      return this.#later(0);
    }
    // No await from here to the commit: what is judged now is what is compared.
    const judgement = this.#stillTrue(chosen, result.plan);
    if (typeof judgement === 'string') return again(judgement);
    if (!term.holdsFor(storeTimeoutMs)) return again('the term does not hold long enough');
    const write = this.#intent(term, judgement, result.plan, taken);
    if (write === null) return again('its records changed, or there are too many observers to compare');
    const outcome = await term.commit(write);
    if (outcome.kind === 'conflict') return again('what it was decided on changed meanwhile');
    this.#told.delete(member);
    if (taken.kind === 'taken') this.#options.preparations.noteTaken(taken.stored);
    const { assessment, instanceId } = judgement;
    log.warn('recovery.begun', {
      member,
      instanceId,
      opId: this.#nextOpId(member),
      term: term.number,
      why: assessment.reason,
      strategy: result.plan.strategy,
      ...(result.plan.ladder && { rungs: result.plan.ladder.map(({ rung, said }) => `${rung} ${said}`) }),
    });
    return { kind: 'begun', revision: outcome.revision };
  }

  /** **S** (S25) The request, if it asks for a plan that was shown. Synchronous. */
  #askedByToken(member: MemberId): Stored<OperatorRequestRecord> | null {
    const { view, clock } = this.#options;
    const request = view.records.requests.get(member);
    if (request?.record.planToken === undefined || request.record.opId !== this.#nextOpId(member)) return null;
    return isStillAsked(request.record, clock.wallMs()) ? request : null;
  }

  #isOtherwise({ record }: Stored<OperatorRequestRecord>, chosen: Judgement, plan: RecoveryPlan): boolean {
    return record.planToken !== this.#options.planner.tokenOf(chosen, plan);
  }

  #nextOpId(member: MemberId): string {
    const { instanceId = '', ordinal } = this.#options.view.records.activations.get(member)?.record ?? {};
    return opIdOf(instanceId, ordinal);
  }

  /** The next pass begins it, under the next name. */
  async #raiseOrdinal(term: Term, member: MemberId, activation: Stored<ActivationRecord>): Promise<BeginOutcome> {
    const { view, keys, log } = this.#options;
    const outcome = await term.commit(raisedOrdinal(keys, view.records, activation));
    if (outcome.kind === 'committed')
      log.warn('recovery.ordinal_raised', { member, why: 'an earlier recovery left a trace, and no intent' });
    return this.#later(PASSING_AGAIN_MS);
  }

  /**
   * Everything that led here, asked again with what is known now; the reason when it no longer
   * holds.
   */
  #stillTrue(chosen: Judgement, plan: RecoveryPlan): Judgement | string {
    const { judgeNow, ask, view } = this.#options;
    if (!view.isFresh()) return 'the view of etcd is not fresh';
    const judgement = judgeNow(chosen.member);
    if (judgement === null || judgement.instanceId !== chosen.instanceId) return 'another instance is activated';
    if (!judgement.assessment.act) return judgement.assessment.reason;
    const answer = ask(judgement);
    if (answer.kind !== 'go') return answer.text;
    // Lost since the plan was made (its being found again is no reason to go back to it).
    const leaves = (launchPlan(plan)?.candidates ?? []).every((candidate) => candidate.az !== answer.leaveAz);
    return leaves ? judgement : `${answer.leaveAz ?? ''} is lost, and the plan would place the replacement there`;
  }

  #intent(
    term: Term,
    judgement: Judgement,
    planned: RecoveryPlan,
    taken: Exclude<TakeOver, { readonly kind: 'other' }>,
  ): GuardedWrite | null {
    const preparation = taken.kind === 'taken' ? taken.stored : null;
    const plan = taken.kind === 'taken' ? taken.plan : planned;
    const { member, instanceId, assessment } = judgement;
    const { view, keys, clock, serveLeases } = this.#options;
    const { records } = view;
    const activation = records.activations.get(member);
    if (activation?.record.instanceId !== instanceId || records.intents.has(member)) return null;
    const heard = [...(records.opinions.get(member)?.values() ?? [])].map(({ record }) => record.lastHeardWallMs ?? 0);
    const lastHeardWallMs = Math.max(0, ...heard);
    // The transaction compares the member's record, so the contract it rests on is the one in force
    // when the intent is.
    const lease = serveLeases.standing(member, instanceId);
    const { ordinal } = activation.record;
    const opId = opIdOf(instanceId, ordinal);
    const hold = records.holds.get(member);
    // Whatever was asked of it before: a recovery that begins has not been asked for anything yet.
    const asked = records.requests.get(member);
    const record: Unwritten<IntentRecord> = {
      opId,
      member,
      oldInstanceId: instanceId,
      ordinal,
      oldAz: judgement.az,
      oldIncarnation: activation.record.incarnation,
      activationModRevision: activation.modRevision,
      term: term.number,
      startedAtWallMs: clock.wallMs(),
      lastHeardWallMs: lastHeardWallMs === 0 ? null : lastHeardWallMs,
      reason: assessment.reason,
      serveContract: records.members.get(member)?.record.serveContract ?? null,
      serveLeaseOverAfterMs:
        plan.policy.recover.serveLease !== null && lease.kind === 'counts' ? lease.overAfterMs : null,
      plan,
      ...(preparation && {
        prepared: { makes: preparation.record.makes, begunAtWallMs: preparation.record.startedAtWallMs },
      }),
      ...begunFor(asked?.record, opId, clock.wallMs()),
    };
    const neededLevel = Math.max(levelNeeded(plan), preparation?.record.neededLevel ?? 1);
    // **S** (S24) Not in force any more: a coordinator that would not act by it rightly is here.
    if (view.levelInForce() < neededLevel) return null;
    if (records.coordinators.size + (records.opinions.get(member)?.size ?? 0) > OBSERVERS_MAX) return null;
    return {
      puts: [{ key: keys.intent(member), record: neededLevel === 1 ? record : { ...record, neededLevel }, expect: 0 }],
      deletes: [
        ...(preparation ? [{ key: keys.preparation(opId), expect: preparation.modRevision }] : []),
        ...(hold ? [{ key: keys.hold(member), expect: hold.modRevision }] : []),
        ...(asked ? [{ key: keys.request(member), expect: asked.modRevision }] : []),
      ],
      deletePrefixes: journalsUpTo(keys, records, activation.record).map((opId) => keys.journalOf(opId)),
      also: [...this.#basis(member, plan, neededLevel), ...(preparation ? [] : [this.#noPreparation(opId)])],
    };
  }

  /**
   * **S** (S31) What our view does not show may be there: a preparation of this name that was begun
   * a moment ago would have its journal.
   */
  #noPreparation(opId: string): KvCompare {
    return { key: this.#options.keys.preparation(opId), modRevision: 0 };
  }

  /** Every record the decision rests on, at the revision it was read; 0 = it was not there. */
  #basis(member: MemberId, plan: RecoveryPlan, neededLevel: number): readonly KvCompare[] {
    const { view, keys } = this.#options;
    const { coordinators, opinions } = view.records;
    const own = opinions.get(member);
    const observers = new Set([...coordinators.keys(), ...view.strangers(), ...(own?.keys() ?? [])]);
    return [
      ...recordsBasis(view, keys, member, plan, neededLevel),
      ...[...observers].map((observer) => ({
        key: keys.opinion(member, observer),
        modRevision: own?.get(observer)?.modRevision ?? 0,
      })),
      ...[...observers].map((id) => keys.drain(id)).map((key) => ({ key, modRevision: view.revisionOf(key) })),
    ];
  }

  /** Once when it begins or changes; how often it was tried in between stands in the next line. */
  #tell(member: MemberId, reason: HoldReason | null, text: string): void {
    const before = this.#told.get(member);
    const key = kindOf(reason, text);
    const same = before?.key === key;
    if (this.#told.size >= TOLD_MAX) this.#told.clear();
    this.#told.set(member, { key, count: same ? before.count + 1 : 1 });
    if (!same) this.#options.log.warn('recovery.not_begun', { member, reason, text, triedBefore: before?.count ?? 0 });
  }

  #refused(member: MemberId, reason: HoldReason | null, againInMs: number, text: string): BeginOutcome {
    this.#tell(member, reason, text);
    const { againAtMs } = this.#later(againInMs);
    const hold = reason === null ? null : { reason, text: text.slice(0, TEXT_MAX), untilWallMs: null };
    return { kind: 'refused', hold, againAtMs };
  }

  /** Nobody needs to know: the next pass after that time does it. */
  #later(inMs: number): BeginOutcome & { readonly kind: 'refused' } {
    return { kind: 'refused', hold: null, againAtMs: laterBy(this.#options.clock.monotonicMs(), inMs) };
  }
}

/** The act of whoever asked for this very recovery, and still does. */
function begunFor(
  request: OperatorRequestRecord | undefined,
  opId: string,
  nowWallMs: WallMs,
): { readonly acts?: [OperatorAct] } {
  if (request?.kind !== 'recover' || request.opId !== opId || !isStillAsked(request, nowWallMs)) return {};
  const { kind, by, why, atWallMs, overrides = [] } = request;
  const text = `a recovery was begun${overrides.length === 0 ? '' : `, overriding ${overrides.join(', ')}`}`;
  return { acts: [{ kind, by, why, atWallMs, carriedOutAtWallMs: nowWallMs, text }] };
}

/** The same failure, whatever ids and counts its text has. */
const kindOf = (reason: HoldReason | null, text: string): string => `${reason ?? ''} ${text.replaceAll(/\d+/g, '#')}`;

/**
 * Nothing but the lost zone is in the way; {@link planFor} names every placement it left out
 * beside it.
 */
const isOnlyPlacement = (problems: readonly { readonly code: string }[]): boolean =>
  problems.some((one) => one.code === 'NoPlacementOutsideZone') &&
  problems.every((one) => one.code === 'NoPlacementOutsideZone' || one.code.startsWith('Placement'));

/** Errors of reads, or of the commit (whose outcome the view will show). */
function reasonOf(code: string): readonly [HoldReason | null, number] {
  if (code === 'CLOUD_DENIED') return ['CloudDenied', REFUSED_AGAIN_MS];
  if (code === 'CLOUD_REJECTED') return ['CloudRejected', REFUSED_AGAIN_MS];
  if (code === 'CLOUD_NOT_FOUND') return ['NotReady', REFUSED_AGAIN_MS];
  if (code === 'CLOUD_UNAVAILABLE' || code === 'CLOUD_THROTTLED') return ['CloudUnavailable', PASSING_AGAIN_MS];
  return [null, PASSING_AGAIN_MS];
}
