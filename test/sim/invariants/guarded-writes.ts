import { LeaderRecordSchema, parseRecord } from '@understudy/shared';
import type { SimKvCommit } from '@understudy/shared/testing';
import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';
import type { MakeWatcher } from './invariant.ts';

const keyOf = (write: SimKvCommit['txn']['writes'][number]): string =>
  write.kind === 'deletePrefix' ? write.prefix : write.key;

/** What is wrong with a commit that writes a leader's record; null: nothing. */
function fault({ keys, kv, hosts }: SimulatedCluster, { client, txn }: SimKvCommit): string | null {
  const guard = txn.compare.find((one) => one.key === keys.leader && 'createRevision' in one);
  const leader = kv.state.get(keys.leader);
  if (!guard || !('createRevision' in guard)) return 'without comparing the term';
  if (leader?.createRevision !== guard.createRevision) return `in term ${guard.createRevision}, which is over`;
  const { coordinatorId, httpUrl } = parseRecord(LeaderRecordSchema, keys.leader, leader.value);
  // By where it runs: a process may run under the id of another.
  const host = hosts.find(({ node }) => httpUrl.includes(`${node.address}:`));
  return client?.split('.')[0] === host?.id ? null : `by ${client ?? '?'}, but ${coordinatorId} at ${httpUrl} leads`;
}

/**
 * I4: whatever only a leader may write is written in a transaction that compares the term, while
 * that term lasts.
 */
export const watchGuardedWrites: MakeWatcher = (cluster, report) => {
  const { keys } = cluster;
  const free = [keys.coordinators, keys.opinions];
  return {
    onClusterEvent(clusterEvent) {
      if (clusterEvent.kind !== 'commit' || clusterEvent.commit.client === null) return;
      const guarded = clusterEvent.commit.txn.writes
        .map(keyOf)
        .filter((key) => key !== keys.leader && !free.some((area) => key.startsWith(area)));
      if (guarded.length === 0) return;
      const wrong = fault(cluster, clusterEvent.commit);
      if (wrong !== null) report('I4', `${guarded.join(', ')} written ${wrong}`);
    },
  };
};
