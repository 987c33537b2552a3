import {
  IntentRecordSchema,
  isOperationError,
  type KvEntry,
  parseRecord,
  type PreparationRecord,
} from '@understudy/shared';
import { readySteps } from '../core/step-table.ts';
import { HoldDecided } from '../hold.ts';
import { IntentGone } from '../journal.ts';
import type { Run } from '../run.ts';
import { isPlaceOpen, RESERVE } from '../steps/reserve-record.ts';
import { type DriveStep, endOpenAttempt } from '../ways-out/end-attempt.ts';
import type { OpenPreparation, PreparationOutcome } from './preparation-outcome.ts';
import { preparedSteps } from './prepared-steps.ts';
import { removeMade } from './remove-made.ts';

/**
 * Makes what the record says, or removes it where it was dropped. Every effect goes through
 * `effect.ts` and the journal, as in the recovery that goes on with it: a call that was sent is
 * looked for, and one that lands late launches nothing once its permit is seen gone (S7).
 * @throws InvariantViolation only
 */
export async function drivePreparation(
  run: Run,
  { record }: OpenPreparation,
  drive: DriveStep,
): Promise<PreparationOutcome> {
  try {
    await run.journal.load();
    if (record.dropped === undefined) return await make(run, record, drive);
    if (await hasRecovery(run)) return { kind: 'parked', why: 'a recovery has its name: nothing is removed' };
    await endOpenAttempt(run, drive, record.dropped.why);
    const left = await removeMade(run);
    return left === null ? { kind: 'removed' } : { kind: 'parked', why: left };
  } catch (error) {
    if (error instanceof HoldDecided) {
      const kind = record.dropped === undefined ? 'failed' : 'parked';
      return { kind, why: `${error.reason}: ${error.message}` };
    }
    if (run.signal.aborted || error instanceof IntentGone || isOperationError(error))
      return { kind: 'parked', why: error instanceof Error ? error.message : String(error) };
    throw error;
  }
}

/**
 * **S** (S31) Under the name of a recovery, open or ended, stands what that one has made. The
 * writes of both exclude one another; this looks again before anything is ended.
 */
async function hasRecovery(run: Run): Promise<boolean> {
  const { kv, keys } = run.parts;
  const { member, opId } = run.record;
  const [intent, ended] = await Promise.all([kv.get(keys.intent(member)), kv.get(keys.historyEntry(member, opId))]);
  // One that cannot be read counts as this name's.
  return ended !== null || (intent !== null && isNamed(intent, opId));
}

function isNamed({ key, value }: KvEntry, opId: string): boolean {
  try {
    return parseRecord(IntentRecordSchema, key, value).opId === opId;
  } catch {
    return true;
  }
}

/**
 * **S** (S31) What may hold a place is not kept: its removal looks for it until nothing can land.
 */
const PLACE_OPEN: PreparationOutcome = { kind: 'failed', why: 'it is not known whether a reservation is there' };

async function make(run: Run, { makes }: PreparationRecord, drive: DriveStep): Promise<PreparationOutcome> {
  const table = preparedSteps(makes);
  for (;;) {
    run.signal.throwIfAborted();
    const states = run.journal.states();
    const failed = [...states].find(([, state]) => state === 'failed');
    if (failed) return { kind: 'failed', why: `${failed[0]} has failed` };
    const ready = readySteps(states, table);
    if (ready.length === 0) return isPlaceOpen(run.journal.get(RESERVE)) ? PLACE_OPEN : { kind: 'made' };
    await allOf(
      run,
      ready.map((key) => drive(run, key)),
    );
  }
}

class StepBesideEnded extends Error {
  override readonly name = 'StepBesideEnded';
}

/** The first error ends all; nobody is left running behind. */
async function allOf(run: Run, works: readonly Promise<void>[]): Promise<void> {
  try {
    await Promise.all(works);
  } catch (error) {
    run.stop(new StepBesideEnded('a step beside ended the run'));
    await Promise.allSettled(works);
    throw error;
  }
}
