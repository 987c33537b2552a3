import type { Chore } from '@understudy/shared';
import { type ChoreFacts, retiredVolumesOf } from '../chores.ts';

type Facts = Pick<ChoreFacts, 'plan' | 'volumes' | 'opId' | 'oldInstanceId' | 'newInstanceId' | 'volumesRetainedUntil'>;

/**
 * What an undo has to put in place: marks on the disks that the other instance leaves, and the
 * protections as that had them. The instance that serves again has everything else already.
 */
export function undoChoresOf(facts: Facts): readonly Chore[] {
  const { stop, termination } = facts.plan.protection;
  return [
    ...retiredVolumesOf(facts),
    ...(stop || termination ? [{ kind: 'protect', instanceId: facts.newInstanceId, stop, termination } as const] : []),
  ];
}
