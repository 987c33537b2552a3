import { type GroupPolicy, groupOf, isUndo, type MemberId, zonesCalledLost } from '@understudy/shared';
import { journalFacts } from '@understudy/recovery';
import type { ClusterState } from '../store/cluster-state.ts';
import type { WatchedMember } from '@understudy/observer';

/** Predecessors and replacements named to the observer per member. It keeps no more anyway. */
const KNOWN_MAX = 4;

function knownInstances(view: ClusterState, member: MemberId): readonly string[] {
  const { intents, journals, history } = view.records;
  const intent = intents.get(member)?.record;
  const journal = [...((intent && journals.get(intent.opId)?.values()) ?? [])].map((one) => one.record);
  const launched = journalFacts(journal).launched.map((one) => one.instanceId);
  const newest = [...(history.get(member)?.values() ?? [])]
    .sort((a, b) => b.record.endedAtWallMs - a.record.endedAtWallMs)
    .map(({ record }) => record.oldInstanceId);
  // It has to be heard before it can be activated again.
  const returning = intent && isUndo(intent.plan) ? [intent.plan.undo.instanceId] : [];
  return [...returning, ...launched, ...(intent ? [intent.oldInstanceId] : []), ...newest].slice(0, KNOWN_MAX);
}

/**
 * Members that the observer is to watch: every one that is enrolled or activated. A member whose
 * records cannot be read is still listened to.
 */
export function rosterOf(view: ClusterState, wallNowMs: number): readonly WatchedMember[] {
  const { members, activations, intents } = view.records;
  const all = new Set<MemberId>([...members.keys(), ...activations.keys(), ...intents.keys()]);
  return [...all].map((member) => {
    const policy = view.policyOf(groupOf(member));
    const { suspectAfterMs, confirmForMs, heartbeatIntervalMs, serviceProbes, answeredProbesHoldForMs } = policy.detect;
    const activatedInstanceId = activations.get(member)?.record.instanceId ?? null;
    const enrolled = members.get(member)?.record;
    // The record of a member names the zone of its predecessor for a moment.
    const az = enrolled?.instanceId === activatedInstanceId ? enrolled?.az : undefined;
    return {
      member,
      suspectAfterMs,
      confirmForMs,
      heartbeatIntervalMs,
      activatedInstanceId,
      knownInstanceIds: knownInstances(view, member),
      serviceProbes,
      answeredProbesHoldForMs,
      ...saidLost(policy, az, wallNowMs),
    };
  });
}

/** What a person says of the zone of a member; {}: nothing. */
function saidLost(
  policy: Pick<GroupPolicy, 'guard'>,
  az: string | undefined,
  wallNowMs: number,
): Pick<WatchedMember, 'saidLostForMs' | 'saidPartlyLost'> {
  const said = zonesCalledLost(policy, wallNowMs).filter((one) => one.zone === az);
  if (said.length === 0) return {};
  const saidLostForMs = Math.max(...said.map((one) => Date.parse(one.until))) - wallNowMs;
  return { saidLostForMs, ...(said.some((one) => one.partly) && { saidPartlyLost: true }) };
}
