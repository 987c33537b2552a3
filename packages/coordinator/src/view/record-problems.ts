import { type MemberId, type Problem, problemOf, type WallMs } from '@understudy/shared';
import { pauseHolds } from '../core/judge/index.ts';
import type { ClusterView } from './cluster-view.ts';

/** Unreadable records that are shown one by one; the metric counts all of them. */
const SHOWN_MAX = 50;

/** Whom we know by any record of theirs. */
export function knownMembers({ mirror }: ClusterView): ReadonlySet<MemberId> {
  return new Set([...mirror.members.keys(), ...mirror.activations.keys(), ...mirror.intents.keys()]);
}

/** How many members a pause holds now. */
export function heldBy(view: ClusterView, pause: Parameters<typeof pauseHolds>[0], nowWallMs: WallMs): number {
  let count = 0;
  for (const member of knownMembers(view)) if (pauseHolds(pause, member, nowWallMs)) count++;
  return count;
}

/** What a person should mend in etcd: records that cannot be read, and pauses of nobody. */
export function recordProblems(view: ClusterView, nowWallMs: WallMs): readonly Problem[] {
  const unreadable = [...view.mirror.unreadable.values()].slice(0, SHOWN_MAX).map(({ key, text }) => {
    const held = key.startsWith(`${view.mirror.root}pauses/`)
      ? '; until it is corrected it pauses what its key names, or everything'
      : '';
    return problemOf('RECORD_UNREADABLE', `${text}${held}`);
  });
  const ofNobody = view
    .pausesInForce(nowWallMs)
    .filter((pause) => pause.scope !== 'global' && heldBy(view, pause, nowWallMs) === 0)
    .map(({ scope, who }) =>
      problemOf('PAUSE_OF_NOBODY', `pauses/${scope} (by ${who}) names no group or member that is known`),
    );
  return [...unreadable, ...ofNobody];
}
