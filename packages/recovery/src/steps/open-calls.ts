import { type HistoryRecord, isUndo } from '@understudy/shared';
import { currentAttempt } from '../core/step-table.ts';
import type { Run } from '../run.ts';
import { ACTIVATE } from './activate-record.ts';
import { FENCE } from './fence-record.ts';
import { REBOOT, RESTART } from './in-place-records.ts';
import { openDetaches } from './open-detaches.ts';
import { hasEnded, mayBeEnded } from './predecessor-end.ts';
import { BRINGBACK } from './undo-records.ts';
import { VACATE } from './vacate-record.ts';
import { DETACH, SEED } from './volume-records.ts';

type LateCalls = NonNullable<HistoryRecord['lateCalls']>;

/**
 * Calls of this recovery about the old instance that may still land: sent, and nobody knows what
 * became of them. A record that is done says it itself; of one that is not, every call counts.
 */
export function openCalls(run: Pick<Run, 'journal' | 'plan' | 'wallMs'>): LateCalls {
  const { journal } = run;
  const [restart, reboot] = [journal.get(RESTART), journal.get(REBOOT)];
  const start = restart?.result ? restart.result.isOpen : restart?.sends.start;
  const again = reboot?.result ? reboot.result.isOpen : reboot?.sends.reboot;
  return [
    ...(isOldStopOpen(run) ? (['stop'] as const) : []),
    ...(start ? (['start'] as const) : []),
    ...(again ? (['reboot'] as const) : []),
    ...(openDetaches(run).length > 0 ? (['detach'] as const) : []),
    ...(mayBeEnded(run) && !hasEnded(run) ? (['terminate'] as const) : []),
  ];
}

/**
 * **S** (S28) May a Stop of the old instance land yet: that of the fence, or one by which a late
 * start was ended while its disks came off, before its end, or right before the activation?
 */
export function isOldStopOpen({ journal, plan }: Pick<Run, 'journal' | 'plan'>): boolean {
  const fence = journal.get(FENCE);
  // A lease is waited out where a Stop was sent and its effect was not seen.
  if (fence?.result?.how === 'lease') return true;
  const others = [
    journal.get(ACTIVATE),
    journal.get(VACATE),
    ...plan.volumes.map(({ volumeId }) => journal.get(DETACH, volumeId)),
  ];
  return [fence, ...others].some((entry) =>
    entry?.result ? entry.result.stopIsOpen === true : (entry?.sends.stop ?? 0) > 0,
  );
}

/**
 * The same about the instance that serves afterwards: the Stop that ended its life as a seed; where
 * it serves again, the Start of that, and the Stop by which it was retired.
 */
export function openCallsOfReplacement({ journal, plan }: Pick<Run, 'journal' | 'plan'>): LateCalls {
  if (isUndo(plan)) {
    const back = journal.get(BRINGBACK)?.result;
    const start = back && 'isOpen' in back && back.isOpen;
    return [...(plan.undo.stopMayLand ? (['stop'] as const) : []), ...(start ? (['start'] as const) : [])];
  }
  const seed = journal.get(SEED, currentAttempt(journal.states()))?.result;
  return seed && 'stopIsOpen' in seed && seed.stopIsOpen ? ['stop'] : [];
}
