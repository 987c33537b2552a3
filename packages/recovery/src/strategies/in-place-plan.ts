import { type GroupPolicy, type InPlacePlan, LEVEL_OF } from '@understudy/shared';
import { keptPlanOf } from '../core/fidelity/carried.ts';
import { refusalsOf } from '../core/fidelity/table.ts';
import type { Finding } from '../core/finding.ts';
import type { PlanInput } from '../core/plan-input.ts';
import type { PlanResult } from '../core/plan.ts';
import { plannedVolumes } from '../core/planned-volumes.ts';
import type { Strategy } from '../strategy.ts';

/** What would refuse it also where nothing is launched. */
const REFUSES_IN_PLACE: ReadonlySet<string> = new Set([
  ...['ManagedByAutoScaling', 'ManagedByEks', 'ManagedByBeanstalk', 'ManagedByEmr', 'ManagedByFleet'],
  ...['ManagedByOperator', 'SpotInstance', 'RootVolumeMissing', 'VolumeUnknown', 'InstanceGone'],
]);

/** What a way in place adds to what all of them have. */
interface InPlace {
  readonly strategy: InPlacePlan['strategy'];
  readonly losses: (input: PlanInput) => readonly Finding[];
  readonly refusals: (input: PlanInput, policy: GroupPolicy) => readonly Finding[];
}

/** Nothing of the machine is carried anywhere: no attribute is lost but what `losses` says. */
export function inPlacePlan(input: PlanInput, policy: GroupPolicy, own: InPlace): PlanResult<InPlacePlan> {
  const placements = { candidates: [], skipped: [], leaveAz: null };
  const volumes = plannedVolumes(input.instance, input.volumes);
  const disks = { kind: 'chosen', volumes } as const;
  const circumstances = { input, policy, placements, typeBound: [], disks };
  const problems = [
    ...refusalsOf(circumstances).filter((one) => REFUSES_IN_PLACE.has(one.code)),
    ...own.refusals(input, policy),
  ];
  if (problems.length > 0) return { kind: 'blocked', problems };
  const { strategy } = own;
  const plan: InPlacePlan = { strategy, policy, ...keptPlanOf(circumstances), losses: [...own.losses(input)] };
  return { kind: 'plan', problems: [], plan };
}

/** The parts of a strategy that launches nothing and makes nothing. */
export const MAKES_NOTHING: Pick<Strategy, 'launchSources' | 'artefacts' | 'level'> = {
  level: LEVEL_OF.ladder,
  launchSources: () => null,
  artefacts: () => [],
};
