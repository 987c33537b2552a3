import { FEATURE_LEVEL, OLDEST_FEATURE_LEVEL, type Problem, problemOf } from '@understudy/shared';

/** What a build of the coordinator understands: every level from `oldest` to `level`. */
export interface Build {
  readonly level: number;
  readonly oldest: number;
}
export const THIS_BUILD: Build = { level: FEATURE_LEVEL, oldest: OLDEST_FEATURE_LEVEL };

/** What etcd says of levels, as of one revision. */
export interface LevelsSeen {
  /** Null: nobody has written one yet. `unreadable`: it may be any. */
  readonly recorded: number | null | 'unreadable';
  /** The level that each live coordinator understands. Null: its presence cannot be read. */
  readonly live: readonly (number | null)[];
}

/**
 * The level in force: what belongs to a higher one must not be written. It is the level that was
 * agreed on, or less while a coordinator is present that does not understand it. A presence that
 * cannot be read may be anybody's: nothing above what this build takes for the least is in force.
 */
export function levelInForce({ recorded, live }: LevelsSeen, build: Build): number {
  const agreed = typeof recorded === 'number' ? recorded : build.oldest;
  return Math.min(agreed, ...live.map((level) => level ?? build.oldest));
}

/**
 * The level that is to be agreed on now. Null: it stays. It is what every live coordinator
 * understands, and never lower than before.
 */
export function levelDue({ recorded, live }: LevelsSeen, build: Build): number | null {
  if (recorded === 'unreadable' || live.length === 0 || live.includes(null)) return null;
  const least = Math.min(build.level, ...live.map((level) => level ?? 0));
  return recorded === null || least > recorded ? least : null;
}

/** Why a build takes no part beside the agreed level. Null: it may. */
export function apartFrom(recorded: LevelsSeen['recorded'], { level, oldest }: Build): Problem | null {
  if (recorded === 'unreadable')
    return problemOf(
      'RECORD_UNREADABLE',
      'level/current: which level was agreed on cannot be told, so we take no part',
    );
  if (recorded === null) return null;
  const ours = level === oldest ? `level ${level} only` : `levels ${oldest} to ${level}`;
  const text = `the coordinators have agreed on feature level ${recorded}, and this build understands ${ours}: it neither leads nor counts`;
  if (recorded > level) return problemOf('BUILD_TOO_OLD', text);
  return recorded < oldest ? problemOf('BUILD_TOO_NEW', text) : null;
}
