import { groupOf, isUndo, type MemberId } from '@understudy/shared';
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
    const {
      detect: { suspectAfterMs, confirmForMs, heartbeatIntervalMs, serviceProbes, answeredProbesHoldForMs },
      guard: { lostZones = [] },
    } = view.policyOf(groupOf(member));
    const az = members.get(member)?.record.az;
    const untilWallMs = Math.max(0, ...lostZones.filter((one) => one.zone === az).map((one) => Date.parse(one.until)));
    return {
      member,
      suspectAfterMs,
      confirmForMs,
      heartbeatIntervalMs,
      activatedInstanceId: activations.get(member)?.record.instanceId ?? null,
      knownInstanceIds: knownInstances(view, member),
      serviceProbes,
      answeredProbesHoldForMs,
      ...(untilWallMs > wallNowMs && { saidLostForMs: untilWallMs - wallNowMs }),
    };
  });
}
