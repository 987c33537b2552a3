import type { RecoveryPlan, StepName } from '@understudy/shared';

/** One resumable unit of a recovery, as it is keyed in the journal. */
export interface StepKey {
  readonly name: StepName;
  /** Last part of the journal key: `fence`, `launch-2`, `address-eipalloc-…`. */
  readonly id: string;
  /** Attempt number of permit, launch, verify and revoke; 0 elsewhere. */
  readonly attempt: number;
  /** Of an address step; empty elsewhere. */
  readonly allocationId: string;
}

export type StepState = 'started' | 'done' | 'failed';
export type StepStates = ReadonlyMap<string, StepState>;

interface StepRow {
  readonly name: StepName;
  readonly per: 'recovery' | 'attempt' | 'address';
  /** Ids of the steps that must be done first. */
  needs(attempt: number, plan: RecoveryPlan): readonly string[];
  /**
   * Runs only when one of these has failed (ending an attempt); absent: runs when nothing of its
   * attempt has failed.
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
  { name: 'address', per: 'address', needs: () => ['activate'] },
  { name: 'done', per: 'recovery', needs: (_n, plan) => ['activate', ...plan.addresses.map(addressStepId)] },
];

const addressStepId = (address: { readonly allocationId: string }): string => `address-${address.allocationId}`;

/**
 * The attempt that is open: the one after the last that was ended by its revoke step. Counts from
 * 1. Attempts follow each other strictly, so the records of those that made nothing may be gone.
 */
export function currentAttempt(states: StepStates): number {
  let ended = 0;
  for (const [step, state] of states) {
    const number = state === 'done' ? /^revoke-(\d+)$/.exec(step)?.[1] : undefined;
    ended = Math.max(ended, Number(number ?? 0));
  }
  return ended + 1;
}

function keysOf(row: StepRow, attempt: number, plan: RecoveryPlan): StepKey[] {
  const key = (id: string): StepKey => ({ name: row.name, id, attempt: 0, allocationId: '' });
  switch (row.per) {
    case 'recovery':
      return [key(row.name)];
    case 'attempt':
      return [{ ...key(`${row.name}-${attempt}`), attempt }];
    case 'address':
      return plan.addresses.map((address) => ({ ...key(addressStepId(address)), allocationId: address.allocationId }));
  }
}

/**
 * The steps that may run now, given what the journal says. Empty only when everything up to `done`
 * is done.
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
