import {
  endText,
  HistoryRecordSchema,
  invariant,
  isOperationError,
  type MemberId,
  type MonotonicMs,
  parseRecord,
  type Revision,
  type Term,
  WAYS_OUT,
} from '@understudy/shared';
import type { StepKey } from './core/step-id.ts';
import { currentAttempt, readySteps } from './core/step-table.ts';
import { HoldDecided, readHold, writeHold } from './hold.ts';
import { IntentGone, Journal } from './journal.ts';
import { readRequest } from './request.ts';
import { Run, type RunParts } from './run.ts';
import type { OpenPreparation, PreparationOutcome } from './preparation/preparation-outcome.ts';
import { drivePreparation } from './preparation/preparation-run.ts';
import type { OpenIntent, RecoveryActivity, RecoveryRunner, RecoveryRunOutcome } from './runner.ts';
import { REGISTERED } from './registered.ts';
import { chosenBy, type RecoveryRegistry, registryFaults, stepsOf } from './registry.ts';
import type { StepRecord } from './step-record.ts';
import type { DriveStep } from './ways-out/end-attempt.ts';
import { DEFAULT_RECOVERY_SETTINGS, type RecoverySettings } from './settings.ts';
import { carryOut } from './ways-out/carry-out.ts';
import { givesUpOn, isSurrendered, surrender } from './ways-out/surrender.ts';
import type { CarriedOut } from './ways-out/outcome.ts';
import type { PolicySource } from './ways-out/replan.ts';

export interface RecoveryEngineOptions extends Omit<RunParts, 'settings'> {
  /**
   * Since when our view of etcd has shown that intent, own monotonic time; null or absent: begin to
   * count when it is run.
   */
  readonly intentSeenAtMs?: (member: MemberId, modRevision: Revision) => MonotonicMs | null;
  /** The policy a new plan follows. */
  readonly policyOf: PolicySource;
  readonly settings?: Partial<RecoverySettings>;
  /** What recoveries are put together from. Default: all that is registered. */
  readonly registry?: RecoveryRegistry;
}

/** Thrown into steps that run beside one that ended the run. */
class RunEnded extends Error {
  override readonly name = 'RunEnded';
}

/**
 * Carries out recorded recoveries. A run reads the journal and goes on where it ends, whoever wrote
 * it; every effect goes through `effect.ts`. Several recoveries may run side by side; the same one
 * never twice in one process.
 */
export class RecoveryEngine implements RecoveryRunner {
  readonly #parts: RunParts;
  readonly #intentSeenAtMs: RecoveryEngineOptions['intentSeenAtMs'];
  readonly #policyOf: PolicySource;
  readonly #registry: RecoveryRegistry;
  readonly #records: readonly StepRecord[];
  readonly #runs = new Map<string, Run>();
  /** By opId: resolves when the run of the preparation has ended. */
  readonly #preparing = new Map<string, Promise<void>>();

  constructor(options: RecoveryEngineOptions) {
    this.#parts = { ...options, settings: { ...DEFAULT_RECOVERY_SETTINGS, ...options.settings } };
    this.#intentSeenAtMs = options.intentSeenAtMs;
    this.#policyOf = options.policyOf;
    this.#registry = options.registry ?? REGISTERED;
    this.#records = stepsOf(this.#registry).map((kind) => kind.record);
    const faults = registryFaults(this.#registry);
    invariant(faults.length === 0, faults.join('; '));
  }

  activity(opId: string): RecoveryActivity | null {
    const run = this.#runs.get(opId);
    if (!run) return null;
    const all = [...run.activities.values()];
    const steps = [...run.activities].map(([step, { sinceWallMs, text, failing }]) => ({
      step,
      sinceWallMs,
      text,
      failing,
    }));
    return {
      text:
        all
          .map((one) => one.text)
          .filter((text) => text !== '')
          .join('; ') || 'reading the journal',
      captureProgressPercent: all.flatMap((one) => one.percent ?? [])[0] ?? null,
      steps,
    };
  }

  retryNow(opId: string): void {
    this.#runs.get(opId)?.nudge();
  }

  /**
   * `held`: the reason is in the member's hold record; the next run tries again. `parked`: term or
   * store lost, nothing is lost. A run of the same recovery that is still unwinding (an earlier
   * term's) also answers `parked`.
   * @throws InvariantViolation only.
   */
  async run(intent: OpenIntent, term: Term): Promise<RecoveryRunOutcome> {
    const { opId, member } = intent.record;
    if (this.#preparing.has(opId)) await this.#untilNotPreparing(opId);
    if (this.#runs.has(opId)) return 'parked';
    const log = this.#parts.log.child({ opId, member, term: term.number });
    const parts = { ...this.#parts, log };
    const chosen = chosenBy(intent.record.plan, this.#registry);
    if ('fault' in chosen) return leave(parts, intent, term, chosen.fault);
    const { strategy } = chosen;
    const seenAtMs = this.#intentSeenAtMs?.(member, intent.modRevision) ?? parts.clock.monotonicMs();
    const runOf = (current: OpenIntent): Run => {
      const journal = new Journal({
        ...parts,
        intent: current,
        term,
        records: this.#records,
        wallMs: () => parts.clock.wallMs(),
      });
      const run = new Run(parts, { intent: current, strategy, seams: this.#registry }, term, journal, seenAtMs);
      this.#runs.set(opId, run);
      return run;
    };
    let run = runOf(intent);
    try {
      for (;;) {
        await load(run);
        const carriedOut = await this.#carryOut(run);
        if (carriedOut?.kind === 'closed') return 'finished';
        if (carriedOut === null) break;
        run = runOf(carriedOut.kind === 'go-on' ? carriedOut.intent : run.intent);
      }
      if (isSurrendered(run)) await surrender(run, this.#drive, '');
      else {
        const givenUp = await advance(run, this.#drive).then(
          () => null,
          (error: unknown) => reasonToGiveUp(run, error),
        );
        if (givenUp !== null) {
          run = runOf(run.intent);
          await load(run);
          await surrender(run, this.#drive, givenUp);
        }
      }
      log.info('recovery.finished', { strategy: run.plan.strategy });
      return 'finished';
    } catch (error) {
      return await ended(run, error);
    } finally {
      this.#runs.delete(opId);
    }
  }

  /**
   * Makes what is prepared for a suspect, or removes it where it was dropped; resumable as
   * {@link run} is. The recovery of the same name, once it is begun, ends it and goes on with its
   * journal. @throws InvariantViolation only.
   */
  async prepare(preparation: OpenPreparation, term: Term): Promise<PreparationOutcome> {
    const { record, modRevision } = preparation;
    const { opId, member } = record;
    if (this.#runs.has(opId)) return { kind: 'parked', why: 'its recovery runs' };
    const chosen = chosenBy(record.plan, this.#registry);
    if ('fault' in chosen) return { kind: 'failed', why: chosen.fault };
    const parts = { ...this.#parts, log: this.#parts.log.child({ opId, member, term: term.number }) };
    const isDropped = record.dropped !== undefined;
    const intent: OpenIntent = { record, modRevision, preparation: { key: parts.keys.preparation(opId), isDropped } };
    const journal = new Journal({
      ...{ ...parts, intent, term, records: this.#records },
      wallMs: () => parts.clock.wallMs(),
    });
    const { strategy } = chosen;
    const run = new Run(parts, { intent, strategy, seams: this.#registry }, term, journal, parts.clock.monotonicMs());
    const ended = Promise.withResolvers<void>();
    this.#runs.set(opId, run);
    this.#preparing.set(opId, ended.promise);
    try {
      return await drivePreparation(run, preparation, this.#drive);
    } finally {
      this.#runs.delete(opId);
      this.#preparing.delete(opId);
      ended.resolve();
    }
  }

  /** What was sent is waited for; the journal has it. */
  async #untilNotPreparing(opId: string): Promise<void> {
    const ended = this.#preparing.get(opId);
    if (ended === undefined) return;
    this.#runs.get(opId)?.stop(new RunEnded('its recovery has begun'));
    await ended;
  }

  /** Drives one step of a run to its end. */
  readonly #drive: DriveStep = async (run, key) => {
    const kind = stepsOf(this.#registry).find((one) => one.record.name === key.name);
    invariant(kind, `${key.id} is a step that nobody has registered`);
    await kind.drive(run, key);
  };

  /** null: nothing is asked of it. */
  async #carryOut(run: Run): Promise<CarriedOut | null> {
    run.signal.throwIfAborted();
    const { kv, keys } = run.parts;
    const request = await readRequest({ kv, keys, member: run.record.member }, run.record.opId);
    return request && (await carryOut(run, request, { drive: this.#drive, policyOf: this.#policyOf }));
  }

  /**
   * An operator asks something of a recovery that runs: it ends at its next line as if parked, and
   * the next run begins with what was asked.
   */
  interrupt(opId: string): void {
    this.#runs.get(opId)?.stop(new RunEnded('an operator has asked for something'));
  }
}

/** Why another way is to be taken. @throws the error, when it is none for that */
function reasonToGiveUp(run: Run, error: unknown): string {
  if (givesUpOn(run, error)) return error.message;
  throw error;
}

/** **S** Nothing of it is driven. The hold says what it takes: somebody who knows the plan. */
async function leave(parts: RunParts, intent: OpenIntent, term: Term, fault: string): Promise<RecoveryRunOutcome> {
  const { kv, keys, clock, log } = parts;
  const reason = 'RecordUnreadable';
  const text = `${fault}: a coordinator of the build that began it has to lead. Leave its records as they are`;
  const hold = { reason, text, sinceWallMs: clock.wallMs(), untilWallMs: null } as const;
  try {
    await writeHold({ kv, keys, member: intent.record.member }, intent, term, hold);
  } catch (error) {
    if (!term.signal.aborted && !isOperationError(error)) throw error;
    return 'parked';
  }
  log.error('recovery.held', { reason, text });
  return 'held';
}

async function load(run: Run): Promise<void> {
  const { kv, keys } = run.parts;
  const { member, opId } = run.record;
  const [, hold] = await Promise.all([run.journal.load(), readHold({ kv, keys, member }, opId)]);
  if (hold.own) run.journal.hold = { key: keys.hold(member), modRevision: hold.modRevision };
  run.heldAtStart = hold.own;
  run.endedAtStart = currentAttempt(run.journal.states()) - 1;
}

/**
 * Starts every step whose needs are met, until one that does so has closed the recovery. The first
 * error ends all; nobody is left running behind.
 */
async function advance(run: Run, drive: DriveStep): Promise<void> {
  const running = new Map<string, Promise<void>>();
  const closing = new Set(
    run.table.filter((row, at) => row.closes === true || at === run.table.length - 1).map(({ step }) => step.name),
  );
  let closed = false;
  const start = (key: StepKey): void => {
    run.parts.log.info('recovery.step', { step: key.id });
    run.say(key.id, '');
    const work = drive(run, key).finally(() => {
      running.delete(key.id);
      run.activities.delete(key.id);
    });
    running.set(
      key.id,
      work.then(() => {
        closed ||= closing.has(key.name);
      }),
    );
  };
  try {
    while (!closed) {
      for (const key of readySteps(run.journal.states(), run.table)) if (!running.has(key.id)) start(key);
      invariant(running.size > 0, `recovery ${run.record.opId}: no step can run and none is running`);
      await Promise.race(running.values());
    }
  } catch (error) {
    run.stop(new RunEnded('a step beside ended the run'));
    await Promise.allSettled(running.values());
    throw error;
  }
}

async function ended(run: Run, error: unknown): Promise<RecoveryRunOutcome> {
  try {
    return await outcomeOf(run, error);
  } catch (second) {
    if (!run.term.signal.aborted && !isOperationError(second)) throw second;
    run.parts.log.info('recovery.parked', { why: endText(error) });
    return 'parked';
  }
}

/**
 * @throws what is neither a hold nor an end that was wanted: the error itself, or what went wrong
 * while it was told.
 */
async function outcomeOf(run: Run, error: unknown): Promise<RecoveryRunOutcome> {
  if (error instanceof IntentGone) return whatBecame(run);
  if (error instanceof RunEnded) return 'parked';
  const hold = asHold(error);
  if (!hold || run.term.signal.aborted) throw error;
  const { kv, keys, clock, log } = run.parts;
  const text = { reason: hold.reason, text: hold.message, sinceWallMs: clock.wallMs(), untilWallMs: null };
  // Once its replacement serves, why that one is not recovered says more than which chore is stuck.
  const yields = run.journal.states().get('activate') === 'done';
  await writeHold({ kv, keys, member: run.record.member }, run.intent, run.term, text, yields);
  const endsByItself = WAYS_OUT[hold.reason].endsByItself;
  log[endsByItself ? 'warn' : 'error']('recovery.held', { reason: hold.reason, text: hold.message });
  return 'held';
}

function asHold(error: unknown): HoldDecided | null {
  if (error instanceof HoldDecided) return error;
  if (isOperationError(error) && error.code === 'RECORD_UNREADABLE') {
    return new HoldDecided('RecordUnreadable', error.message, { cause: error });
  }
  return null;
}

/**
 * The intent is gone: was this recovery finished (by us, with the reply lost, or by somebody else)?
 */
async function whatBecame(run: Run): Promise<RecoveryRunOutcome> {
  const { kv, keys } = run.parts;
  const { member, opId } = run.record;
  const entry = await kv.get(keys.historyEntry(member, opId));
  if (!entry) return 'parked';
  parseRecord(HistoryRecordSchema, entry.key, entry.value);
  return 'finished';
}
