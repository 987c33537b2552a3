import { type HistoryRecord, isUndo } from '@understudy/shared';
import { currentAttempt } from '../core/step-table.ts';
import type { Run } from '../run.ts';
import { FENCE } from './fence-record.ts';
import { REBOOT, RESTART } from './in-place-records.ts';
import { openDetaches } from './open-detaches.ts';
import { hasEnded, mayBeEnded } from './predecessor-end.ts';
import { BRINGBACK } from './undo-records.ts';
import { SEED } from './volume-records.ts';

type LateCalls = NonNullable<HistoryRecord['lateCalls']>;

/**
 * Calls of this recovery about the old instance that may still land: sent, and nobody knows what
 * became of them. A record that is done says it itself; of one that is not, every call counts.
 */
export function openCalls(run: Pick<Run, 'journal' | 'plan' | 'wallMs'>): LateCalls {
  const { journal } = run;
  const [fence, restart, reboot] = [journal.get(FENCE), journal.get(RESTART), journal.get(REBOOT)];
  // A lease is waited out where a Stop was sent and its effect was not seen.
  const stop = fence?.result ? fence.result.stopIsOpen === true || fence.result.how === 'lease' : fence?.sends.stop;
  const start = restart?.result ? restart.result.isOpen : restart?.sends.start;
  const again = reboot?.result ? reboot.result.isOpen : reboot?.sends.reboot;
  return [
    ...(stop ? (['stop'] as const) : []),
    ...(start ? (['start'] as const) : []),
    ...(again ? (['reboot'] as const) : []),
    ...(openDetaches(run).length > 0 ? (['detach'] as const) : []),
    ...(mayBeEnded(run) && !hasEnded(run) ? (['terminate'] as const) : []),
  ];
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
