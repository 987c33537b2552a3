import { stepId, type StepKey, stepKey } from '../core/step-id.ts';
import { currentAttempt } from '../core/step-table.ts';
import type { JournalChange } from '../journal.ts';
import type { Run } from '../run.ts';
import type { StepRecord } from '../step-record.ts';
import { LAUNCH, VERIFY } from '../steps/attempt-records.ts';

/** Drives one step to its end; the engine's. */
export type DriveStep = (run: Run, key: StepKey) => Promise<void>;

/**
 * **S** Ends the attempt that is open in the ordinary way (S7, S14): its furthest step is marked as
 * failed by a guarded write, then `revoke` sees its instance terminated and its permit gone, so
 * that no launch of it is alive or can land late. A launch that happened after all is found by
 * `revoke`, and ended too. Nothing was begun: nothing to do. Resumable at every line.
 * @throws HoldDecided, IntentGone, LEASE_LOST, STORE_*
 */
export async function endOpenAttempt(run: Run, drive: DriveStep, text: string): Promise<void> {
  for (;;) {
    run.signal.throwIfAborted();
    const states = run.journal.states();
    const attempt = currentAttempt(states);
    if (!states.has(stepId('permit', attempt))) return;
    const failed = ['permit', 'launch', 'verify'].some((name) => states.get(stepId(name, attempt)) === 'failed');
    if (!failed && !(await markFailed(run, attempt, text))) {
      await run.journal.load();
      continue;
    }
    await drive(run, stepKey('revoke', attempt));
  }
}

/** `false`: the journal is not what we knew. */
async function markFailed(run: Run, attempt: number, text: string): Promise<boolean> {
  const { journal } = run;
  const error = { code: 'EndedByOperator', text };
  const launched = journal.get(LAUNCH, attempt)?.result;
  const write = async <R extends StepRecord>(step: string, change: JournalChange<R>) =>
    (await journal.write<R>(step, change)).kind === 'written';
  if (launched && 'instanceId' in launched) {
    const request = { instanceId: launched.instanceId };
    return write<typeof VERIFY>(stepId('verify', attempt), {
      state: 'failed',
      request,
      result: { failure: 'instance' },
      error,
    });
  }
  // With the permit made, its id is what `revoke` needs: it stays in the permit's own record.
  const step = journal.states().get(stepId('permit', attempt)) === 'done' ? 'launch' : 'permit';
  return write<typeof LAUNCH>(stepId(step, attempt), { state: 'failed', result: { failure: 'capacity' }, error });
}
