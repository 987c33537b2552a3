import { beginsRecovery, type MakeWatcher } from './invariant.ts';

/**
 * I8: intents within any stretch of time are at most the burst and what the rate gives back
 * meanwhile.
 */
export const watchBudget: MakeWatcher = (cluster, report) => {
  const guard = cluster.hosts[0]?.config.guard;
  if (!guard) throw new Error('a cluster without coordinators');
  const { budgetPerMinute, budgetBurst } = guard;
  const beganAtMs: number[] = [];
  return {
    onClusterEvent(clusterEvent, nowMs) {
      if (clusterEvent.kind !== 'commit') return;
      const { commit } = clusterEvent;
      if (!commit.txn.writes.some((write) => beginsRecovery(cluster, commit, write))) return;
      beganAtMs.push(nowMs);
      for (const [index, fromMs] of beganAtMs.entries()) {
        const count = beganAtMs.length - index;
        // The guard counts on wall clocks, which may run one per cent off.
        const allowed = budgetBurst + (((nowMs - fromMs) * 1.02) / 60_000) * budgetPerMinute + 0.02;
        if (count > allowed) report('I8', `${count} recoveries within ${((nowMs - fromMs) / 1_000).toFixed(1)} s`);
      }
      while (beganAtMs.length > 50) beganAtMs.shift();
    },
  };
};
