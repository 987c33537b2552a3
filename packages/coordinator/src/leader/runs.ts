import {
  type Clock,
  errorText,
  type IntentRecord,
  InvariantViolation,
  laterBy,
  type Log,
  type MemberId,
  type MonotonicMs,
  type OperatorRequestRecord,
  type Revision,
  type Term,
} from '@understudy/shared';
import type { RecoveryRunner, RecoveryRunOutcome } from '@understudy/recovery';
import type { ClusterRecords, Stored } from '../store/cluster-records.ts';

/**
 * After losing the store for a moment (the term held on): doubling from the first to the second.
 */
const PARK_RETRY_MIN_MS = 500;
const PARK_RETRY_MAX_MS = 10_000;
/**
 * A finished recovery whose intent is still in the view: the deletion is on its way; asked again
 * only if it does not come.
 */
const FINISHED_RECHECK_MS = 30_000;

type Run =
  | {
      readonly kind: 'running';
      readonly ended: Promise<void>;
      readonly term: number;
      /** A hold of it has been in our view: it goes on, and says what fails. */
      readonly holdSeen: boolean;
    }
  | {
      readonly kind: 'waiting';
      readonly outcome: RecoveryRunOutcome;
      readonly retryAtMs: MonotonicMs;
      readonly parkedCount: number;
      /** The engine's hold has been in our view: when it goes, a person removed it. */
      readonly holdSeen: boolean;
    };

type Asked = Pick<ClusterRecords, 'intents' | 'holds'> & Partial<Pick<ClusterRecords, 'requests'>>;

export interface RecoveryRunsOptions {
  readonly runner: RecoveryRunner;
  readonly clock: Clock;
  readonly log: Log;
  readonly runsMax: number;
  readonly retryHeldEveryMs: number;
  readonly onEnded: (outcome: RecoveryRunOutcome) => void;
  /** A broken invariant: the process has to end. */
  readonly onBroken: (error: unknown) => void;
}

/**
 * Which open intents this process works on. One run per recovery at a time, also across terms: a
 * run of an ended term is waited for. A held one is tried again on a slow cadence and at once when
 * its hold is removed. Bounded by `runsMax`; the rest wait their turn in the order they were begun.
 */
export class RecoveryRuns {
  readonly #options: RecoveryRunsOptions;
  /** By opId; entries go when their intent does. */
  readonly #runs = new Map<string, Run>();
  /** Revision of the newest request that was taken note of, by opId; goes with the request. */
  readonly #askedAt = new Map<string, Revision>();

  constructor(options: RecoveryRunsOptions) {
    this.#options = options;
  }

  get runningCount(): number {
    let count = 0;
    for (const run of this.#runs.values()) if (run.kind === 'running') count++;
    return count;
  }

  isRunning(opId: string): boolean {
    return this.#runs.get(opId)?.kind === 'running';
  }

  /** What was learned under an earlier term (a hold to wait out, a park) does not bind the next. */
  beginTerm(): void {
    for (const [opId, run] of this.#runs) if (run.kind === 'waiting') this.#runs.delete(opId);
  }

  /**
   * Starts what may start. Synchronous; call it whenever the view changed or time passed. `mayRun`:
   * its records can be read.
   */
  sync(term: Term, records: Asked, mayRun: (member: MemberId) => boolean): void {
    const open = [...records.intents.values()].sort((a, b) => a.record.startedAtWallMs - b.record.startedAtWallMs);
    const openIds = new Set(open.map((one) => one.record.opId));
    for (const [opId, run] of this.#runs) if (run.kind === 'waiting' && !openIds.has(opId)) this.#runs.delete(opId);
    let room = this.#options.runsMax - this.runningCount;
    for (const intent of open) {
      const { opId, member } = intent.record;
      this.#noteHold(opId, records.holds.get(member)?.record.opId === opId);
      this.#noteRequest(opId, records.requests?.get(member));
      if (room <= 0 || !mayRun(member) || !this.#isDue(opId)) continue;
      this.#start(term, intent);
      room -= 1;
    }
  }

  /** Resolves when every run has ended; abort the term first. */
  async drain(): Promise<void> {
    await Promise.all([...this.#runs.values()].flatMap((run) => (run.kind === 'running' ? [run.ended] : [])));
  }

  #noteHold(opId: string, held: boolean): void {
    const run = this.#runs.get(opId);
    if (run?.kind === 'running' && run.holdSeen !== held) {
      if (!held) this.#options.runner.retryNow?.(opId);
      this.#runs.set(opId, { ...run, holdSeen: held });
    }
    if (run?.kind !== 'waiting' || run.outcome !== 'held' || run.holdSeen === held) return;
    // Gone after it was there: somebody removed it, so now is the time.
    const retryAtMs = held ? run.retryAtMs : this.#options.clock.monotonicMs();
    this.#runs.set(opId, { ...run, holdSeen: held, retryAtMs });
  }

  /**
   * Something new was asked of it: the run under way ends, a waiting one is due now. Each request
   * is taken note of once, by its revision.
   */
  #noteRequest(opId: string, request: Stored<OperatorRequestRecord> | undefined): void {
    if (request?.record.opId !== opId) {
      this.#askedAt.delete(opId);
      return;
    }
    if (this.#askedAt.get(opId) === request.modRevision) return;
    this.#askedAt.set(opId, request.modRevision);
    const run = this.#runs.get(opId);
    if (run?.kind === 'running') this.#options.runner.interrupt?.(opId);
    else if (run) this.#runs.set(opId, { ...run, retryAtMs: this.#options.clock.monotonicMs() });
  }

  #isDue(opId: string): boolean {
    const run = this.#runs.get(opId);
    if (run === undefined) return true;
    return run.kind === 'waiting' && this.#options.clock.monotonicMs() >= run.retryAtMs;
  }

  #start(term: Term, intent: Stored<IntentRecord>): void {
    const { opId, member } = intent.record;
    const before = this.#runs.get(opId);
    const parkedBefore = before?.kind === 'waiting' ? before.parkedCount : 0;
    this.#options.log.info('recovery.run', { opId, member, term: term.number });
    const ended = this.#run(term, intent).then((outcome) => {
      this.#runs.set(opId, this.#waiting(outcome, parkedBefore));
      this.#options.onEnded(outcome);
      this.#options.log.info('recovery.run_ended', { opId, member, term: term.number, outcome });
    });
    this.#runs.set(opId, {
      kind: 'running',
      ended,
      term: term.number,
      holdSeen: before?.kind === 'waiting' && before.holdSeen,
    });
  }

  async #run(term: Term, intent: Stored<IntentRecord>): Promise<RecoveryRunOutcome> {
    try {
      return await this.#options.runner.run(intent, term);
    } catch (error) {
      const { opId, member } = intent.record;
      this.#options.log.error('recovery.run_failed', { opId, member, term: term.number, error: errorText(error) });
      if (error instanceof InvariantViolation) this.#options.onBroken(error);
      return 'parked';
    }
  }

  #waiting(outcome: RecoveryRunOutcome, parkedBefore: number): Run {
    const parkedCount = outcome === 'parked' ? parkedBefore + 1 : 0;
    const parkMs = Math.min(PARK_RETRY_MAX_MS, PARK_RETRY_MIN_MS * 2 ** Math.min(parkedBefore, 10));
    const inMs = { parked: parkMs, held: this.#options.retryHeldEveryMs, finished: FINISHED_RECHECK_MS }[outcome];
    const retryAtMs = laterBy(this.#options.clock.monotonicMs(), inMs);
    return { kind: 'waiting', outcome, retryAtMs, parkedCount, holdSeen: false };
  }
}
