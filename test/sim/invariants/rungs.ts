import { IntentRecordSchema, parseRecord } from '@understudy/shared';
import { beginsRecovery, type MakeWatcher } from './invariant.ts';

/** Recoveries of one instance within this time belong to one failure (docs/ladder.md). */
const SAME_FAILURE_MS = 1_800_000;
/** A leader whose wall clock is ahead may forget a way that was tried, and take it once more. */
const TIMES_MAX = 2;

/**
 * I8, for what goes on with a failure and takes no token of the budget: each way is taken once, but
 * for what a person asks for.
 */
export const watchRungs: MakeWatcher = (cluster, report) => {
  const begunAtMs = new Map<string, readonly number[]>();
  return {
    onClusterEvent(clusterEvent, nowMs) {
      if (clusterEvent.kind !== 'commit') return;
      for (const write of clusterEvent.commit.txn.writes) {
        if (write.kind !== 'put' || !beginsRecovery(cluster, clusterEvent.commit, write)) continue;
        const { member, oldInstanceId, opId, plan } = parseRecord(IntentRecordSchema, write.key, write.value);
        if (cluster.operators.haveAskedFor(opId)) continue;
        const key = `${oldInstanceId} ${plan.strategy}`;
        const lately = [...(begunAtMs.get(key) ?? []).filter((atMs) => nowMs - atMs < SAME_FAILURE_MS), nowMs];
        begunAtMs.set(key, lately);
        if (lately.length > TIMES_MAX)
          report(
            'I8',
            `${member} is recovered by ${plan.strategy} ${lately.length} times for one failure of ${oldInstanceId}`,
          );
      }
    },
  };
};
