import {
  type Clock,
  errorText,
  hasCode,
  InvariantViolation,
  isOperationError,
  type Keyspace,
  type Log,
  type MemberId,
  type MonotonicMs,
  type Problem,
  problemOf,
  RecurringFailure,
  type Term,
} from '@understudy/shared';
import type { ClusterState } from '../store/cluster-state.ts';
import type { IntentWriter } from './intent-writer.ts';
import type { ConsoleCapture } from './console-capture.ts';
import type { RecoveryDecider } from './decider.ts';
import { type HoldKeeper, planHolds } from './holds.ts';
import type { FindingsPublisher, Found } from './findings-publisher.ts';
import type { JudgementPublisher } from './judgement-publisher.ts';
import type { Assessor, Judgement } from './assessor.ts';
import type { Operating } from './operating.ts';
import type { RecoveryRuns } from './runs.ts';
import type { Readiness } from './readiness.ts';
import type { Enroller } from './enroller.ts';
import type { LevelKeeper } from './level-keeper.ts';
import type { PoliciesInForce } from './policies-in-force.ts';
import type { ServeContracts } from './serve-contracts.ts';
import type { EvidencePoller, EvidenceTarget } from './ec2-evidence.ts';
import type { Collector } from '@understudy/recovery';

export interface LeaderPace {
  readonly tickMs: number;
  readonly enrolEveryMs: number;
  readonly evidenceEveryMs: number;
  readonly collectEveryMs: number;
}

export interface LeaderParts {
  readonly view: ClusterState;
  readonly judging: Assessor;
  readonly judgements: JudgementPublisher;
  readonly findings: FindingsPublisher;
  readonly found: () => Found;
  readonly deciding: RecoveryDecider;
  readonly operating: Operating;
  readonly begin: IntentWriter;
  readonly holds: HoldKeeper;
  readonly runs: RecoveryRuns;
  readonly enrolling: Enroller;
  readonly readiness: Readiness;
  readonly serveContracts: ServeContracts;
  readonly policies: PoliciesInForce;
  readonly levels: LevelKeeper;
  readonly evidence: EvidencePoller;
  readonly console: ConsoleCapture;
  readonly collector: Collector;
  readonly keys: Keyspace;
  readonly clock: Clock;
  readonly log: Log;
  readonly pace: LeaderPace;
}

/** Recoveries being planned at the same time; the guard's budget is far below in the long run. */
const BEGINNING_AT_ONCE = 8;
/** A policy that is good is kept that soon. */
const POLICIES_EVERY_MS = 1_000;
/** After a loop failed unexpectedly. */
const AFTER_FAILURE_MS = 5_000;

/**
 * One spell of leadership: loops beside each other, each at its own pace, none of them on the
 * observer's tick: list and enrol, keep serve contracts and policies, ask EC2, decide, drop
 * requests about nothing, collect. Ends when the term does, and is then done for: everything it did
 * was guarded by the term.
 */
export class LeaderLoop {
  readonly #parts: LeaderParts;
  readonly #term: Term;
  readonly #onBroken: (error: unknown) => void;
  readonly #problems = new Map<string, Problem>();
  /** By loop; as many as there are loops. */
  readonly #failures = new Map<string, RecurringFailure>();
  readonly #beginning = new Set<Promise<void>>();
  #looking = false;
  #writingHolds = false;
  #publishing = false;
  #beganAtMs: MonotonicMs | null = null;

  constructor(parts: LeaderParts, term: Term, onBroken: (error: unknown) => void) {
    this.#parts = parts;
    this.#term = term;
    this.#onBroken = onBroken;
  }

  /** What does not work at the moment, by loop. */
  problems(): readonly Problem[] {
    return [...this.#problems.values()];
  }

  /**
   * Resolves when the term is over and nothing of it is under way any more, except recoveries (see
   * {@link RecoveryRuns.drain}).
   */
  async run(): Promise<void> {
    const { enrolling, operating, serveContracts, policies, evidence, judging, runs, pace, collector } = this.#parts;
    const term = this.#term;
    enrolling.forget();
    evidence.forget();
    judging.beginTerm();
    this.#beganAtMs = this.#parts.clock.monotonicMs();
    runs.beginTerm();
    this.#parts.levels.beginTerm();
    if (!(await this.#caughtUp())) return;
    await Promise.all([
      this.#every('enrol', pace.enrolEveryMs, () => enrolling.pass(term)),
      this.#every('serve contracts', pace.enrolEveryMs, () => serveContracts.pass(term)),
      this.#every('policies', Math.min(pace.enrolEveryMs, POLICIES_EVERY_MS), () => policies.pass(term)),
      this.#every('feature level', Math.min(pace.enrolEveryMs, POLICIES_EVERY_MS), () => this.#parts.levels.pass(term)),
      this.#every('evidence', pace.evidenceEveryMs, () => evidence.pass(this.#targets(), term.signal)),
      this.#every('decide', pace.tickMs, () => this.#decide()),
      this.#every('requests', pace.enrolEveryMs, () => operating.tidy(term)),
      this.#every('collect', pace.collectEveryMs, () => this.#collect(collector)),
    ]);
    await Promise.allSettled([...this.#beginning]);
  }

  /**
   * **S** Nothing is decided on a view older than our own election: it could lack what the
   * predecessor wrote last. The leader key lies under the root we watch, so the view reaches its
   * create-revision by itself. `false`: the term ended first.
   */
  async #caughtUp(): Promise<boolean> {
    const { view, clock, pace } = this.#parts;
    while (view.revision < this.#term.number) {
      try {
        await clock.sleep(Math.min(pace.tickMs, 50), this.#term.signal);
      } catch {
        return false;
      }
    }
    return !this.#term.signal.aborted;
  }

  async #every(name: string, periodMs: number, work: () => Promise<void> | void): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#term;
    while (!signal.aborted) {
      const pauseMs = (await this.#attempt(name, work)) ? periodMs : Math.max(periodMs, 1_000);
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  /** `false`: it failed; the problem is on show until it works again. */
  async #attempt(name: string, work: () => Promise<void> | void): Promise<boolean> {
    const { clock } = this.#parts;
    try {
      await work();
      this.#problems.delete(name);
      this.#failureOf(name).worked();
      return true;
    } catch (error) {
      if (this.#term.signal.aborted || hasCode(error, 'LEASE_LOST')) return false;
      if (error instanceof InvariantViolation) {
        this.#onBroken(error);
        return false;
      }
      const code = isOperationError(error) ? error.code : 'INTERNAL_ERROR';
      this.#failureOf(name).failed(error, { loop: name, term: this.#term.number });
      this.#problems.set(name, problemOf(code, `${name}: ${errorText(error)}`));
      if (!isOperationError(error)) await clock.sleep(AFTER_FAILURE_MS, this.#term.signal).catch(() => undefined);
      return false;
    }
  }

  #failureOf(loop: string): RecurringFailure {
    const known = this.#failures.get(loop);
    if (known) return known;
    const failure = new RecurringFailure({ ...this.#parts, event: 'leader.loop_failed' });
    this.#failures.set(loop, failure);
    return failure;
  }

  #targets(): readonly EvidenceTarget[] {
    const { activations, members } = this.#parts.view.records;
    return [...activations.values()].map(({ record }) => ({
      instanceId: record.instanceId,
      az: members.get(record.member)?.record.az ?? '',
    }));
  }

  /**
   * One pass: judge, resume, begin, say why not. Synchronous but for the writes, which it does not
   * wait for.
   */
  #decide(): void {
    const { view, judging, deciding, runs } = this.#parts;
    const wanting = judging.pass();
    // Open recoveries go on although the view is not fresh: they park by themselves when the store
    // is gone, and resume here.
    runs.sync(this.#term, view.records, (member) => !view.isBlocked(member));
    this.#look(wanting);
    this.#captureConsoles();
    if (!view.isFresh()) return;
    for (const chosen of deciding.pass(BEGINNING_AT_ONCE - this.#beginning.size)) this.#start(chosen);
    this.#writeHolds();
    this.#publish();
  }

  /** What was judged in an earlier term of ours is not this term's word. */
  judged(member: MemberId): Judgement | null {
    const judgement = this.#parts.judging.of(member);
    return judgement && this.#beganAtMs !== null && judgement.judgedAtMs >= this.#beganAtMs ? judgement : null;
  }

  *#judged(): Iterable<Judgement> {
    for (const { member } of this.#parts.judging.all.values()) {
      const judgement = this.judged(member);
      if (judgement) yield judgement;
    }
  }

  #publish(): void {
    if (this.#publishing) return;
    this.#publishing = true;
    const { judgements, findings, found } = this.#parts;
    const work = async () => {
      await judgements.publish(this.#term, this.#judged(), () => this.#isEveryoneJudged());
      await findings.publish(this.#term, found());
    };
    void this.#attempt('judgements', work).then(() => {
      this.#publishing = false;
    });
  }

  #isEveryoneJudged(): boolean {
    const { activations, members, intents } = this.#parts.view.records;
    for (const member of activations.keys())
      if (members.has(member) && !intents.has(member) && !this.#parts.view.isBlocked(member) && !this.judged(member))
        return false;
    return true;
  }

  #start(chosen: Judgement): void {
    const work = this.#attempt('begin', () => this.#parts.begin.run(this.#term, chosen)).then(() => {
      this.#beginning.delete(work);
    });
    this.#beginning.add(work);
  }

  #look(wanting: readonly Judgement[]): void {
    if (wanting.length === 0 || this.#looking) return;
    this.#looking = true;
    const { evidence } = this.#parts;
    void this.#attempt('look', () => evidence.look(wanting, this.#term.signal)).then(() => {
      this.#looking = false;
    });
  }

  #captureConsoles(): void {
    const { judging, console } = this.#parts;
    for (const judgement of judging.all.values())
      if (judgement.assessment.act && console.wants(judgement))
        void this.#attempt('console', () => console.note(judgement, this.#term.signal));
  }

  #writeHolds(): void {
    if (this.#writingHolds) return;
    const { deciding, view, keys, clock, holds } = this.#parts;
    const changes = planHolds({
      wanted: deciding.wantedHolds(),
      records: view.records,
      keyOf: (member) => keys.hold(member),
      nowWallMs: clock.wallMs(),
    });
    if (changes.length === 0) return;
    this.#writingHolds = true;
    void this.#attempt('holds', () => holds.write(this.#term, changes)).then(() => {
      this.#writingHolds = false;
    });
  }

  async #collect(collector: Collector): Promise<void> {
    const report = await collector.collect(this.#term);
    if (report.removed.length > 0 || report.violations.length > 0 || report.trimmed > 0)
      this.#parts.log.info('collector.pass', { ...report, term: this.#term.number });
  }
}
