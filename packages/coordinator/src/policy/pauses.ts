import { groupOf, type MemberId, type WallMs } from '@understudy/shared';

export interface ActivePause {
  /** `global`, `group/<group>` or `member/<group>/<member>`. */
  readonly scope: string;
  readonly who: string;
  readonly why: string;
  readonly untilWallMs: number | null;
}

/** Scopes of pauses that hold a member, widest first. */
export const scopesOf = (member: MemberId): readonly string[] => [
  'global',
  `group/${groupOf(member)}`,
  `member/${member}`,
];

/** Is it one now? Its end is no longer part of it. */
export const isInForce = ({ untilWallMs }: ActivePause, nowWallMs: WallMs): boolean =>
  untilWallMs === null || untilWallMs > nowWallMs;

/**
 * **S** Does this pause hold this member now? The gate asks it, and so does whoever shows pauses:
 * what is shown is what is used.
 */
export const pauseHolds = (pause: ActivePause, member: MemberId, nowWallMs: WallMs): boolean =>
  isInForce(pause, nowWallMs) && scopesOf(member).includes(pause.scope);
