import { invariant, isUndo } from '@understudy/shared';
import { currentAttempt } from '../core/step-table.ts';
import type { Run } from '../run.ts';
import { LAUNCH, PERMIT } from './attempt-records.ts';

type Known = Pick<Run, 'journal' | 'plan'>;

/** The primary network interface of the activated replacement. */
export function replacementInterfaceOf({ journal, plan }: Known): string {
  if (isUndo(plan)) return plan.undo.networkInterfaceId;
  const attempt = currentAttempt(journal.states());
  const request = journal.get(LAUNCH, attempt)?.request;
  invariant(request, `launch ${attempt} is not recorded`);
  return request.networkInterfaceId;
}

/** Where the replacement is: subnet and zone of its primary interface. */
export function replacementPlaceOf({ journal, plan }: Known): { readonly subnetId: string; readonly az: string } {
  if (isUndo(plan)) return plan.undo;
  const attempt = currentAttempt(journal.states());
  const permit = journal.get(PERMIT, attempt)?.request;
  invariant(permit, `permit ${attempt} is not recorded`);
  return permit.candidate;
}
