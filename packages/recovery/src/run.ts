import {
  durationText,
  type Clock,
  type Cloud,
  type CloudCallOptions,
  type DnsRecords,
  type FailingCall,
  type GroupPolicy,
  type HeartbeatSource,
  type IntentRecord,
  isOperationError,
  type Keyspace,
  type KvReads,
  type Log,
  OperationError,
  type ProbeService,
  type Random,
  type RecoveryPlan,
  type RunHook,
  type TargetGroups,
  type Term,
} from '@understudy/shared';
import type { Journal } from './journal.ts';
import type { NameLooks } from './plan/name-looks.ts';
import type { KeyLooks } from './plan/key-looks.ts';
import type { OpenIntent } from './runner.ts';
import type { RecoverySettings } from './settings.ts';
import type { Seams, Strategy } from './strategy.ts';
import type { StepRow } from './core/step-table.ts';
import { StandingHold } from './standing-hold.ts';

/** The part of {@link Cloud} that changes nothing: all a step may touch outside an effect. */
export type CloudReads = Pick<Cloud, Extract<keyof Cloud, `describe${string}`>>;

export interface RunParts {
  readonly cloud: Cloud;
  readonly kv: KvReads;
  readonly keys: Keyspace;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Absent: no record is moved. */
  readonly dns?: DnsRecords;
  /** Absent: no registration is moved. */
  readonly targetGroups?: TargetGroups;
  readonly heartbeats: HeartbeatSource;
  /** Absent: services cannot be looked at. */
  readonly probeService?: ProbeService;
  /** Absent: no hook can be run, and one that may refuse does. */
  readonly runHook?: RunHook;
  /** Absent: what names members is not looked at. */
  readonly nameLooks?: NameLooks;
  /** Absent: keys of volumes are not asked about. */
  readonly keyLooks?: KeyLooks;
  readonly settings: RecoverySettings;
}

export interface Activity {
  readonly sinceWallMs: number;
  readonly text: string;
  readonly percent: number | null;
  readonly failing: FailingCall | null;
}

/** A recovery, and what drives it. */
export interface Driven {
  readonly intent: OpenIntent;
  readonly strategy: Strategy;
  readonly seams: Seams;
}

/** One run of one recovery under one term: what its steps share. */
export class Run {
  readonly parts: RunParts;
  readonly intent: OpenIntent;
  readonly term: Term;
  readonly journal: Journal;
  /** When this process first knew that the intent had been committed, own monotonic time. */
  readonly intentSeenAtMs: number;
  /** What each step is doing now, by journal step. */
  readonly activities = new Map<string, Activity>();
  /** Our own hold was there when this run began. */
  heldAtStart = false;
  /** Launch attempts that had been ended when this run began. */
  endedAtStart = 0;
  /** What its plan is followed by. */
  readonly strategy: Strategy;
  readonly seams: Seams;
  /** Its steps, and when each may run. */
  readonly table: readonly StepRow[];
  /** The hold it shows while it goes on. */
  readonly standing: StandingHold;
  readonly #stop = new AbortController();
  #nudge = new AbortController();
  /**
   * Ends with the term, or when the run has to end for another reason (a hold in a step beside).
   */
  readonly signal: AbortSignal;

  constructor(
    parts: RunParts,
    { intent, strategy, seams }: Driven,
    term: Term,
    journal: Journal,
    intentSeenAtMs: number,
  ) {
    this.parts = parts;
    this.strategy = strategy;
    this.seams = seams;
    this.table = strategy.steps(intent.record.plan, seams);
    this.intent = intent;
    this.term = term;
    this.journal = journal;
    this.intentSeenAtMs = intentSeenAtMs;
    this.signal = AbortSignal.any([term.signal, this.#stop.signal]);
    const { kv, keys } = parts;
    this.standing = new StandingHold({ place: { kv, keys, member: intent.record.member }, intent, term, journal });
  }

  get record(): IntentRecord {
    return this.intent.record;
  }
  get plan(): RecoveryPlan {
    return this.intent.record.plan;
  }
  get policy(): GroupPolicy {
    return this.intent.record.plan.policy;
  }
  get settings(): RecoverySettings {
    return this.parts.settings;
  }
  /** It is none of a recovery, but of what is made for a suspect. */
  get isPreparation(): boolean {
    return this.intent.preparation !== undefined;
  }
  nowMs(): number {
    return this.parts.clock.monotonicMs();
  }
  wallMs(): number {
    return this.parts.clock.wallMs();
  }

  /** Steps beside stop at their next line; nothing that was sent is lost, the journal has it. */
  stop(reason: Error): void {
    this.#stop.abort(reason);
  }

  say(step: string, text: string, percent: number | null = null): void {
    const { sinceWallMs = this.wallMs(), failing = null } = this.activities.get(step) ?? {};
    this.activities.set(step, { sinceWallMs, text, percent, failing });
  }

  /** What keeps failing in a step; null: nothing (any more). */
  sayFailing(step: string, failing: FailingCall | null): void {
    const { sinceWallMs = this.wallMs(), text = '', percent = null } = this.activities.get(step) ?? {};
    this.activities.set(step, { sinceWallMs, text, percent, failing });
  }

  sleep(durationMs: number): Promise<void> {
    return this.parts.clock.sleep(durationMs, this.signal);
  }

  /**
   * Somebody asks for another try at once: pauses after failures end now. Only while our hold
   * stands; its removal is what asks.
   */
  nudge(): void {
    if (this.journal.hold === null) return;
    this.journal.hold = null;
    this.standing.forget();
    this.#nudge.abort();
    this.#nudge = new AbortController();
  }

  /** A pause that {@link nudge} ends. */
  async nap(durationMs: number): Promise<'slept' | 'nudged'> {
    const nudged = this.#nudge.signal;
    try {
      await this.parts.clock.sleep(durationMs, AbortSignal.any([this.signal, nudged]));
      return 'slept';
    } catch {
      // Both may come at once, with one write of etcd: then the end counts, by its own reason.
      this.signal.throwIfAborted();
      return 'nudged';
    }
  }

  /**
   * One read with an abort timeout. @throws as {@link Cloud} reads do; `CLOUD_UNAVAILABLE` on
   * timeout.
   */
  read<T>(call: (cloud: CloudReads, options: CloudCallOptions) => Promise<T>): Promise<T> {
    const timeout = () =>
      new OperationError('CLOUD_UNAVAILABLE', `no answer within ${durationText(this.settings.sendLimitMs)}`);
    return this.#timed(this.signal, timeout, (asked) => call(this.parts.cloud, { ...asked, repeat: true }));
  }

  /**
   * One mutating attempt with an abort timeout. Not stopped by {@link stop}: what is sent is waited
   * for. The term's deadline is asked again by the adapter at the last moment, because the call may
   * have waited for a token.
   */
  send<T>(call: (cloud: Cloud, options: CloudCallOptions) => Promise<T>): Promise<T> {
    const timeout = () =>
      new OperationError('CLOUD_OUTCOME_UNKNOWN', `no answer within ${durationText(this.settings.sendLimitMs)}`);
    const mayStart = () => this.term.holdsFor(this.settings.callTimeoutMs);
    return this.#timed(this.term.signal, timeout, (asked) => call(this.parts.cloud, { ...asked, mayStart }));
  }

  /**
   * `call` is entered synchronously: nothing can come between the caller's deadline check and the
   * request.
   */
  #timed<T>(
    outer: AbortSignal,
    timeout: () => OperationError,
    call: (asked: CloudCallOptions) => Promise<T>,
  ): Promise<T> {
    if (outer.aborted) return Promise.reject(asError(outer.reason));
    const { clock } = this.parts;
    const { sendLimitMs, giveUpGraceMs } = this.settings;
    const abort = new AbortController();
    const notAfterMs = clock.monotonicMs() + sendLimitMs;
    const work = call({ signal: abort.signal, notAfterMs, caller: this.record.opId });
    return new Promise<T>((resolve, reject) => {
      let timer = clock.setTimer(sendLimitMs, () => {
        abort.abort(timeout());
        timer = clock.setTimer(giveUpGraceMs, () => end(() => reject(timeout())));
      });
      // The end of the term is final: what the adapter makes of it does not matter.
      const onOuter = () => {
        abort.abort(outer.reason);
        end(() => reject(asError(outer.reason)));
      };
      const end = (settle: () => void) => {
        timer.cancel();
        outer.removeEventListener('abort', onOuter);
        settle();
      };
      outer.addEventListener('abort', onOuter);
      work.then(
        (value) => end(() => resolve(value)),
        (error: unknown) => end(() => reject(error)),
      );
    });
  }
}

const asError = (reason: unknown): Error =>
  reason instanceof Error ? reason : new OperationError('LEASE_LOST', String(reason));

/** Errors of reads that go away by themselves. */
export const isPassing = (error: unknown): error is OperationError =>
  isOperationError(error) &&
  (error.code === 'CLOUD_UNAVAILABLE' || error.code === 'CLOUD_THROTTLED' || error.code === 'CLOUD_NOT_FOUND');
