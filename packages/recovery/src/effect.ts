import {
  type Cloud,
  type CloudCallOptions,
  errorText,
  type GuardedWrite,
  type HoldReason,
  isOperationError,
  type KvEntry,
  OperationError,
  retryAdvice,
} from '@understudy/shared';
import type { AttemptFailure } from './core/launch-outcome.ts';
import { pollDelayMs, remainingOfMs } from './core/pacing.ts';
import { madeNothing } from './core/refusals.ts';
import type { StepKey } from './core/step-id.ts';
import { type Series, seriesText } from './failure-series.ts';
import { HoldDecided } from './hold.ts';
import type { Alongside, JournalChange, JournalEntry, JournalWrite } from './journal.ts';
import { isPassing, type Run } from './run.ts';
import { PLACEMENT } from './standing-hold.ts';
import { StepPatience } from './step-patience.ts';
import type { NotedOf, RequestOf, ResultOf, Sends, StepRecord } from './step-record.ts';
import { LAUNCH } from './steps/attempt-records.ts';

/**
 * The discipline of every effect, in one place (S1, S3, S6): guarded write of what is about to be
 * sent → the term's deadline, checked synchronously right before → one attempt with an abort
 * timeout → observe → guarded write of what was observed.
 *
 * A step is a reconcile loop: it looks (reads only) and names its next {@link Move}; only {@link
 * driveStep} carries moves out.
 */

export interface Call {
  /** Names the call in the journal and the log. */
  readonly name: string;
  /** `send`: number of this call within the step, counted over all leaders, from 1. */
  readonly run: (cloud: Cloud, options: CloudCallOptions, send: number) => Promise<void>;
  /**
   * Not worth holding a recovery for: a denial is the step's to deal with, like any other error.
   */
  readonly optional?: boolean;
}

export type Move<R extends StepRecord> =
  | { readonly kind: 'act'; readonly calls: readonly [Call, ...Call[]]; readonly text: string }
  | { readonly kind: 'note'; readonly noted: NotedOf<R> }
  /** `forMs`: exact pause; absent: at the usual, slowly growing pace. */
  | { readonly kind: 'wait'; readonly text: string; readonly forMs?: number; readonly percent?: number }
  | { readonly kind: 'done'; readonly result: ResultOf<R>; readonly alongside?: Alongside }
  | { readonly kind: 'failed'; readonly failure: AttemptFailure; readonly code: string; readonly text: string }
  | { readonly kind: 'hold'; readonly reason: HoldReason; readonly text: string }
  /**
   * This step's premise was wrong: the launch did happen. Its record becomes `done`, ours goes, in
   * one transaction.
   */
  | { readonly kind: 'launched-after-all'; readonly launchStep: string; readonly instanceId: string }
  /** Ends the recovery: its journal goes with the transaction. */
  | { readonly kind: 'close'; readonly write: GuardedWrite };

/** What came of the calls of the last `act`. */
export interface Attempt {
  readonly outcomes: readonly { readonly name: string; readonly error: OperationError | null }[];
  /** The name of the only call. */
  readonly name: string;
  readonly error: OperationError | null;
  /** Calls of this run of the step that ended unknown, this one included. */
  readonly unknownCount: number;
  /**
   * The only call had the number of the one before, which certainly made nothing: that number is
   * open again until this one is answered. Absent: it has a number of its own.
   */
  readonly isRepeat?: true;
  /** The step was given it before, and its look failed. Absent: it was not. */
  readonly isTold?: true;
}

/**
 * By how many the numbers of this run that have an answer grow: a number that is used again has
 * lost the one it had.
 */
export const answersIn = (last: Attempt | null): number =>
  last === null || last.isTold === true
    ? 0
    : (last.error?.code === 'CLOUD_OUTCOME_UNKNOWN' ? 0 : 1) - (last.isRepeat === true ? 1 : 0);

export interface Frozen<R extends StepRecord> {
  readonly request: RequestOf<R>;
  /** Empty: nothing was ever sent. */
  readonly sends: Sends;
  readonly noted: NotedOf<R> | null;
  /** Since the step began, other leaders' share included. */
  readonly elapsedMs: number;
  /**
   * Set after a write whose `alongside` was refused, or a refused `close`: what those keys hold.
   */
  readonly conflict: readonly (KvEntry | null)[] | null;
}

export interface Step<R extends StepRecord> {
  /** How long the step may take before {@link Step.onTimeout}. */
  readonly limitMs: number;
  /** What a successor may always spend on it. Default: `settings.resumeFloorMs`. */
  readonly floorMs?: number;
  /**
   * What the recovery is held as when its calls were refused for as long as the policy lets them be
   * tried; absent: they are tried until `limitMs`.
   */
  readonly givesUpAs?: HoldReason;
  /**
   * Chooses what will be sent; runs only while nothing is recorded, and what it returns is frozen.
   */
  prepare(): Promise<RequestOf<R>>;
  /** Looks and decides. `last`: what came of the act before; null at the beginning of a run. */
  next(frozen: Frozen<R>, last: Attempt | null): Promise<Move<R>>;
  onTimeout(frozen: Frozen<R>): Move<R>;
}

interface Drive<R extends StepRecord> {
  readonly run: Run;
  readonly key: StepKey;
  readonly record: R;
  readonly step: Step<R>;
  request: RequestOf<R>;
  readonly startedAtMs: number;
  /** Spent by others before this run. */
  readonly spentMs: number;
  waitingSinceMs: number;
  readonly patience: StepPatience;
  /**
   * Calls whose newest send certainly made nothing: the next one is no further try, and has the
   * same number.
   */
  readonly madeNothing: Set<string>;
  /** It was given up, and the hold that says so stands: nothing more is sent. */
  readonly gaveUp: HoldDecided | null;
  unknownCount: number;
  last: Attempt | null;
  conflict: readonly (KvEntry | null)[] | null;
}

/**
 * Runs one step to its end: `done` or `failed` in the journal, or the recovery closed.
 * @throws HoldDecided, IntentGone; LEASE_LOST, STORE_UNAVAILABLE, STORE_OUTCOME_UNKNOWN: park.
 */
export async function driveStep<R extends StepRecord>(run: Run, key: StepKey, record: R, step: Step<R>): Promise<void> {
  const drive = await begin(run, key, record, step);
  for (;;) {
    run.signal.throwIfAborted();
    const entry = run.journal.entry(record, key.id);
    if (entry && entry.state !== 'started') return;
    if (entry?.request) drive.request = entry.request;
    const move = await nextMove(drive, entry, frozenOf(drive, entry));
    if (move === null) continue;
    if ((await carryOut(drive, entry, move)) === 'ended') return;
  }
}

async function begin<R extends StepRecord>(run: Run, key: StepKey, record: R, step: Step<R>): Promise<Drive<R>> {
  const entry = run.journal.entry(record, key.id);
  const patience = new StepPatience(run, key.id, step.givesUpAs !== undefined);
  const request = entry?.request ?? (await prepareWithPatience(run, patience, step));
  const leftMs = entry
    ? remainingOfMs({
        limitMs: step.limitMs,
        floorMs: step.floorMs ?? run.settings.resumeFloorMs,
        startedAtWallMs: entry.startedAtWallMs,
        nowWallMs: run.wallMs(),
      })
    : step.limitMs;
  const nowMs = run.nowMs();
  return {
    run,
    key,
    record,
    step,
    request,
    startedAtMs: nowMs,
    spentMs: step.limitMs - leftMs,
    waitingSinceMs: nowMs,
    patience,
    madeNothing: new Set(),
    gaveUp:
      step.givesUpAs && entry?.error && run.heldAtStart ? new HoldDecided(step.givesUpAs, entry.error.text) : null,
    unknownCount: 0,
    last: null,
    conflict: null,
  };
}

/** Preparing reads; reads that fail in passing are repeated, for as long as the step may take. */
async function prepareWithPatience<R extends StepRecord>(
  run: Run,
  patience: StepPatience,
  step: Step<R>,
): Promise<RequestOf<R>> {
  const startedAtMs = run.nowMs();
  for (;;) {
    try {
      const request = await step.prepare();
      patience.lookWorked();
      return request;
    } catch (error) {
      if (!isPassing(error)) throw asHold(error);
      if (run.nowMs() - startedAtMs > step.limitMs)
        throw new HoldDecided('CloudUnavailable', error.message, { cause: error });
      await patience.failedLook(error);
    }
  }
}

const frozenOf = <R extends StepRecord>(drive: Drive<R>, entry: JournalEntry<R> | null): Frozen<R> => ({
  request: drive.request,
  sends: entry?.sends ?? {},
  noted: entry?.noted ?? null,
  elapsedMs: drive.spentMs + drive.run.nowMs() - drive.startedAtMs,
  conflict: drive.conflict,
});

/** null: a read failed in passing; it was waited, look again. */
async function nextMove<R extends StepRecord>(
  drive: Drive<R>,
  entry: JournalEntry<R> | null,
  frozen: Frozen<R>,
): Promise<Move<R> | null> {
  const { run, step } = drive;
  const late = frozen.elapsedMs > step.limitMs;
  try {
    const move = await step.next(frozen, drive.last);
    drive.last = null;
    drive.conflict = null;
    if (drive.patience.lookWorked() && entry) await written(drive, { state: 'started' });
    // What was found out is kept, however late; only waiting and trying come to an end.
    return late && (move.kind === 'wait' || move.kind === 'act') ? overdue(drive, frozen) : move;
  } catch (error) {
    run.signal.throwIfAborted();
    if (!isPassing(error)) throw asHold(error);
    // The step sees it again, and counts it once.
    if (drive.last !== null) drive.last = { ...drive.last, isTold: true };
    if (late) {
      drive.patience.looks.note(error);
      return overdue(drive, frozen);
    }
    await drive.patience.failedLook(error);
    return null;
  }
}

/**
 * A hold says what failed last, if something does: that nothing was seen may mean that nothing
 * could be.
 */
function overdue<R extends StepRecord>(drive: Drive<R>, frozen: Frozen<R>): Move<R> {
  const move = drive.step.onTimeout(frozen);
  const failing = drive.patience.text();
  return move.kind === 'hold' && failing !== null ? { ...move, text: `${move.text}. What fails: ${failing}` } : move;
}

/** A refusal that repeating cannot change is for a person. Everything else stays what it is. */
function asHold(error: unknown): unknown {
  if (!isOperationError(error)) return error;
  if (error.code === 'CLOUD_DENIED') return new HoldDecided('CloudDenied', error.message, { cause: error });
  if (error.code.startsWith('CLOUD_')) return new HoldDecided('CloudRejected', error.message, { cause: error });
  return error;
}

type Went = 'on' | 'ended';

async function carryOut<R extends StepRecord>(
  drive: Drive<R>,
  entry: JournalEntry<R> | null,
  move: Move<R>,
): Promise<Went> {
  const { run, key } = drive;
  switch (move.kind) {
    case 'act':
      return act(drive, entry, move.calls, move.text);
    case 'wait':
      if (!entry && !(await written(drive, { state: 'started' }))) return 'on';
      run.say(key.id, move.text, move.percent ?? null);
      await pauseBetween(drive, move.forMs ?? pollDelayMs(run.nowMs() - drive.waitingSinceMs, run.settings));
      return 'on';
    case 'note':
      await written(drive, { state: 'started', noted: move.noted });
      return 'on';
    case 'done':
      drive.patience.settled();
      if (drive.record.name === LAUNCH.name) run.standing.drop(PLACEMENT);
      return (await written(drive, { state: 'done', result: move.result }, move.alongside)) ? 'ended' : 'on';
    case 'failed': {
      const error = { code: move.code, text: move.text };
      // Only steps of an attempt fail, and their result shapes all have this member.
      const result = { failure: move.failure } as unknown as ResultOf<R>;
      run.parts.log.warn('recovery.step.failed', { step: key.id, ...error });
      // What made nothing is tried elsewhere: what stands in the way is still the same.
      if (move.failure === 'instance') drive.patience.settled();
      else run.standing.handOver(key.id, PLACEMENT);
      return (await written(drive, { state: 'failed', result, error })) ? 'ended' : 'on';
    }
    case 'hold':
      throw new HoldDecided(move.reason, move.text);
    case 'launched-after-all':
      return handBack(drive, move.launchStep, move.instanceId);
    case 'close':
      return close(drive, move.write);
  }
}

/** While calls of the step fail, a wait is a pause before the next try, shown as one. */
async function pauseBetween<R extends StepRecord>(drive: Drive<R>, forMs: number): Promise<void> {
  if (drive.patience.calls.current === null) await drive.run.sleep(forMs);
  else await drive.patience.wait(forMs);
}

/**
 * `false`: the write was refused; the journal holds what is there now, and the loop goes on from
 * it.
 */
async function written<R extends StepRecord>(
  drive: Drive<R>,
  change: JournalChange<R>,
  alongside?: Alongside,
): Promise<boolean> {
  const outcome = await drive.run.journal.write<R>(drive.key.id, { request: drive.request, ...change }, alongside);
  return accept(drive, outcome);
}

function accept<R extends StepRecord>(drive: Drive<R>, outcome: JournalWrite): boolean {
  if (outcome.kind === 'conflict') drive.conflict = outcome.entries;
  if (outcome.kind === 'stale') drive.run.parts.log.warn('recovery.journal.stale', { step: drive.key.id });
  return outcome.kind === 'written';
}

async function act<R extends StepRecord>(
  drive: Drive<R>,
  entry: JournalEntry<R> | null,
  calls: readonly [Call, ...Call[]],
  text: string,
): Promise<Went> {
  const { run, key } = drive;
  if (drive.gaveUp) throw drive.gaveUp;
  const sends = { ...entry?.sends };
  for (const { name } of calls) if (!drive.madeNothing.has(name)) sends[name] = (sends[name] ?? 0) + 1;
  run.say(key.id, text);
  if (!(await written(drive, { state: 'started', sends }))) return 'on';
  await untilTermHolds(run);
  // No await between the check in `untilTermHolds` returning and the calls being entered, except
  // its own resolution, so it is asked again.
  if (!run.term.holdsFor(run.settings.callTimeoutMs)) return 'on';
  const isRepeat = drive.madeNothing.has(calls[0].name);
  const work = calls.map((call) => attempt(drive, call, sends[call.name] ?? 1));
  // None of them rejects for what EC2 answers: each outcome is kept by itself.
  const outcomes = await Promise.all(work);
  drive.waitingSinceMs = run.nowMs();
  for (const { name, error } of outcomes) {
    if (error !== null && madeNothing(error)) drive.madeNothing.add(name);
    else drive.madeNothing.delete(name);
  }
  const error = outcomes.find((one) => one.error !== null)?.error ?? null;
  const { unknownCount } = drive;
  drive.last = { outcomes, name: calls[0].name, error, unknownCount, ...(isRepeat && { isRepeat }) };
  await afterError(
    drive,
    error,
    calls.every((call) => call.optional === true),
  );
  return 'on';
}

/** A keepalive may be late without the term being over: wait for one of the two. */
async function untilTermHolds(run: Run): Promise<void> {
  while (!run.term.holdsFor(run.settings.callTimeoutMs)) {
    if (run.term.remainingMs() <= 0) throw new OperationError('LEASE_LOST', 'the deadline of the term has passed');
    await run.sleep(run.settings.termRecheckMs);
  }
}

async function attempt<R extends StepRecord>(
  drive: Drive<R>,
  call: Call,
  send: number,
): Promise<{ name: string; error: OperationError | null }> {
  const { run, key } = drive;
  try {
    await run.send((cloud, options) => call.run(cloud, options, send));
    run.parts.log.info('recovery.effect.sent', { step: key.id, call: call.name, send });
    return { name: call.name, error: null };
  } catch (error) {
    run.term.signal.throwIfAborted();
    if (!isOperationError(error)) throw error;
    if (error.code === 'LEASE_LOST') {
      // The deadline came too near while the call waited for a token, but the term is not over: it
      // was not sent.
      return { name: call.name, error: new OperationError('CLOUD_THROTTLED', error.message, { cause: error }) };
    }
    if (error.code === 'CLOUD_OUTCOME_UNKNOWN') drive.unknownCount += 1;
    // Only the first of a series: the others are counted, and told by it.
    if (drive.patience.calls.current === null)
      run.parts.log.warn('recovery.effect.error', { step: key.id, call: call.name, send, error: errorText(error) });
    return { name: call.name, error };
  }
}

/** Answers that time may change: whatever the step does next, it does it a little later. */
const PAUSE_AFTER: ReadonlySet<string> = new Set([
  'CLOUD_THROTTLED',
  'CLOUD_UNAVAILABLE',
  'CLOUD_OUTCOME_UNKNOWN',
  'CLOUD_NOT_FOUND',
  'CLOUD_CONFLICT',
]);

async function afterError<R extends StepRecord>(
  drive: Drive<R>,
  error: OperationError | null,
  optional: boolean,
): Promise<void> {
  const { patience, run } = drive;
  if (error === null) {
    patience.calls.end();
    patience.show();
    if (run.standing.drop(drive.key.id)) await written(drive, { state: 'started' });
    return;
  }
  if (!optional && error.code === 'CLOUD_DENIED' && error.upstreamCode !== 'OperationNotPermitted') {
    throw new HoldDecided('CloudDenied', error.message, { cause: error });
  }
  const series = patience.calls.note(error);
  await giveUpInTime(drive, series);
  if (PAUSE_AFTER.has(error.code) || series.refusal === 'transient') await patience.pauseAfterCall(series);
  else patience.show();
}

/**
 * **S** (S7) Nothing of the attempt is ended by it: what may have been made is still there, and is
 * looked for when it is resumed.
 */
async function giveUpInTime<R extends StepRecord>(drive: Drive<R>, series: Series): Promise<void> {
  const { run, step } = drive;
  if (step.givesUpAs === undefined || run.nowMs() - series.sinceMs < run.policy.recover.retryRefusedForMs) return;
  const since = new Date(series.sinceWallMs).toISOString();
  const text = `given up after ${series.count} tries since ${since}, as long as recover.retryRefusedForMs says: ${seriesText(series)}. ${retryAdvice(run.record.member)}`;
  await written(drive, { state: 'started', error: { code: series.code, text } });
  throw new HoldDecided(step.givesUpAs, text);
}

async function handBack<R extends StepRecord>(drive: Drive<R>, launchStep: string, instanceId: string): Promise<Went> {
  const { run, key } = drive;
  const own = { key: run.parts.keys.journalStep(run.record.opId, key.id), expect: run.journal.modRevision(key.id) };
  const outcome = await run.journal.write<typeof LAUNCH>(
    launchStep,
    { state: 'done', result: { instanceId, foundBy: 'revocation' } },
    { deletes: [own] },
  );
  if (outcome.kind === 'conflict') await run.journal.load();
  return outcome.kind === 'written' ? 'ended' : 'on';
}

async function close<R extends StepRecord>(drive: Drive<R>, write: GuardedWrite): Promise<Went> {
  const outcome = await drive.run.term.commit(write);
  if (outcome.kind === 'committed') return 'ended';
  drive.conflict = outcome.entries;
  return 'on';
}
