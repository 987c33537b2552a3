import { watchAccusationRules } from './accusation-rules.ts';
import { watchAddresses } from './addresses.ts';
import { watchLeadershipOverlap } from './leadership-overlap.ts';
import { watchBudget } from './budget.ts';
import { watchFailovers } from './failovers.ts';
import { watchGuardedWrites } from './guarded-writes.ts';
import { watchCarried } from './carried.ts';
import { watchDisks } from './disks.ts';
import { watchHooks } from './hooks.ts';
import { watchIdentities } from './identities.ts';
import { watchInventory } from './inventory.ts';
import type { MakeWatcher } from './invariant.ts';
import { watchMovedDisks } from './moved-disks.ts';
import { watchPredecessors } from './predecessors.ts';
import { watchPreparations } from './preparations.ts';
import { watchKeysGiven } from './keys-given.ts';
import { watchLaunches } from './launches.ts';
import { watchRefusals } from './refusals.ts';
import { watchRungs } from './rungs.ts';
import { watchScripts } from './scripts.ts';
import { watchServing } from './serving.ts';

const watchFatal: MakeWatcher = (_cluster, report) => ({
  onClusterEvent(clusterEvent) {
    if (clusterEvent.kind === 'fatal') report('I0', `${clusterEvent.coordinatorId}: ${String(clusterEvent.error)}`);
  },
});

/** Asked at every event. I7 and I10 are asked at the end of a healed phase (`end-state.ts`). */
export const WATCHERS: readonly MakeWatcher[] = [
  watchFatal,
  watchLaunches,
  watchServing,
  watchGuardedWrites,
  watchLeadershipOverlap,
  watchAccusationRules,
  watchAddresses,
  watchBudget,
  watchRungs,
  watchFailovers,
  watchRefusals,
  watchIdentities,
  watchDisks,
  watchMovedDisks,
  watchCarried,
  watchHooks,
  watchPreparations,
  watchPredecessors,
  watchKeysGiven,
  watchInventory,
  watchScripts,
];
