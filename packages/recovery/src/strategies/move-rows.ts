import type { RecoveryPlan } from '@understudy/shared';
import type { StepRow } from '../core/step-table.ts';
import type { Seams } from '../strategy.ts';

/**
 * The rows of the identity moves, one an item, because each item may have to wait for another one:
 * an Elastic IP for the secondary address that it is on. **S** (S8) None runs before the
 * activation.
 */
export const moveRows = (plan: RecoveryPlan, { identityMoves }: Seams): readonly StepRow[] =>
  identityMoves.flatMap((move) =>
    move.itemsOf(plan).map((item): StepRow => {
      const before = move.needs?.(plan, item) ?? [];
      return { step: move.record, items: [item], needs: () => ['activate', ...before] };
    }),
  );
