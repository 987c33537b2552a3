import type { RecoveryPlan } from '@understudy/shared';
import { readStepId, type StepKey, stepId, stepKey } from './step-id.ts';

export type StepState = 'started' | 'done' | 'failed';
export type StepStates = ReadonlyMap<string, StepState>;

interface StepRow {
  readonly name: string;
  readonly per: 'recovery' | 'attempt' | 'item';
  /** Ids of the steps that must be done first. */
  needs(attempt: number, plan: RecoveryPlan): readonly string[];
  /**
   * The step runs only when one of these has failed (it ends an attempt). Absent: it runs when
   * nothing of its attempt has failed.
   */
  failedOf?(attempt: number): readonly string[];
}

/** The order is the safety (S4, S7, S8). Rows whose needs are met run side by side. */
const STEP_TABLE: readonly StepRow[] = [
  { name: 'fence', per: 'recovery', needs: () => [] },
  { name: 'capture', per: 'recovery', needs: () => ['fence'] },
  { name: 'image', per: 'recovery', needs: () => ['capture'] },
  { name: 'permit', per: 'attempt', needs: () => ['fence'] },
  { name: 'launch', per: 'attempt', needs: (n) => ['fence', 'image', `permit-${n}`] },
  { name: 'verify', per: 'attempt', needs: (n) => [`launch-${n}`] },
  {
    name: 'revoke',
    per: 'attempt',
    needs: () => ['fence'],
    failedOf: (n) => [`permit-${n}`, `launch-${n}`, `verify-${n}`],
  },
  { name: 'activate', per: 'recovery', needs: (n) => [`verify-${n}`] },
  { name: 'address', per: 'item', needs: () => ['activate'] },
  { name: 'done', per: 'recovery', needs: (_n, plan) => ['activate', ...plan.addresses.map(addressStepId)] },
];

const addressStepId = (address: { readonly allocationId: string }): string => stepId('address', address.allocationId);

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

function keysOf(row: StepRow, attempt: number, plan: RecoveryPlan): StepKey[] {
  switch (row.per) {
    case 'recovery':
      return [stepKey(row.name)];
    case 'attempt':
      return [stepKey(row.name, attempt)];
    case 'item':
      return plan.addresses.map(({ allocationId }) => stepKey(row.name, allocationId));
  }
}

/**
 * The steps that may run now, given what the journal says. The list is empty only when everything
 * up to `done` is done.
 */
export function readySteps(states: StepStates, plan: RecoveryPlan): readonly StepKey[] {
  const attempt = currentAttempt(states);
  const isDone = (id: string) => states.get(id) === 'done';
  return STEP_TABLE.flatMap((row) => {
    if (!row.needs(attempt, plan).every(isDone)) return [];
    if (row.failedOf && !row.failedOf(attempt).some((id) => states.get(id) === 'failed')) return [];
    return keysOf(row, attempt, plan).filter(({ id }) => states.get(id) === undefined || states.get(id) === 'started');
  });
}

/** Ids of the steps that a recovery by this plan begins with. */
export const firstSteps = (plan: RecoveryPlan): readonly string[] => readySteps(new Map(), plan).map((key) => key.id);
