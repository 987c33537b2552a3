import { IntentRecordSchema, type MemberId, OpinionRecordSchema, parseRecord } from '@understudy/shared';
import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';
import { Health } from './health.ts';
import { beginsRecovery, type MakeWatcher } from './invariant.ts';

/**
 * Observers that are present and whose newest word on this instance is that they hear it: one of
 * them is enough to veto (S10).
 */
function hearing({ kv, keys }: SimulatedCluster, member: MemberId, instanceId: string): readonly string[] {
  return kv
    .entries(`${keys.opinions}${member}/`)
    .map((entry) => parseRecord(OpinionRecordSchema, entry.key, entry.value))
    .filter((one) => one.instanceId === instanceId && one.verdict === 'alive')
    .map((one) => one.observer)
    .filter((observer) => kv.state.get(keys.coordinator(observer)) !== null);
}

/** Keys of pauses that hold the member, whatever their records say: a person has put them there. */
function pausesOf({ kv, keys }: SimulatedCluster, member: MemberId): readonly string[] {
  const [group = ''] = member.split('/');
  return ['global', `group/${group}`, `member/${member}`].map(keys.pause).filter((key) => kv.state.get(key) !== null);
}

/**
 * I9: whoever is failed over was in trouble for at least as long as a suspicion takes to be
 * confirmed, and not because somebody wanted it, nor against a pause.
 */
export const watchFailovers: MakeWatcher = (cluster, report) => {
  const health = new Health(cluster);
  return {
    onClusterEvent(clusterEvent) {
      if (clusterEvent.kind !== 'commit') return;
      for (const write of clusterEvent.commit.txn.writes) {
        if (write.kind !== 'put' || !beginsRecovery(cluster, clusterEvent.commit, write)) continue;
        const { member, oldInstanceId, plan, opId } = parseRecord(IntentRecordSchema, write.key, write.value);
        const voices = hearing(cluster, member, oldInstanceId);
        if (voices.length > 0)
          report('I9', `${member} is failed over, but ${voices.join(' and ')} say in etcd that they hear it`);
        const paused = pausesOf(cluster, member);
        if (paused.length > 0) report('I9', `${member} is failed over, but ${paused.join(' and ')} lies in etcd`);
        const troubleMs = health.longestTroubleMs(oldInstanceId);
        if (troubleMs < plan.policy.detect.confirmForMs)
          report(
            'I9',
            `${member} is failed over, but ${oldInstanceId} was down for ${troubleMs.toFixed(0)} ms at most`,
          );
        if (cluster.operators.keepDown(oldInstanceId) && !cluster.operators.haveAskedFor(opId))
          report('I9', `${member} is failed over, but ${oldInstanceId} was well until an operator stopped it`);
      }
    },
  };
};
