import type { Run } from './run.ts';
import type { ResultOf } from './step-shapes.ts';

/** How the old instance is known to be unable to act; null: it is not known yet. */
export const fencedBy = (run: Pick<Run, 'journal'>): ResultOf<'fence'>['how'] | null =>
  run.journal.get('fence', 'fence')?.result?.how ?? null;
