import { IntentRecordSchema, parseRecord } from '@understudy/shared';
import { Health } from './health.ts';
import type { MakeWatcher } from './invariant.ts';

/** I9: whoever is failed over was in trouble for at least as long as a suspicion takes to be confirmed, and not because somebody wanted it. */
export const watchFailovers: MakeWatcher = (world, report) => {
  const health = new Health(world);
  return {
    witness(happening) {
      if (happening.kind !== 'commit') return;
      for (const write of happening.commit.txn.writes) {
        if (write.kind !== 'put' || !write.key.startsWith(world.keys.intents)) continue;
        const { member, oldInstanceId, plan } = parseRecord(IntentRecordSchema, write.key, write.value);
        const troubleMs = health.longestTroubleMs(oldInstanceId);
        if (troubleMs < plan.policy.confirmForMs)
          report(
            'I9',
            `${member} is failed over, but ${oldInstanceId} was down for ${troubleMs.toFixed(0)} ms at most`,
          );
        if (world.operators.keepDown(oldInstanceId))
          report('I9', `${member} is failed over, but ${oldInstanceId} was well until an operator stopped it`);
      }
    },
  };
};
