import {
  durationText,
  type Clock,
  type Cloud,
  type DnsRecords,
  groupOf,
  preparesNothing,
  type Keyspace,
  type KvReads,
  type Log,
  type MemberId,
  type MessageQueue,
  type NotEnrolled,
  type Problem,
  problemOf,
  type Random,
  type RunHook,
  type TargetGroups,
  type Term,
} from '@understudy/shared';
import {
  Collector,
  FailureHooks,
  LateStarts,
  OwnershipWatch,
  type KeyLooks,
  type NameLooks,
  type RecoveryActivity,
  type RecoveryRunner,
  type RecoveryRunOutcome,
  type ServeLeases,
} from '@understudy/recovery';
import type { LeadershipView } from '../store/leadership-view.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import type { CoordinatorConfig } from '../config.ts';
import type { VerdictChanges } from '../judge/verdict-changes.ts';
import type { Explained, ExplainSources } from './explain-view.ts';
import { rungViews } from './rung-views.ts';
import { IntentWriter } from './intent-writer.ts';
import { type CapturedConsole, ConsoleCapture } from './console-capture.ts';
import { RecoveryDecider } from './decider.ts';
import { DecisionPass } from './decision-pass.ts';
import type { WantedHold } from './holds.ts';
import { leaderJobs } from './jobs/leader-jobs.ts';
import { Assessor, type Judgement } from './assessor.ts';
import { LeaderLoop, type LeaderParts } from './leader-loop.ts';
import type { InventoryKeeping } from '../inventory/inventory-keeping.ts';
import type { Outbox } from '../notices/outbox.ts';
import type { SendNotice } from '../notices/sink.ts';
import type { Asked, CommandAnswer, CommandDecision } from '../commands/command.ts';
import { standingOf } from './command-standing.ts';
import { CommandDesk } from './command-desk.ts';
import { type Authenticated, type OperatorAnswer, type OperatorCommand, RequestedSchema } from './operator-command.ts';
import { type PlanAnswer, PlanPreview } from './plan-preview.ts';
import { Planner } from './planner.ts';
import { Preparation, type PreparationCounts } from './preparation.ts';
import { type Makings, PreparationKeeper } from './preparation-keeper.ts';
import { RecoveryRuns } from './runs.ts';
import type { ObserverTable } from '@understudy/observer';
import { CallTrials } from './call-trials.ts';
import { type EnrolmentAnswer, type EnrolmentRequest, KeyEnrolment } from './key-enrolment.ts';
import type { EnrolmentSettings } from '../identity/enrolment-settings.ts';
import { Readiness } from './readiness.ts';
import { ReadinessBoard } from './readiness-board.ts';
import { Enroller } from './jobs/enroller.ts';
import { EvidencePoller } from './ec2-evidence.ts';
import { EventHearing } from './event-hearing.ts';
import { type HandBackAsked, HandBackLook } from './hand-back-look.ts';
import { UndoLook } from './undo-look.ts';
import { UndoPreview, type UndoPreviewAnswer, type UndoThought } from './undo-preview.ts';

export interface LeaderOptions {
  readonly config: CoordinatorConfig;
  readonly store: KvReads;
  readonly cloud: Cloud;
  readonly keyLooks: KeyLooks;
  readonly nameLooks: NameLooks;
  readonly clock: Clock;
  readonly log: Log;
  readonly keys: Keyspace;
  readonly view: ClusterState;
  readonly leadership: LeadershipView;
  readonly observer: ObserverTable;
  readonly serveLeases: ServeLeases;
  readonly runner: RecoveryRunner;
  readonly changes: VerdictChanges;
  readonly random: Random;
  readonly outbox: Outbox;
  /** Absent: no hook can be run. */
  readonly runHook?: RunHook | undefined;
  /** Absent: records, or registrations, are not watched after a recovery. */
  readonly dns?: DnsRecords | undefined;
  readonly targetGroups?: TargetGroups | undefined;
  /** Absent: no events are read. */
  readonly eventQueue?: MessageQueue | undefined;
  /** Null: notices are not delivered. */
  readonly sendNotice: SendNotice | null;
  readonly inventory?: InventoryKeeping | undefined;
  readonly onNoticeTried: (sink: string, outcome: 'taken' | 'refused') => void;
  /** Absent: agents get no keys by identity. */
  readonly enrolment?: EnrolmentSettings | undefined;
  /** Key id → master secret, oldest first, as they are now. */
  readonly masters: () => ReadonlyMap<number, Uint8Array>;
  /** Why etcd takes no writes now; null while it does. */
  readonly storeTrouble: () => string | null;
  /** Resigns, so that another coordinator leads. */
  readonly handOver: () => void;
  readonly onRunEnded: (outcome: RecoveryRunOutcome) => void;
  readonly onBroken: (error: unknown) => void;
}

/** What a leader and those who ask about it have in common; the same for every term. */
interface SeatParts {
  readonly evidence: EvidencePoller;
  readonly trials: CallTrials;
  readonly readiness: Readiness;
  readonly board: ReadinessBoard;
  readonly enroller: Enroller;
  readonly assessor: Assessor;
  readonly decider: RecoveryDecider;
  readonly desk: CommandDesk;
  readonly planner: Planner;
  readonly preparation: Preparation;
  readonly preparations: PreparationKeeper;
  readonly console: ConsoleCapture;
  readonly undoLook: UndoLook;
  readonly undoPreview: UndoPreview;
}

/** How many remarks about tags a status shows. */
const REMARKS_MAX = 50;
/** A listing this many periods old (and at least a minute) no longer says who claims whom. */
const LISTING_PERIODS = 4;
const LISTING_FRESH_MIN_MS = 60_000;

/**
 * The place a leader sits in: empty while another coordinator leads. Whenever we are elected, one
 * {@link LeaderLoop} for that term; the next one only starts when the last has come to rest.
 */
export class Leader {
  readonly runs: RecoveryRuns;
  readonly keyEnrolment: KeyEnrolment;
  readonly #options: LeaderOptions;
  readonly #parts: SeatParts;
  readonly #workParts: LeaderParts;
  #work: { readonly term: Term; readonly work: LeaderLoop; readonly ended: Promise<void> } | null = null;
  #unsubscribe: (() => void) | null = null;
  #stopped = false;
  readonly events: EventHearing;

  constructor(options: LeaderOptions) {
    this.#options = options;
    const { config, clock, log, runner } = options;
    this.runs = new RecoveryRuns({
      runner,
      clock,
      log,
      runsMax: config.loop.recoveriesMax,
      retryHeldEveryMs: config.loop.retryHeldEveryMs,
      onEnded: options.onRunEnded,
      onBroken: options.onBroken,
    });
    const { pollStatesEveryMs } = config.events;
    this.events = new EventHearing({ queue: options.eventQueue ?? null, clock, pollStatesEveryMs });
    this.keyEnrolment = new KeyEnrolment({ ...options, settings: options.enrolment ?? null });
    this.#parts = this.#makeParts();
    this.#workParts = this.#makeWorkParts();
  }

  start(): void {
    this.#unsubscribe ??= this.#options.leadership.onChange(() => this.#take());
    this.#take();
  }

  /** The term must have ended before (leadership closed): waits until its work has come to rest. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe?.();
    await this.#work?.ended;
    await this.runs.drain();
  }

  noteChanged(keys: readonly string[]): void {
    this.#parts.assessor.noteChanged(keys);
  }

  /**
   * As judged last in this term of ours; null while we do not lead, and for whom is not judged
   * (yet).
   */
  judgement(member: MemberId): Judgement | null {
    return this.#leads() ? this.#parts.assessor.inThisTerm(member) : null;
  }

  /** What {@link judgement} came to. */
  judged(member: MemberId): Judgement['assessment'] | null {
    return this.judgement(member)?.assessment ?? null;
  }

  /**
   * A fresh look at one member with every gate, whoever leads; null where there is nothing to
   * judge. Changes nothing.
   */
  explained(member: MemberId): Explained | null {
    const { assessor, decider } = this.#parts;
    const judgement = assessor.look(member);
    return judgement && { judgement, explanation: decider.explain(judgement), rungs: this.#rungsOf(judgement) };
  }

  /** Empty while nothing is wrong with it, and where we do not lead: EC2's answers decide. */
  #rungsOf(judgement: Judgement): Explained['rungs'] {
    const { planner, evidence } = this.#parts;
    const { verdict, act } = judgement.assessment;
    if (!this.#leads() || (verdict === 'alive' && !act)) return [];
    const state = evidence.of(judgement.instanceId).cloud?.instance?.state ?? null;
    return rungViews(planner.rungsOf(judgement, state), this.#options.view.policyOf(groupOf(judgement.member)));
  }

  /** The hold it decided on, also where it could not be written; null: none, or we do not lead. */
  wantedHold(member: MemberId): WantedHold | null {
    return this.#leads() ? (this.#parts.decider.wantedHolds().get(member) ?? null) : null;
  }

  /**
   * Key id that the user data of this instance names; only while we lead, and once its readiness
   * was looked at.
   */
  userDataKeyId(instanceId: string): number | null {
    return this.#parts.readiness.userDataKeyId(instanceId);
  }

  /** What was begun for it while it is suspect, in words; nothing where we do not lead. */
  prepared(member: MemberId): ExplainSources['prepared'] {
    const { preparation, preparations } = this.#parts;
    return this.#leads() ? [preparation.textFor(member), preparations.textFor(member)].flatMap((one) => one ?? []) : [];
  }

  get preparationCounts(): PreparationCounts {
    return this.#parts.preparation.counts;
  }

  get makings(): Makings {
    return this.#parts.preparations;
  }

  /** The last words of a member's machine that this process found dead. */
  console(member: MemberId): CapturedConsole | null {
    return this.#parts.console.of(member);
  }

  /** What an operator asks of a recovery, if we lead. */
  async operate(asked: OperatorCommand, who?: Authenticated): Promise<OperatorAnswer> {
    const { by, why, overrides = [], planToken = null, ...command } = asked;
    const request = {
      command: { ...command, by, overrides, planToken },
      caller: who?.caller ?? { identity: by, from: '', requestId: '' },
      reason: why,
      idempotencyKey: who?.idempotencyKey ?? null,
    };
    const { desk, undoPreview } = this.#parts;
    const isNew = asked.kind === 'undo' && !desk.hasAnswered(request);
    const answer =
      (isNew ? await undoPreview.refusal(this.#termOfOurs(), asked.member, asked.acceptLossMs ?? null) : null) ??
      (await this.command(request));
    if (answer.kind === 'refused') return answer;
    return { kind: 'accepted', request: RequestedSchema.parse(answer.result.request), repeated: answer.repeated };
  }

  /** Takes a command, if we lead. */
  command(asked: Asked): Promise<CommandAnswer> {
    return this.#parts.desk.take(this.#termOfOurs(), asked);
  }

  /** Gives an agent its key for the identity of its instance, if we lead. */
  enrolKey(request: EnrolmentRequest): Promise<EnrolmentAnswer> {
    return this.keyEnrolment.take(this.#termOfOurs(), request);
  }

  /** What a command would come to, if we lead. Writes nothing. */
  previewed(asked: Asked): CommandDecision {
    return this.#parts.desk.preview(this.#termOfOurs(), asked);
  }

  /** The plan that a recovery of this member would have now. Only the leader knows. */
  plan(member: MemberId, strategy: string | null = null): Promise<PlanAnswer> {
    return new PlanPreview({ ...this.#options, ...this.#parts }).of(this.#termOfOurs(), member, strategy);
  }

  /** What an undo would do if it were asked for now, or why it would be refused. */
  undo(thought: UndoThought): Promise<UndoPreviewAnswer> {
    return this.#parts.undoPreview.of(this.#termOfOurs(), thought);
  }

  readonly handBack = (asked: HandBackAsked) => new HandBackLook(this.#options).of(this.#termOfOurs(), asked);

  /** What would become of each member if it failed now. Null: another coordinator leads. */
  board(): ReadinessBoard | null {
    return this.#leads() ? this.#parts.board : null;
  }

  /** Commands this process was asked for, by outcome. */
  get commandCounts(): ReadonlyMap<string, number> {
    return this.#parts.desk.counts;
  }

  activity(opId: string): RecoveryActivity | null {
    return this.runs.isRunning(opId) ? this.#options.runner.activity(opId) : null;
  }

  /** What keeps the leader from its work; empty on a follower. */
  problems(): readonly Problem[] {
    if (!this.#leads() || !this.#work) return [];
    return this.#work.work.problems();
  }

  /**
   * Instances whose tags name us and that are no members, as far as there is room; empty on a
   * follower.
   */
  notEnrolled(): readonly NotEnrolled[] {
    if (!this.#leads()) return [];
    const { unusable, conflicts } = this.#parts.enroller;
    const { members } = this.#options.view.records;
    // A conflict about a member that is enrolled is its hold.
    const rivals = [...conflicts.values()]
      .filter(({ member }) => !members.has(member))
      .map(({ member, reason, text }) => ({ ...problemOf(reason, `${member}: ${text}`), instanceId: '' }));
    const instances = unusable.map(({ instanceId, code, text }) => ({ ...problemOf(code, text), instanceId }));
    return [...rivals, ...instances].slice(0, REMARKS_MAX);
  }

  /** Zones that are lost, as this leader judges; none on a follower. */
  lostZones(): readonly string[] {
    return this.#leads() ? this.#parts.decider.lostZones() : [];
  }

  /** What a person should know of; it keeps the leader from nothing. */
  remarks(): readonly Problem[] {
    const tags = this.notEnrolled().map(({ instanceId, ...problem }) => ({
      ...problem,
      text: `${instanceId} ${problem.text}`.trim(),
    }));
    const stuck = this.#leads() ? this.#parts.preparations.remarks() : [];
    const refused = this.#leads() ? this.keyEnrolment.remarks() : [];
    return [...tags, ...stuck, ...refused, ...this.#jobRemarks()];
  }

  #jobRemarks(): readonly Problem[] {
    return this.#leads() && this.#work ? this.#work.work.remarks() : [];
  }

  #termOfOurs(): Term | null {
    return this.#leads() ? (this.#work?.term ?? null) : null;
  }

  #leads(): boolean {
    return this.#work !== null && !this.#work.term.signal.aborted;
  }

  #take(): void {
    const term = this.#options.leadership.current();
    if (this.#stopped || this.#work || !term) return;
    const { log, onBroken } = this.#options;
    const work = new LeaderLoop(this.#workParts, term, onBroken);
    log.info('leader.began', { term: term.number });
    const ended = work.run().then(() => {
      log.info('leader.ended', { term: term.number });
      this.#work = null;
      // Elected again meanwhile?
      this.#take();
    });
    ended.catch(onBroken);
    this.#work = { term, work, ended };
  }

  #makeParts(): SeatParts {
    const { config, cloud, keyLooks, nameLooks, clock, log, keys, view, observer, changes } = this.#options;
    const evidence = new EvidencePoller({ cloud, clock, log, onChange: this.events.noteChange });
    const { tryLaunchEveryMs, enrolEveryMs } = config.loop;
    const policyOf = (group: string) => view.policyOf(group);
    const trials = new CallTrials({
      ...{ cloud, clock, everyMs: tryLaunchEveryMs },
      onlyHarmless: config.aws.dryRuns === 'harmless',
    });
    const readiness: Readiness = new Readiness({
      ...{ cloud, keyLooks, nameLooks, view, clock, policyOf, tryLaunchEveryMs, trials },
      seen: this.#options.inventory?.seen,
      silenceOf: (member, instanceId) => planner.silenceOf(member, instanceId),
    });
    const enroller = new Enroller({ everyMs: enrolEveryMs, cloud, view, keys, clock, log, readiness });
    const { minimumObservers, minimumZones } = config.observer;
    const requirement = { minimumObservers, minimumZones };
    const coordinatorId = config.id;
    const assessor = new Assessor({ view, observer, evidence, clock, keys, requirement, changes, coordinatorId });
    const decider = new RecoveryDecider({
      view,
      assessor,
      evidence,
      clock,
      limits: config.guard,
      conflicts: () => enroller.conflicts,
      ownTrouble: () => this.#ownTrouble(enroller),
    });
    const planner: Planner = new Planner({
      ...{ cloud, keyLooks, nameLooks, view, keys, clock },
      trialOf: (instanceId) => readiness.trialOf(instanceId),
      statusOf: (instanceId) => evidence.of(instanceId).cloudStatus,
      hasHeard: (member, instanceId) => observer.reading(member, instanceId, clock.monotonicMs()) !== null,
      prepared: (suspect, revision) => preparation.inputFor(suspect, revision),
    });
    const preparation = new Preparation({
      ...{ clock, log, read: (suspect, signal) => planner.prepare(suspect, signal) },
      wantedFor: (member) => (preparesNothing(policyOf(groupOf(member))) ? null : planner.policyRevision(member)),
    });
    const preparations = new PreparationKeeper({
      ...{ view, assessor, keys, clock, log, runner: this.#options.runner },
      ask: (judgement) => decider.ask(judgement),
      inputFor: (judgement) => preparation.peek(judgement, planner.policyRevision(judgement.member)),
      planOf: (judgement, input, answer) => planner.planOf(judgement, input, answer),
    });
    const desk = new CommandDesk({
      ...{ view, keys, clock, log, minimum: requirement, handOver: this.#options.handOver },
      standingOf: (command, asked) => standingOf(assessor, decider, command, asked),
    });
    const console = new ConsoleCapture({ cloud, clock, log });
    const undoLook = new UndoLook({ cloud, view, clock, conflicts: () => enroller.conflicts });
    const undoPreview = new UndoPreview({
      ...{ view, undoLook, trials, wallMs: () => clock.wallMs() },
      readFor: (member, instanceId, signal) => planner.readFor(member, instanceId, signal),
      preview: (term, asked) => desk.preview(term, asked),
    });
    const board = new ReadinessBoard({ view, clock, log, assessor, decider, readiness, config });
    const own = { evidence, trials, readiness, board, enroller, assessor, decider, desk, planner };
    return { ...own, preparation, preparations, console, undoLook, undoPreview };
  }

  #makeWorkParts(): LeaderParts {
    const { config, cloud, clock, log, keys, view, serveLeases, store } = this.#options;
    const { assessor, decider, evidence, planner, preparation, preparations, desk } = this.#parts;
    const writer = new IntentWriter({
      ...{ store, planner, view, keys, clock, log, serveLeases },
      ...{ preparations, storeTimeoutMs: config.etcd.callTimeoutMs },
      judgeNow: (member) => assessor.judgeNow(member),
      ask: (judgement) => decider.ask(judgement),
      dropRequest: (term, request, why) => desk.drop(term, request, why),
    });
    const collector = new Collector({
      ...{ cloud, kv: store, keys, clock, log },
      callTimeoutMs: config.aws.callTimeoutMs,
      historyKept: config.loop.historyKept,
      flapLimitOf: (member) => view.policyOf(groupOf(member)).guard.flapLimit,
    });
    const ownershipWatch = new OwnershipWatch({
      ...{ cloud, keys, clock, log, names: { dns: this.#options.dns, targetGroups: this.#options.targetGroups } },
      callTimeoutMs: config.aws.callTimeoutMs,
    });
    const lateStarts = new LateStarts({ cloud, keys, clock, log, callTimeoutMs: config.aws.callTimeoutMs });
    const failureHooks = new FailureHooks({
      ...{ clock, log, runHook: this.#options.runHook },
      callTimeoutMs: config.aws.callTimeoutMs,
    });
    return {
      view,
      clock,
      log,
      tickMs: config.loop.tickMs,
      decisions: new DecisionPass({
        ...{ view, assessor, decider, evidence, writer, preparation, preparations, runs: this.runs },
      }),
      jobs: leaderJobs({
        ...{ ownershipWatch, failureHooks, lateStarts, events: this.events },
        ...{ ...this.#options, ...this.#parts, serveLeases, collector, pace: config.loop },
        notify: config.notify,
        readFor: (member, instanceId, signal) => planner.readFor(member, instanceId, signal),
        dropRequest: (term, request, why) => desk.drop(term, request, why),
        storeTimeoutMs: config.etcd.callTimeoutMs,
        wantedHolds: () => decider.wantedHolds(),
        found: () => ({ problems: [...this.problems(), ...this.#jobRemarks()], notEnrolled: this.notEnrolled() }),
      }),
    };
  }

  /** "Am I the sick one?" */
  #ownTrouble(enroller: Enroller): string | null {
    const { observer, view, config, clock } = this.#options;
    if (observer.abstention) return `this coordinator's own observer abstains: ${observer.abstention.reason}`;
    if (!view.isFresh()) return 'the view of etcd is not fresh';
    const storeTrouble = this.#options.storeTrouble();
    if (storeTrouble !== null) return storeTrouble;
    const { completedAtMs } = enroller;
    if (completedAtMs === null) return 'the instances were not listed yet in this term';
    const ageMs = clock.monotonicMs() - completedAtMs;
    const freshForMs = Math.max(LISTING_FRESH_MIN_MS, config.loop.enrolEveryMs * LISTING_PERIODS);
    return ageMs <= freshForMs
      ? null
      : `the instances were listed ${durationText(ageMs)} ago, allowed are ${durationText(freshForMs)}`;
  }
}
