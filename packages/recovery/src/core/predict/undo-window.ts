import { isUndo, type RecoveryPlan } from '@understudy/shared';
import { launchPlan } from '../launch-plan.ts';
import { followingAddress } from '../predecessor.ts';
import { movesItself } from '../moved-volumes.ts';
import { roughly } from './duration.ts';

/** How long `undo` can put a recovery by this plan back. */
export type UndoWindow =
  /** The member keeps its instance: there is nothing to put back. */
  | { readonly kind: 'in-place' }
  /** The old instance keeps its disks, stopped, for this long after the end. */
  | { readonly kind: 'while-retained'; readonly forMs: number }
  /** It is terminated before its successor runs. */
  | { readonly kind: 'never' }
  /** Its disks move. Once the replacement may write to them there is no older truth. */
  | { readonly kind: 'until-activated'; readonly volumeIds: readonly string[] };

export function undoWindow(plan: RecoveryPlan): UndoWindow {
  const retires = launchPlan(plan) !== null || isUndo(plan);
  if (!retires) return { kind: 'in-place' };
  if (followingAddress(plan)) return { kind: 'never' };
  const moved = plan.volumes.filter(movesItself);
  if (moved.length > 0) return { kind: 'until-activated', volumeIds: moved.map((one) => one.volumeId) };
  return { kind: 'while-retained', forMs: plan.policy.recover.retainForMs };
}

export function undoText(window: UndoWindow): string {
  switch (window.kind) {
    case 'in-place':
      return 'nothing to undo: the member keeps its instance and its disks';
    case 'while-retained':
      return window.forMs === 0
        ? 'no undo: the old instance is not retained (recover.retainForMs is 0)'
        : `undo is possible for ${roughly(window.forMs)} after the end (recover.retainForMs), without what is written meanwhile`;
    case 'never':
      return 'no undo: the old instance is terminated before its successor runs (identity.primaryAddress is follow)';
    case 'until-activated':
      return `no undo once the replacement is activated: ${window.volumeIds.join(', ')} move to it`;
  }
}
