import { mayHaveEnded } from '../core/predecessor.ts';
import type { Run } from '../run.ts';
import type { RecoveryState } from '../strategy.ts';
import { fencedBy } from './fenced-by.ts';
import { VACATE } from './vacate-record.ts';

type Parts = Pick<Run, 'journal'>;

/** It is known that the old instance has ended, by itself or by us. */
export const hasEnded = (run: Parts): boolean =>
  fencedBy(run) === 'terminated' || run.journal.get(VACATE)?.result?.how === 'terminated';

/**
 * **S** (S32) A call of this recovery may have ended the old instance, or may yet: nothing is given
 * back to it, and nobody starts it.
 */
export function mayBeEnded({ journal }: Pick<RecoveryState, 'journal'>): boolean {
  const vacate = journal.get(VACATE);
  if (!vacate) return false;
  if (vacate.result) return vacate.result.how !== 'left';
  return mayHaveEnded({ sent: vacate.sends.terminate ?? 0, refused: vacate.noted?.refused ?? [] });
}

/** It was told, or was about to be, that its disks outlive it. */
export const disksOutlive = ({ journal }: Parts): boolean => journal.get(VACATE) !== null;
