import type { Run } from '../run.ts';
import type { ResultOf } from '../step-record.ts';
import { FENCE } from './fence-record.ts';

/** How the old instance is known to be unable to act; null: it is not known yet. */
export const fencedBy = (run: Pick<Run, 'journal'>): ResultOf<typeof FENCE>['how'] | null =>
  run.journal.get(FENCE)?.result?.how ?? null;

/** The fence has taken stop protection off, or was about to, and the instance is still there. */
export const takesProtectionOff = (run: Pick<Run, 'journal' | 'plan'>): boolean =>
  run.plan.protection.stop && run.journal.get(FENCE) !== null && fencedBy(run) !== 'terminated';
