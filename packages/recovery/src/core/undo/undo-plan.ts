import { type GroupPolicy, invariant, isUndo, type RecoveryPlan, type UndoPlan } from '@understudy/shared';
import { carriedIdentityOf, keptPlanOf } from '../fidelity/carried.ts';
import type { Finding } from '../finding.ts';
import { NAMED_BY_NOTHING, namedPlanOf } from '../named-by.ts';
import type { PlanInput } from '../plan-input.ts';
import { plannedVolumes } from '../planned-volumes.ts';
import type { PlanResult } from '../plan.ts';
import { decideUndo, type Undoable } from './undo-decision.ts';

/** For a step that only an undo has in its table. */
export function undoPlanOf(plan: RecoveryPlan): UndoPlan {
  invariant(isUndo(plan), `a plan of ${plan.strategy} undoes nothing`);
  return plan;
}

/**
 * The plan that puts the last recovery back, from what EC2 shows of the instance in charge
 * (`input`) and of the retired one (`input.undo`). Pure: same input, same plan.
 */
export function makeUndoPlan(input: PlanInput, policy: GroupPolicy): PlanResult<UndoPlan> {
  const blocked = (problem: Finding): PlanResult<UndoPlan> => ({ kind: 'blocked', problems: [problem] });
  if (input.undo === undefined)
    return blocked({ code: 'NothingToUndo', text: 'an undo is begun by a person: understudy undo MEMBER' });
  const verdict = decideUndo(input.undo);
  if (verdict.kind === 'refused') return blocked(verdict.problem);
  return { kind: 'plan', problems: [], plan: planOf(input, policy, verdict.undo) };
}

function planOf(input: PlanInput, policy: GroupPolicy, undo: Undoable): UndoPlan {
  const { undone, retained, networkInterfaceId, subnetId, leftovers, servedSinceWallMs } = undo;
  const { instanceId, az, instanceType } = retained;
  const candidates = [{ subnetId, az, instanceType }];
  const volumes = plannedVolumes(input.instance, input.volumes);
  const circumstances = {
    ...{ input, policy, typeBound: [] },
    placements: { candidates, skipped: [], leaveAz: null },
    disks: { kind: 'chosen', volumes } as const,
  };
  const carried = { ...keptPlanOf(circumstances), ...carriedIdentityOf(circumstances), candidates };
  const { losses, ...named } = namedPlanOf(input.namedBy ?? NAMED_BY_NOTHING, input.instance, carried);
  const { candidates: _, ...kept } = carried;
  return {
    strategy: 'undo',
    policy,
    ...kept,
    ...named,
    losses: [...losses, ...lossesOf(input, undo)],
    undo: {
      ...{ opId: undone.opId, instanceId, networkInterfaceId, subnetId, az, servedSinceWallMs },
      ordinal: undone.ordinal + 1,
      volumeIds: undone.undo?.volumeIds ?? [],
      leftovers: [...leftovers],
      ...(undone.undo?.stopMayLand && { stopMayLand: true }),
    },
  };
}

const lossesOf = ({ instance }: PlanInput, { servedSinceWallMs, retained }: Undoable): readonly Finding[] => [
  {
    code: 'WritesSinceActivationLost',
    text: `all that ${instance.instanceId} has written since ${new Date(servedSinceWallMs).toISOString()}: its disks stay with it, and ${retained.instanceId} has its own`,
  },
];
