import { isUndo, LEVEL_OF } from '@understudy/shared';
import { keysOf, type StepRow } from '../core/step-table.ts';
import { makeUndoPlan } from '../core/undo/undo-plan.ts';
import { ACTIVATE } from '../steps/activate-record.ts';
import { VERIFY } from '../steps/attempt-records.ts';
import { DONE } from '../steps/done.ts';
import { FENCE } from '../steps/fence-record.ts';
import { MEND, RESTART } from '../steps/in-place-records.ts';
import { BRINGBACK, STANDDOWN } from '../steps/undo-records.ts';
import { stepId } from '../core/step-id.ts';
import type { Strategy } from '../strategy.ts';
import { MAKES_NOTHING } from './in-place-plan.ts';
import { moveRows } from './move-rows.ts';

/** Where one of these has failed, everything is put back as the undo found it. */
const failedOf = (attempt: number): readonly string[] => ['bringback', stepId('verify', attempt)];

const idsOf = (rows: readonly StepRow[]): readonly string[] =>
  rows.flatMap((row) => keysOf(row, 0).map((key) => key.id));

/**
 * Puts a recovery back: fences the instance in charge, starts the retired one, sees it pass,
 * activates it under an ordinal of its own, and moves the identity back. **S** (S30) The order is
 * that of every recovery (S4, S8): nothing of the retired instance begins before the observed fence
 * of the other one, and nothing moves before the activation.
 */
export const undo: Strategy = {
  ...MAKES_NOTHING,
  name: 'undo',
  level: LEVEL_OF.undo,
  plan: (input, policy) => makeUndoPlan(input, policy),
  fault: (plan) => (isUndo(plan) ? null : 'it is not complete'),
  steps: (plan, seams) => {
    const moves = moveRows(plan, seams);
    return [
      { step: FENCE, needs: () => [] },
      { step: BRINGBACK, needs: () => ['fence'] },
      { step: VERIFY, needs: () => ['bringback'] },
      { step: STANDDOWN, needs: () => ['fence'], failedOf },
      { step: RESTART, needs: () => ['standdown'], failedOf },
      { step: MEND, needs: () => ['restart'], failedOf, closes: true },
      { step: ACTIVATE, needs: (n) => [stepId('verify', n)] },
      ...moves,
      { step: DONE, needs: () => ['activate', ...idsOf(moves)] },
    ];
  },
};
