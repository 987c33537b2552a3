import {
  durationText,
  type Clock,
  endText,
  groupOf,
  type GuardedWrite,
  type JournalRecord,
  type Keyspace,
  laterBy,
  type Log,
  makesWhileSuspect,
  type MemberId,
  type MonotonicMs,
  opIdOf,
  type PreparationRecord,
  type PreparedView,
  type Problem,
  problemOf,
  type RecoveryPlan,
  type Revision,
  TAG,
  type Term,
  unwritten,
} from '@understudy/shared';
import {
  mostCost,
  planWithRoom,
  type PlanInput,
  type PlanResult,
  preparable,
  type RecoveryRunner,
  roomText,
  takenOver,
} from '@understudy/recovery';
import type { GuardAnswer } from '../judge/guard-input.ts';
import type { Stored } from '../store/cluster-records.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import type { Assessor, Judgement } from './assessor.ts';
import { beginning, limitsOf, openIn, type Refusal } from './preparation-begin.ts';
import { forgetting, spentByGroup } from './preparation-ledger.ts';
import { raisedOrdinal } from './raise-ordinal.ts';
import type { TermTasks } from './term-tasks.ts';

/** With more suspects than this the cause is not theirs, and nothing is made for any of them. */
const SUSPECTS_MAX = 3;
/** After a run that could not go on. */
const PARKED_AGAIN_MS = 2_000;
/** EC2 shows some seconds later what it has made: a seed that lands late is not to run for long. */
const GONE_AGAIN_MS = 20_000;
/**
 * A call of it may still land for so long: AWS takes no request signed more than 5 minutes ago, by
 * clocks at most 5 minutes off. What was dropped is looked at once more after that.
 */
const LATE_CALLS_MS = 900_000;
/** Dropped for so long, and still there: it is told. */
const STUCK_AFTER_MS = 1_200_000;
/** Before the same member is looked at again, where nothing could be begun for it. */
const REFUSED_AGAIN_MS = 5_000;

const NEVER = Number.POSITIVE_INFINITY as MonotonicMs;

type Next = Pick<Work, 'againAtMs' | 'goneSinceMs' | 'stuck'>;

export interface PreparationKeeperOptions {
  readonly view: ClusterState;
  readonly assessor: Pick<Assessor, 'inThisTerm' | 'ofThisTerm'>;
  readonly runner: Pick<RecoveryRunner, 'prepare' | 'interrupt'>;
  readonly keys: Keyspace;
  readonly clock: Clock;
  readonly log: Log;
  /** What the guard would say if it was dead. Synchronous; changes nothing. */
  readonly ask: (judgement: Judgement) => GuardAnswer;
  /** What was read for it while it is suspect; null: nothing (yet). */
  readonly inputFor: (judgement: Judgement) => PlanInput | null;
  readonly planOf: (judgement: Judgement, input: PlanInput, answer: GuardAnswer) => PlanResult<RecoveryPlan>;
}

/** What became of preparations since the start of this process. */
export interface MakingCounts {
  readonly begun: number;
  readonly taken: number;
  readonly dropped: number;
  readonly limited: number;
}

/** What has become of them, and what is there now. */
export interface Makings {
  readonly counts: MakingCounts;
  /** The most that those begun in the last 24 hours can cost, by group, in its own currency. */
  readonly spent: ReadonlyMap<string, number>;
  readonly present: { readonly open: number; readonly dropped: number };
}

interface Work {
  /** Revision of the record that was run. */
  readonly modRevision: Revision;
  readonly isRunning: boolean;
  readonly againAtMs: MonotonicMs;
  /** Null: it is not seen dropped, or something of it was there at the last look. */
  readonly goneSinceMs: MonotonicMs | null;
  /** What stood in the way of the last run; null: nothing. */
  readonly stuck: string | null;
}

/**
 * Has things made at EC2 for suspects, within what the policy allows, and removed again: each
 * preparation stands in etcd before anything of it is called, and until nothing of it is there.
 *
 * **S** (S31) A preparation is taken over by the recovery of its own name, in the transaction of
 * the intent; or it is dropped, in one that raises the ordinal, so that no recovery has its name,
 * tokens and marks. Nothing is begun where a recovery would be held.
 */
export class PreparationKeeper {
  readonly #options: PreparationKeeperOptions;
  readonly #work = new Map<string, Work>();
  /** Members for whom nothing could be begun: not before. */
  readonly #refused = new Map<MemberId, Refusal & { readonly againAtMs: MonotonicMs }>();
  #counts: MakingCounts = { begun: 0, taken: 0, dropped: 0, limited: 0 };

  constructor(options: PreparationKeeperOptions) {
    this.#options = options;
  }

  get counts(): MakingCounts {
    return this.#counts;
  }

  beginTerm(): void {
    this.#refused.clear();
    for (const [opId, work] of this.#work) if (!work.isRunning) this.#work.delete(opId);
  }

  /** Synchronous: what takes time goes on in `tasks`, beside the next passes. */
  pass(term: Term, tasks: Pick<TermTasks, 'startAlone'>): void {
    const { view, runner } = this.#options;
    if (!runner.prepare || !view.isFresh()) return;
    const { preparations } = view.records;
    for (const [opId, { isRunning }] of this.#work) if (!isRunning && !preparations.has(opId)) this.#work.delete(opId);
    for (const stored of preparations.values()) this.#further(term, tasks, stored);
    const ailing = [...this.#options.assessor.ofThisTerm()].filter(
      ({ assessment: { verdict } }) => verdict === 'suspect' || verdict === 'dead',
    );
    for (const member of this.#refused.keys())
      if (!ailing.some((one) => one.member === member)) this.#refused.delete(member);
    if (ailing.length > SUSPECTS_MAX) return;
    for (const one of ailing) if (one.assessment.verdict === 'suspect') this.#begin(term, tasks, one);
  }

  /**
   * What a recovery that begins now by this plan does with what was made for it. `none`: nothing
   * was. `other`: something else than it needs, which has to be dropped first. **S** (S25) A plan
   * that was shown stays in its order, whatever is known of room.
   */
  takeOver(member: MemberId, plan: RecoveryPlan, wasShown: boolean): TakeOver {
    const stored = this.openOf(member);
    if (!stored) return { kind: 'none' };
    const taken = takenOver(stored.record, plan);
    if (taken === null) return { kind: 'other', stored };
    const ordered = wasShown ? taken : planWithRoom(taken, this.#stepsOf(stored.record.opId));
    return { kind: 'taken', plan: ordered, stored };
  }

  noteTaken({ record: { member, opId, makes } }: Stored<PreparationRecord>): void {
    this.#counts = { ...this.#counts, taken: this.#counts.taken + 1 };
    this.#options.log.info('prepare.taken_over', { member, opId, makes });
  }

  /** For people. Null: nothing is made for it. */
  textFor(member: MemberId): { readonly text: string; readonly ageMs: number | null } | null {
    const stored = this.openOf(member);
    if (!stored) {
      const refusal = this.#refused.get(member);
      return refusal ? { text: `nothing is made at EC2 for it: ${refusal.why}`, ageMs: null } : null;
    }
    const { makes, startedAtWallMs, opId } = stored.record;
    const steps = this.#stepsOf(opId);
    const done = steps.filter(({ state }) => state === 'done').map(({ step }) => step);
    const room = roomText(steps);
    const text = `made at EC2 while it is suspect: ${makes.join(', ')}; done: ${done.join(', ') || 'nothing yet'}${room === '' ? '' : `; ${room}`}`;
    return { text, ageMs: this.#options.clock.wallMs() - startedAtWallMs };
  }

  #stepsOf(opId: string): readonly JournalRecord[] {
    return [...(this.#options.view.records.journals.get(opId)?.values() ?? [])].map(({ record }) => record);
  }

  /** For the plan. Undefined: the policy names nothing. `plan` null: there is none. */
  shown(member: MemberId, plan: RecoveryPlan | null): PreparedView | undefined {
    const { view, clock } = this.#options;
    const group = groupOf(member);
    const prepare = makesWhileSuspect(view.policyOf(group));
    if (prepare === null) return undefined;
    const makes = plan === null ? [] : preparable(plan, prepare.makes);
    return {
      now: this.textFor(member)?.text ?? null,
      makes: [...makes],
      limits: limitsOf({ view, nowWallMs: clock.wallMs() }, group, prepare, plan && mostCost(plan, makes, prepare)),
    };
  }

  /**
   * Nothing goes on with it. @throws LEASE_LOST, STORE_*
   */
  async drop(term: Term, stored: Stored<PreparationRecord>, why: string): Promise<void> {
    const { log, runner } = this.#options;
    const { opId, member, oldInstanceId: instanceId } = stored.record;
    const outcome = await term.commit(this.#dropped(stored, why));
    if (outcome.kind === 'conflict') return;
    this.#counts = { ...this.#counts, dropped: this.#counts.dropped + 1 };
    log.info('prepare.dropping', { member, instanceId, opId, why });
    // Not again for the same suspicion.
    this.#refused.set(member, { why: `what was made was dropped: ${why}`, isLimit: false, againAtMs: NEVER });
    runner.interrupt?.(opId);
  }

  /** What may be taken over by a recovery of this member; null: nothing. */
  openOf(member: MemberId): Stored<PreparationRecord> | null {
    const { activations, preparations } = this.#options.view.records;
    const { instanceId = '', ordinal } = activations.get(member)?.record ?? {};
    const stored = preparations.get(opIdOf(instanceId, ordinal));
    return stored && stored.record.dropped === undefined ? stored : null;
  }

  #dropped({ record, modRevision }: Stored<PreparationRecord>, why: string): GuardedWrite {
    const { keys, view, clock } = this.#options;
    const { opId, member, oldInstanceId, ordinal } = record;
    const dropped = { ...unwritten(record), dropped: { why, atWallMs: clock.wallMs() } };
    const put = { key: keys.preparation(opId), expect: modRevision, record: dropped };
    const activation = view.records.activations.get(member);
    // Raised already, or another instance's: nobody has this name any more.
    if (activation?.record.instanceId !== oldInstanceId || activation.record.ordinal !== ordinal)
      return { puts: [put] };
    const raised = raisedOrdinal(keys, view.records, activation);
    return { ...raised, puts: [put, ...raised.puts] };
  }

  #further(term: Term, tasks: Pick<TermTasks, 'startAlone'>, stored: Stored<PreparationRecord>): void {
    const { opId, dropped } = stored.record;
    const why = dropped === undefined ? this.#whyToDrop(stored.record) : null;
    if (why !== null) return tasks.startAlone(`drop ${opId}`, () => this.drop(term, stored, why));
    const work = this.#work.get(opId);
    const isDue = work?.modRevision !== stored.modRevision || this.#options.clock.monotonicMs() >= work.againAtMs;
    if (work?.isRunning === true || !isDue) return;
    tasks.startAlone(`prepare ${opId}`, () => this.#run(term, stored, work?.goneSinceMs ?? null));
  }

  /** Null: it is kept. */
  #whyToDrop({ member, oldInstanceId, ordinal, startedAtWallMs, makes }: PreparationRecord): string | null {
    const { view, assessor, clock } = this.#options;
    const activation = view.records.activations.get(member)?.record;
    if (activation?.instanceId !== oldInstanceId || activation.ordinal !== ordinal)
      return 'another recovery of the member is under way, or has been';
    const prepare = makesWhileSuspect(view.policyOf(groupOf(member)));
    if (prepare === null || !makes.every((kind) => prepare.makes.includes(kind))) return 'the policy has changed';
    if (clock.wallMs() - startedAtWallMs > prepare.keptForMs)
      return `no recovery has begun within ${durationText(prepare.keptForMs)} (recover.prepare.keptForMs)`;
    const judgement = assessor.inThisTerm(member);
    const verdict = judgement?.assessment.verdict;
    if (judgement === null || verdict === 'suspect' || verdict === 'dead' || judgement.assessment.act) return null;
    return `it is not suspect any more: ${verdict ?? ''}`;
  }

  async #run(term: Term, stored: Stored<PreparationRecord>, goneSinceMs: MonotonicMs | null): Promise<void> {
    const { runner, clock } = this.#options;
    const { modRevision } = stored;
    const { opId, dropped } = stored.record;
    const nowMs = () => clock.monotonicMs();
    const stuckBefore = this.#work.get(opId)?.stuck ?? null;
    this.#work.set(opId, { modRevision, isRunning: true, againAtMs: nowMs(), goneSinceMs, stuck: stuckBefore });
    let next: Next = { againAtMs: laterBy(nowMs(), PARKED_AGAIN_MS), goneSinceMs: null, stuck: stuckBefore };
    try {
      const outcome = await runner.prepare?.(stored, term);
      if (outcome?.kind === 'made')
        next = { againAtMs: laterBy(nowMs(), LATE_CALLS_MS), goneSinceMs: null, stuck: null };
      else if (outcome?.kind === 'failed') await this.drop(term, stored, outcome.why);
      else if (outcome?.kind === 'removed' && dropped !== undefined)
        next = await this.#removed(term, stored, goneSinceMs ?? nowMs());
      else next = { ...next, stuck: this.#parked(opId, outcome && 'why' in outcome ? outcome.why : '') };
    } catch (error) {
      next = { ...next, stuck: this.#parked(opId, endText(error)) };
      throw error;
    } finally {
      this.#work.set(opId, { modRevision, isRunning: false, ...next });
    }
  }

  #parked(opId: string, why: string): string {
    this.#options.log.debug('prepare.parked', { opId, why });
    return why;
  }

  /**
   * Nothing of it is there. Its record goes once nothing of it can come any more; its name stays,
   * for what a leader sends all the same that was paused for longer.
   */
  async #removed(term: Term, stored: Stored<PreparationRecord>, sinceMs: MonotonicMs): Promise<Next> {
    const { keys, view, clock, log } = this.#options;
    const { opId, member } = stored.record;
    const untilMs = laterBy(sinceMs, LATE_CALLS_MS);
    const nowMs = clock.monotonicMs();
    if (nowMs < untilMs)
      return {
        againAtMs: nowMs + GONE_AGAIN_MS < untilMs ? laterBy(nowMs, GONE_AGAIN_MS) : untilMs,
        goneSinceMs: sinceMs,
        stuck: null,
      };
    const outcome = await term.commit(forgetting(view.records, { keys, nowWallMs: clock.wallMs() }, stored));
    if (outcome.kind === 'committed') log.info('prepare.gone', { member, opId });
    const ledger = keys.preparedIn(groupOf(member));
    // Nothing is written over a record that cannot be read.
    const stuck = view.records.unreadable.has(ledger) ? `its name cannot be kept, ${ledger} cannot be read` : null;
    const againMs = stuck === null ? PARKED_AGAIN_MS : LATE_CALLS_MS;
    return { againAtMs: laterBy(clock.monotonicMs(), againMs), goneSinceMs: sinceMs, stuck };
  }

  #begin(term: Term, tasks: Pick<TermTasks, 'startAlone'>, suspect: Judgement): void {
    const { view, clock, keys, planOf, inputFor, ask } = this.#options;
    const { member, instanceId } = suspect;
    const prepare = makesWhileSuspect(view.policyOf(groupOf(member)));
    if (prepare === null || this.openOf(member) || view.records.intents.has(member)) return;
    if (clock.monotonicMs() < (this.#refused.get(member)?.againAtMs ?? 0)) return;
    const input = inputFor(suspect);
    if (input === null) return;
    const answer = ask(suspect);
    const begun = beginning(
      { view, keys, nowWallMs: clock.wallMs(), termNumber: term.number },
      { suspect, prepare, answer, input, plan: () => planOf(suspect, input, answer) },
    );
    if ('why' in begun) return this.#refuse(member, begun);
    tasks.startAlone(`prepare for ${instanceId}`, async () => {
      const outcome = await term.commit(begun.write);
      if (outcome.kind === 'conflict') return;
      this.#counts = { ...this.#counts, begun: this.#counts.begun + 1 };
      this.#options.log.info('prepare.begun', { member, instanceId, opId: begun.opId, makes: begun.makes });
    });
  }

  #refuse(member: MemberId, refusal: Refusal): void {
    const { clock, log } = this.#options;
    if (refusal.isLimit && this.#refused.get(member)?.why !== refusal.why) {
      this.#counts = { ...this.#counts, limited: this.#counts.limited + 1 };
      log.info('prepare.limited', { member, why: refusal.why });
    }
    this.#refused.set(member, { ...refusal, againAtMs: laterBy(clock.monotonicMs(), REFUSED_AGAIN_MS) });
  }

  /** Preparations that may be taken over, and dropped ones of which something may be there. */
  get present(): { readonly open: number; readonly dropped: number } {
    const { records } = this.#options.view;
    const open = openIn(records, null).length;
    const gone = [...this.#work.values()].filter(({ goneSinceMs }) => goneSinceMs !== null).length;
    return { open, dropped: Math.max(0, records.preparations.size - open - gone) };
  }

  get spent(): ReadonlyMap<string, number> {
    const { view, clock } = this.#options;
    return spentByGroup(view.records, clock.wallMs());
  }

  /** What was dropped and cannot be removed: a person has to see to it, and it is paid for. */
  remarks(): readonly Problem[] {
    const { view, clock } = this.#options;
    return [...view.records.preparations.values()].flatMap(({ record: { opId, member, dropped } }) => {
      const stuck = this.#work.get(opId)?.stuck ?? null;
      if (dropped === undefined || stuck === null || clock.wallMs() - dropped.atWallMs < STUCK_AFTER_MS) return [];
      const what = `what was made for ${member} while it was suspect (${TAG.op}=${opId}) cannot be removed`;
      return [problemOf('PREPARATION_STUCK', `${what}: ${stuck}. It is tried again; remove it by hand to end that`)];
    });
  }
}

export type TakeOver =
  | { readonly kind: 'none' }
  | { readonly kind: 'other'; readonly stored: Stored<PreparationRecord> }
  | { readonly kind: 'taken'; readonly plan: RecoveryPlan; readonly stored: Stored<PreparationRecord> };
