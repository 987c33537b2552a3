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

/** True while the pause is in force. Its end is no longer part of it. */
export const isInForce = ({ untilWallMs }: ActivePause, nowWallMs: WallMs): boolean =>
  untilWallMs === null || untilWallMs > nowWallMs;

/**
 * **S** True when this pause holds this member now. The gate asks it, and so does each view that
 * shows pauses: the same rule decides what is shown and what is done.
 */
export const pauseHolds = (pause: ActivePause, member: MemberId, nowWallMs: WallMs): boolean =>
  isInForce(pause, nowWallMs) && scopesOf(member).includes(pause.scope);
