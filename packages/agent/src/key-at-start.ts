import type { ActivationApplier } from './activation-applier.ts';
import type { AgentKey } from './core/key-ring.ts';
import type { FetchedKeys } from './fetched-keys.ts';

/**
 * Waits for a key that is fetched, and withdraws the workload meanwhile: a predecessor may have
 * left it serving, and without a key nobody can be heard. The agent goes on with the same applier:
 * a second one would withdraw beside it, and stop what the agent has just started.
 */
export function keyAtStart(keys: Pick<FetchedKeys, 'first'>, applier: ActivationApplier): Promise<AgentKey> {
  applier.want({ state: 'standby', incarnation: 0, instanceId: null });
  return keys.first();
}
