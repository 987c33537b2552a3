import { readStepId, type StepKey, stepKey } from './step-id.ts';

export type StepState = 'started' | 'done' | 'failed';
export type StepStates = ReadonlyMap<string, StepState>;

/** One step of a strategy: what must be done before it. */
export interface StepRow {
  readonly step: { readonly name: string; readonly per: 'recovery' | 'attempt' | 'item' };
  /** Ids of the steps that must be done first. */
  needs(attempt: number): readonly string[];
  /**
   * The step runs only when one of these has failed (it ends an attempt). Absent: it runs when
   * nothing of its attempt has failed.
   */
  failedOf?(attempt: number): readonly string[];
  /** It closes the recovery, beside the last row. Absent: it does not. */
  readonly closes?: true;
  /** What a step per item is done for; absent: it is none. */
  readonly items?: readonly string[];
}

/**
 * The attempt that is open: the one after the last that was ended by its revoke step. Counts from
 * 1. Attempts follow each other strictly, so the records of those that made nothing may be gone.
 */
export function currentAttempt(states: StepStates): number {
  let ended = 0;
  for (const [id, state] of states) {
    const { name, attempt } = readStepId(id);
    if (name === 'revoke' && state === 'done') ended = Math.max(ended, attempt);
  }
  return ended + 1;
}

/** The keys of a row in this attempt. */
export function keysOf({ step, items = [] }: StepRow, attempt: number): readonly StepKey[] {
  switch (step.per) {
    case 'recovery':
      return [stepKey(step.name)];
    case 'attempt':
      return [stepKey(step.name, attempt)];
    case 'item':
      return items.map((item) => stepKey(step.name, item));
  }
}

/**
 * The steps that may run now, given what the journal says, in the order of the table. Rows whose
 * needs are met run side by side. Empty only when
 * everything is done.
 */
export function readySteps(states: StepStates, table: readonly StepRow[]): readonly StepKey[] {
  const attempt = currentAttempt(states);
  const isDone = (id: string) => states.get(id) === 'done';
  return table.flatMap((row) => {
    if (!row.needs(attempt).every(isDone)) return [];
    if (row.failedOf && !row.failedOf(attempt).some((id) => states.get(id) === 'failed')) return [];
    return keysOf(row, attempt).filter(({ id }) => states.get(id) === undefined || states.get(id) === 'started');
  });
}
