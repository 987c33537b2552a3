import { type MemberId, type Problem, problemOf, type WallMs, groupOf } from '@understudy/shared';
import { pauseHolds } from '../policy/pauses.ts';
import type { ObserverTable } from '@understudy/observer';
import { slowAgentText } from '../policy/policy-limits.ts';
import type { UnreadableRecord } from '../store/cluster-records.ts';
import type { ClusterState } from '../store/cluster-state.ts';

/** Unreadable records that are shown one by one. The metric counts all of them. */
const SHOWN_MAX = 50;

/** Members that any record names. */
export function knownMembers({ records }: ClusterState): ReadonlySet<MemberId> {
  return new Set([...records.members.keys(), ...records.activations.keys(), ...records.intents.keys()]);
}

/** How many members a pause holds now. */
export function heldBy(view: ClusterState, pause: Parameters<typeof pauseHolds>[0], nowWallMs: WallMs): number {
  let count = 0;
  for (const member of knownMembers(view)) if (pauseHolds(pause, member, nowWallMs)) count++;
  return count;
}

/**
 * What a person should mend in etcd: records that cannot be read, and pauses of unknown members or
 * groups.
 */
export function recordProblems(view: ClusterState, nowWallMs: WallMs): readonly Problem[] {
  const unreadable = [...view.records.unreadable.values()].slice(0, SHOWN_MAX).map((one) => {
    return problemOf(one.code, `${one.text}${consequence(view, one)}`);
  });
  const ofNobody = view
    .pausesInForce(nowWallMs)
    .filter((pause) => pause.scope !== 'global' && heldBy(view, pause, nowWallMs) === 0)
    .map(({ scope, who }) =>
      problemOf('PAUSE_OF_NOBODY', `pauses/${scope} (by ${who}) names no group or member that is known`),
    );
  const groups = new Set([...knownMembers(view)].map(groupOf));
  const forNobody = [...view.records.groups.keys()]
    .filter((group) => !groups.has(group))
    .map((group) => problemOf('POLICY_OF_NOBODY', `groups/${group} names no group that has a member`));
  return [...unreadable, ...ofNobody, ...forNobody];
}

/** What follows until a person corrects the record. */
function consequence(view: ClusterState, { key, group }: UnreadableRecord): string {
  const { root, policies } = view.records;
  if (key.startsWith(`${root}pauses/`)) return '; it pauses what its key names, or everything';
  if (group === null || !key.startsWith(`${root}groups/`)) return '';
  const good = policies.get(group)?.record;
  return good
    ? `; the policy of before (revision ${good.groupRevision}) stays in force`
    : '; no good policy of the group is known, so its members are held';
}

/** Agents that send too seldom for the policy of their group. */
export const slowAgentProblems = (observer: Pick<ObserverTable, 'slowAgents'>): readonly Problem[] =>
  observer
    .slowAgents()
    .slice(0, SHOWN_MAX)
    .map((slow) => problemOf('HEARTBEATS_TOO_SLOW', slowAgentText(slow)));
