import { type CoordinatorRecord, type DrainRecord, type Problem, problemOf, type WallMs } from '@understudy/shared';
import type { ObserverMinimum } from '../commands/command.ts';
import { tooFew } from '../commands/drains.ts';
import { drainedAt, isDrainInForce } from '../policy/drains.ts';
import type { ClusterState } from '../store/cluster-state.ts';

type Records = Pick<ClusterState['records'], 'root' | 'drains' | 'coordinators' | 'unreadable'>;

/** Every drain in force, so that none is forgotten, and whether enough observers are left. */
export function drainProblems(records: Records, minimum: ObserverMinimum, nowWallMs: WallMs): readonly Problem[] {
  const inForce = [...records.drains.values()].filter(({ record }) => isDrainInForce(record, nowWallMs));
  if (inForce.length === 0) return [];
  const drained = drainedAt(records, nowWallMs);
  const left = [...records.coordinators.values()]
    .map(({ record }) => record)
    .filter(({ coordinatorId }) => !drained.has(coordinatorId));
  const margin = marginText(left, minimum);
  return inForce.map(({ record }) => problemOf('COORDINATOR_DRAINED', `${drainText(record)}${margin}`));
}

function drainText({ coordinatorId, who, why, sinceWallMs, untilWallMs }: DrainRecord): string {
  const end = untilWallMs === null ? 'without an end' : `until ${instant(untilWallMs)}`;
  return `${coordinatorId} is drained since ${instant(sinceWallMs)} by ${who}, ${end} (${why})`;
}

function marginText(left: readonly CoordinatorRecord[], minimum: ObserverMinimum): string {
  const fault = tooFew(left, minimum);
  if (fault !== null) return `; ${fault.replace('would be left', 'are left')}: nobody is called dead`;
  const worst = left
    .map((lost) =>
      tooFew(
        left.filter((one) => one !== lost),
        minimum,
      ),
    )
    .find((one) => one !== null);
  return worst === undefined ? '' : `; with one more loss ${worst}, and nobody would be called dead`;
}

const instant = (wallMs: number): string => new Date(wallMs).toISOString();
