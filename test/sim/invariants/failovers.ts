import { IntentRecordSchema, type MemberId, OpinionRecordSchema, parseRecord } from '@understudy/shared';
import type { World } from '../cluster/world.ts';
import { Health } from './health.ts';
import { beginsRecovery, type MakeWatcher } from './invariant.ts';

/** Observers that are present and whose newest word on this instance is that they hear it: one of them is enough to veto (S10). */
function hearing({ kv, keys }: World, member: MemberId, instanceId: string): readonly string[] {
  return kv
    .entries(`${keys.opinions}${member}/`)
    .map((entry) => parseRecord(OpinionRecordSchema, entry.key, entry.value))
    .filter((one) => one.instanceId === instanceId && one.verdict === 'alive')
    .map((one) => one.observer)
    .filter((observer) => kv.state.get(keys.coordinator(observer)) !== null);
}

/** Keys of pauses that hold the member, whatever their records say: a person has put them there. */
function pausesOf({ kv, keys }: World, member: MemberId): readonly string[] {
  const [group = ''] = member.split('/');
  return ['global', `group/${group}`, `member/${member}`].map(keys.pause).filter((key) => kv.state.get(key) !== null);
}

/** I9: whoever is failed over was in trouble for at least as long as a suspicion takes to be confirmed, and not because somebody wanted it, nor against a pause. */
export const watchFailovers: MakeWatcher = (world, report) => {
  const health = new Health(world);
  return {
    witness(happening) {
      if (happening.kind !== 'commit') return;
      for (const write of happening.commit.txn.writes) {
        if (write.kind !== 'put' || !beginsRecovery(world, happening.commit, write)) continue;
        const { member, oldInstanceId, plan, opId } = parseRecord(IntentRecordSchema, write.key, write.value);
        const voices = hearing(world, member, oldInstanceId);
        if (voices.length > 0)
          report('I9', `${member} is failed over, but ${voices.join(' and ')} say in etcd that they hear it`);
        const paused = pausesOf(world, member);
        if (paused.length > 0) report('I9', `${member} is failed over, but ${paused.join(' and ')} lies in etcd`);
        const troubleMs = health.longestTroubleMs(oldInstanceId);
        if (troubleMs < plan.policy.confirmForMs)
          report(
            'I9',
            `${member} is failed over, but ${oldInstanceId} was down for ${troubleMs.toFixed(0)} ms at most`,
          );
        if (world.operators.keepDown(oldInstanceId) && !world.operators.haveAskedFor(opId))
          report('I9', `${member} is failed over, but ${oldInstanceId} was well until an operator stopped it`);
      }
    },
  };
};
