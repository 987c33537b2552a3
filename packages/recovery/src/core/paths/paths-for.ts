import type { GroupPolicy, PlacementCandidate } from '@understudy/shared';
import type { Placements } from '../placement.ts';
import type { PlanInput } from '../plan-input.ts';
import { choosePaths, type PathChoice } from './choose-paths.ts';
import { diskFactsOf } from './disk-facts.ts';
import { SEEDED } from './path-options.ts';

/** What a strategy can do with disks. */
export interface OfferedPaths {
  /** Names of paths. */
  readonly offered: readonly string[];
  /** Absent: it may launch in another zone than that of the disks. */
  readonly staysInZone?: true;
}

export const SNAPSHOTS_ONLY: OfferedPaths = { offered: ['snapshot'] };

interface PathsInput extends OfferedPaths {
  readonly input: PlanInput;
  readonly policy: GroupPolicy;
  readonly placements: Placements;
  readonly leaveAz: string | null;
}

/** The paths of all disks of the failed instance. Pure. */
export function pathsFor({ input, policy, placements, leaveAz, offered, staysInZone }: PathsInput): PathChoice {
  const { volumes } = policy.recover;
  return choosePaths(diskFactsOf(input, volumes, leaveAz), {
    ...{ offered, policy: volumes, nowWallMs: input.readAtWallMs },
    candidates: placements.candidates,
    staysInZone: staysInZone ?? false,
  });
}

/** A disk that moves itself cannot leave its zone: what is elsewhere is no place for it. */
export function withinZone(placements: Placements, { az, choice }: { az: string; choice: PathChoice }): Placements {
  const stays = choice.kind === 'chosen' && choice.volumes.some(({ path }) => path !== undefined && SEEDED.has(path));
  if (!stays) return placements;
  const { candidates, otherwise } = placements;
  const inside = (all: readonly PlacementCandidate[]) => all.filter((one) => one.az === az);
  return { ...placements, candidates: inside(candidates), ...(otherwise && { otherwise: inside(otherwise) }) };
}
