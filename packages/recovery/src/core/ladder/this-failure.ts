import type { HistoryRecord } from '@understudy/shared';

/**
 * A member that fails again within this time after a recovery in place ended has the same failure:
 * the same way is not tried again for it.
 */
export const SAME_FAILURE_MS = 1_800_000;

type Ended = Pick<HistoryRecord, 'oldInstanceId' | 'outcome' | 'endedAtWallMs' | 'strategy' | 'ordinal' | 'reason'>;

/**
 * The recoveries of this instance that belong to the failure it has now, oldest first. By wall
 * clocks: a leader whose clock is ahead forgets one sooner, and tries a way once more.
 */
export const triedFor = <R extends Ended>(
  history: Iterable<R>,
  instanceId: string,
  failedSinceWallMs: number,
): readonly R[] =>
  [...history]
    .filter(
      (one) =>
        one.oldInstanceId === instanceId &&
        (one.outcome === 'not-mended' || one.outcome === 'mended') &&
        failedSinceWallMs - one.endedAtWallMs < SAME_FAILURE_MS,
    )
    .sort((a, b) => a.ordinal - b.ordinal);

/**
 * The next recovery goes on with a failure that another one has begun on: it is no new one for
 * cooldown, budget and flapping. Bounded, because each way is tried at most once for a failure.
 */
export const goesOnWith = (history: Iterable<Ended>, instanceId: string, failedSinceWallMs: number): boolean =>
  triedFor(history, instanceId, failedSinceWallMs).at(-1)?.outcome === 'not-mended';
