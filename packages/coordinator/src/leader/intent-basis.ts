import { groupOf, type Keyspace, type KvCompare, type MemberId, opIdOf, type RecoveryPlan } from '@understudy/shared';
import { firstSteps, levelNeeded } from '@understudy/recovery';
import { scopesOf } from '../policy/pauses.ts';
import type { ClusterState } from '../store/cluster-state.ts';

/**
 * **S** (S5, S24, S25) The records that every recovery rests on when it begins, whoever has decided
 * it, at the revision they were read; 0: it was not there.
 */
export function recordsBasis(
  view: ClusterState,
  keys: Keyspace,
  member: MemberId,
  plan: RecoveryPlan,
  neededLevel: number = levelNeeded(plan),
): readonly KvCompare[] {
  const { activations, members, pauses, history } = view.records;
  const group = groupOf(member);
  const at = (key: string, stored: { readonly modRevision: number } | undefined): KvCompare => ({
    key,
    modRevision: stored?.modRevision ?? 0,
  });
  const { instanceId = '', ordinal } = activations.get(member)?.record ?? {};
  const opId = opIdOf(instanceId, ordinal);
  const inForce = neededLevel === 1 ? null : view.whileInForce(neededLevel);
  return [
    at(keys.activation(member), activations.get(member)),
    at(keys.member(member), members.get(member)),
    ...(inForce === null ? [] : [inForce]),
    ...[keys.group(group), keys.policy(group)].map((key) => ({ key, modRevision: view.revisionOf(key) })),
    at(keys.historyEntry(member, opId), history.get(member)?.get(opId)),
    // A recovery that begins finds no record to go on with.
    ...firstSteps(plan).map((step) => ({ key: keys.journalStep(opId, step), modRevision: 0 })),
    ...scopesOf(member).map((scope) => at(keys.pause(scope), pauses.get(scope))),
  ];
}
