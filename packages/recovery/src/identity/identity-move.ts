import type { StepKey } from '../core/step-id.ts';
import type { Attempt, Frozen, Move, Step } from '../effect.ts';
import type { CallsOf } from '../planned-call.ts';
import type { Run } from '../run.ts';
import { type StepKind, stepKind } from '../step-kind.ts';
import type { RequestOf, StepRecord } from '../step-record.ts';
import type { ItemSource } from '../strategy.ts';

/** Part of a member's identity that moves to the replacement: the step of its items, and which. */
export type IdentityMove = ItemSource & StepKind;

/**
 * How one item is moved. `Seen`: what a look shows of it. Like every step it only looks and names
 * the next move; it takes nothing from anybody but what this very recovery has fenced (S12).
 */
export interface ItemMove<R extends StepRecord, Seen> extends Pick<Step<R>, 'limitMs' | 'floorMs' | 'onTimeout'> {
  look(): Promise<Seen>;
  /** What is frozen before the first effect. */
  request(seen: Seen): RequestOf<R>;
  /** What the answer to the last act says without another look; null, or absent: look. */
  answered?(frozen: Frozen<R>, last: Attempt | null): Move<R> | null;
  next(frozen: Frozen<R>, seen: Seen): Move<R>;
}

export const itemStep = <R extends StepRecord, Seen>(move: ItemMove<R, Seen>): Step<R> => ({
  limitMs: move.limitMs,
  ...(move.floorMs !== undefined && { floorMs: move.floorMs }),
  prepare: async () => move.request(await move.look()),
  next: async (frozen, last) => move.answered?.(frozen, last) ?? move.next(frozen, await move.look()),
  onTimeout: (frozen) => move.onTimeout(frozen),
});

/** A move whose step has the record's name; `make` is asked anew by each run, for each item. */
export const identityMove = <R extends StepRecord, Seen>(
  record: R,
  itemsOf: ItemSource['itemsOf'],
  make: (run: Run, item: string) => ItemMove<R, Seen>,
  calls?: CallsOf,
  more: Pick<ItemSource, 'level' | 'needs' | 'watch'> = {},
): IdentityMove => ({
  ...more,
  itemsOf,
  ...stepKind(record, (run: Run, { item }: StepKey) => itemStep(make(run, item)), calls),
});
