import { isOperationError } from '@understudy/shared';
import { failureHooksOf, HOOK_STEP } from '../core/hook-rows.ts';
import { stepKey } from '../core/step-id.ts';
import { IntentGone } from '../journal.ts';
import type { Run } from '../run.ts';
import type { DriveStep } from './end-attempt.ts';

/**
 * Does the rest of giving up while the failure hooks run: it waits for none of them. What has run
 * stands in the journal; what has not by the end is owed by the history, and begun again from there
 * under the same id. @throws what `rest` throws
 */
export async function withFailureHooks(run: Run, drive: DriveStep, rest: () => Promise<void>): Promise<void> {
  const states = run.journal.states();
  const keys = failureHooksOf(run.policy).map((hook) => stepKey(HOOK_STEP.name, hook.name));
  const open = keys.filter(({ id }) => states.get(id) !== 'done');
  const hooks = Promise.all(open.map((key) => drive(run, key))).then(
    () => null,
    (error: unknown) => (isExpected(error, run) ? null : error),
  );
  try {
    await rest();
  } finally {
    run.stop(new IntentGone('the recovery has ended, or is held'));
  }
  const broken = await hooks;
  if (broken !== null) throw broken;
}

/** The recovery has ended beside it, or whoever leads next begins it again. */
const isExpected = (error: unknown, run: Run): boolean =>
  run.signal.aborted || isOperationError(error) || error instanceof IntentGone;
