import type { MakeWatcher } from './invariant.ts';

/**
 * I11: an opinion is written, or taken away, by the process whose presence lies under its
 * observer's id, and goes when that goes.
 */
export const watchIdentities: MakeWatcher = (cluster, report) => {
  const { keys, kv } = cluster;
  return {
    onClusterEvent(clusterEvent) {
      if (clusterEvent.kind !== 'commit' || clusterEvent.commit.client === null) return;
      const { client, txn } = clusterEvent.commit;
      for (const write of txn.writes) {
        if (write.kind === 'deletePrefix' || !write.key.startsWith(keys.opinions)) continue;
        const observer = write.key.slice(write.key.lastIndexOf('/') + 1);
        const presence = kv.state.get(keys.coordinator(observer));
        const compared = txn.compare.find((one) => one.key === presence?.key);
        const isOurs =
          compared !== undefined && 'modRevision' in compared && compared.modRevision === presence?.modRevision;
        if (!isOurs) report('I11', `${client} writes ${write.key}, and ${observer} is somebody else's, or nobody's`);
        else if (write.kind === 'put' && write.leaseId !== presence?.leaseId)
          report('I11', `${client} writes ${write.key} under another lease than its presence`);
      }
    },
  };
};
