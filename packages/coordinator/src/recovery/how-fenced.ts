import type { Run } from './run.ts';
import type { ResultOf } from './step-shapes.ts';

/** How the old instance was proven unable to act, by the journal; null: it is not, yet. */
export const howFenced = ({ journal }: Pick<Run, 'journal'>): ResultOf<'fence'>['how'] | null =>
  journal.get('fence', 'fence')?.result?.how ?? null;
