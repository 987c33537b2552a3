import type { PlannedVolume, RecoveryPlan } from '@understudy/shared';
import type { RecoveryState, Seams, VolumePath } from '../strategy.ts';

type Paths = Pick<Seams, 'volumePaths'>;

/** The name of the path a volume takes; absent in the plan: `snapshot`. */
export const pathNameOf = (volume: Pick<PlannedVolume, 'path'>): string => volume.path ?? 'snapshot';

/** null: this build has no such path. */
export const pathOf = (volume: PlannedVolume, { volumePaths }: Paths): VolumePath | null =>
  volumePaths.find((one) => one.name === pathNameOf(volume)) ?? null;

/** The paths that volumes of this plan take, each once, in the order of the registry. */
export function pathsOf({ volumes }: RecoveryPlan, { volumePaths }: Paths): readonly VolumePath[] {
  const names = new Set(volumes.map(pathNameOf));
  return volumePaths.filter((one) => names.has(one.name));
}

/** The volumes of the plan that take this path. */
export const volumesOn = (path: string, { volumes }: RecoveryPlan): readonly PlannedVolume[] =>
  volumes.filter((one) => pathNameOf(one) === path);

/** The disks the replacement gets: the plan's, and what the paths have found beside them. */
export const disksOf = (state: RecoveryState, seams: Paths): readonly PlannedVolume[] => [
  ...state.plan.volumes,
  ...pathsOf(state.plan, seams).flatMap((one) => one.beside?.(state) ?? []),
];
