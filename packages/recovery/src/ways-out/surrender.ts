import { stepKey } from '../core/step-id.ts';
import { HoldDecided } from '../hold.ts';
import type { Run } from '../run.ts';
import { GIVEBACK } from '../steps/giveback-record.ts';
import { givebackRequest } from '../steps/giveback.ts';
import { type DriveStep, endOpenAttempt } from './end-attempt.ts';
import { withFailureHooks } from './failure-hooks.ts';

/** It is being given up: nothing else of it is driven any more. */
export const isSurrendered = ({ journal }: Run): boolean =>
  journal.get(GIVEBACK)?.request?.ends === 'not-mended' && journal.get(GIVEBACK)?.state === 'started';

/** Is it given up for the next way, instead of being held for this? */
export function givesUpOn(run: Run, error: unknown): error is HoldDecided {
  if (!(error instanceof HoldDecided) || run.term.signal.aborted) return false;
  if (run.journal.states().get('activate') !== undefined) return false;
  return run.strategy.givesUpOn?.(run, error.reason) === true;
}

/**
 * Ends a recovery whose way does not lead back, so that the next one can be taken: it is written
 * down first, so that no leader begins another attempt; then the open attempt is ended as ever (S7,
 * S14), everything is put back, and the recovery is closed as not mended. Hooks on failure run
 * beside that.
 * @throws HoldDecided, IntentGone, LEASE_LOST, STORE_*
 */
export async function surrender(run: Run, drive: DriveStep, why: string): Promise<void> {
  if (run.journal.get(GIVEBACK) === null) {
    const request = givebackRequest(run, { ends: 'not-mended', why });
    await run.journal.write<typeof GIVEBACK>(GIVEBACK.name, { state: 'started', request });
    run.parts.log.info('recovery.given_up', { strategy: run.plan.strategy, why });
  }
  await withFailureHooks(run, drive, async () => {
    await endOpenAttempt(run, drive, why);
    await drive(run, stepKey(GIVEBACK.name));
  });
}
