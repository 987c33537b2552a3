import type { RecoveryPlan } from '@understudy/shared';
import { followingAddress } from '../core/predecessor.ts';
import type { StepRow } from '../core/step-table.ts';
import { VACATE } from '../steps/vacate-record.ts';

/**
 * Ends the predecessor where its primary private address follows. **S** (S32) Only once `secured`
 * is done: the fence, and everything that brings its data to its successor.
 */
export const vacateRows = (plan: RecoveryPlan, secured: readonly string[]): readonly StepRow[] =>
  followingAddress(plan) ? [{ step: VACATE, needs: () => secured }] : [];

/**
 * **S** (S32) What a permit waits for, so that nothing is launched beside a predecessor that ends.
 */
export const afterVacating = (plan: RecoveryPlan): readonly string[] => (followingAddress(plan) ? [VACATE.name] : []);
