import { watchAccusations } from './accusations.ts';
import { watchAddresses } from './addresses.ts';
import { watchBelievers } from './believers.ts';
import { watchBudget } from './budget.ts';
import { watchFailovers } from './failovers.ts';
import { watchGuardedWrites } from './guarded-writes.ts';
import { watchIdentities } from './identities.ts';
import type { MakeWatcher } from './invariant.ts';
import { watchLaunches } from './launches.ts';
import { watchRefusals } from './refusals.ts';
import { watchServing } from './serving.ts';

const watchFatal: MakeWatcher = (_world, report) => ({
  witness(happening) {
    if (happening.kind === 'fatal') report('I0', `${happening.coordinatorId}: ${String(happening.error)}`);
  },
});

/** Asked at every happening. I7 and I10 are asked at the end of a healed phase (`end-state.ts`). */
export const WATCHERS: readonly MakeWatcher[] = [
  watchFatal,
  watchLaunches,
  watchServing,
  watchGuardedWrites,
  watchBelievers,
  watchAccusations,
  watchAddresses,
  watchBudget,
  watchFailovers,
  watchRefusals,
  watchIdentities,
];
