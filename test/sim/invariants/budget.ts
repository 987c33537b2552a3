import { beginsRecovery, type MakeWatcher } from './invariant.ts';

/** I8: intents within any stretch of time are at most the burst and what the rate gives back meanwhile. */
export const watchBudget: MakeWatcher = (world, report) => {
  const guard = world.hosts[0]?.config.guard;
  if (!guard) throw new Error('a world without coordinators');
  const { budgetPerMinute, budgetBurst } = guard;
  const beganAtMs: number[] = [];
  return {
    witness(happening, nowMs) {
      if (happening.kind !== 'commit') return;
      const { commit } = happening;
      if (!commit.txn.writes.some((write) => beginsRecovery(world, commit, write))) return;
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
