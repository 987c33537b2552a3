import { HOOK_STEP, hooksOf } from '../core/hook-rows.ts';
import { stepKey } from '../core/step-id.ts';
import type { Run } from '../run.ts';
import type { DriveStep } from './end-attempt.ts';

/**
 * Runs the hooks of a recovery that ends without a replacement, before its journal goes. They never
 * hold. Resumable: those that have run are in the journal.
 * @throws IntentGone, LEASE_LOST, STORE_*
 */
export async function runFailureHooks(run: Run, drive: DriveStep): Promise<void> {
  for (const hook of hooksOf(run.policy).filter((one) => one.at === 'on-failure')) {
    const key = stepKey(HOOK_STEP.name, hook.name);
    if (run.journal.states().get(key.id) !== 'done') await drive(run, key);
  }
}
