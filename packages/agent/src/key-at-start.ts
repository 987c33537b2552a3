import type { Clock, Log, Random } from '@understudy/shared';
import { ActivationApplier, type ActivationOutputs } from './activation-applier.ts';
import type { AgentKey } from './core/key-ring.ts';
import type { FetchedKeys } from './fetched-keys.ts';

interface WaitParts {
  readonly outputs: ActivationOutputs;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Waits for a key that is fetched, and withdraws the workload meanwhile: a predecessor may have
 * left it serving, and without a key nobody can be heard.
 */
export async function keyAtStart(keys: FetchedKeys, parts: WaitParts): Promise<AgentKey> {
  const applier = new ActivationApplier({ ...parts, powerOffWhenStuck: false, beforeActivating: () => undefined });
  applier.want({ state: 'standby', incarnation: 0, instanceId: null });
  try {
    return await keys.first();
  } finally {
    await applier.close();
  }
}
