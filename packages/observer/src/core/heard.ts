import type { MemberId } from '@understudy/shared';
import { isHeard, NONE } from './columns.ts';
import type { ObserverState } from './observer-state.ts';
import { phiOf } from './silence.ts';

/** What is heard of members at one moment, in the order they were asked for. For people. */
export interface HeardColumns {
  /** Age of the last authentic heartbeat, in tenths of a second. -1: never heard. */
  readonly ageDs: readonly number[];
  /** φ times ten. -1: never heard. */
  readonly phiTenths: readonly number[];
}

export const UNHEARD = -1;
/** A week. What is older is as silent as that to whoever looks. */
const AGE_DS_MAX = 6_048_000;

/** Reads two numbers a member out of the table. O(members), nothing is kept. */
export function heardColumns(
  { slots, members, entries }: ObserverState,
  asked: readonly MemberId[],
  nowMs: number,
): HeardColumns {
  const ageDs: number[] = [];
  const phiTenths: number[] = [];
  for (const member of asked) {
    const slot = slots.get(member);
    const entry = slot === undefined ? NONE : (members.activeEntry[slot] as number);
    if (!isHeard(entries, entry)) {
      ageDs.push(UNHEARD);
      phiTenths.push(UNHEARD);
      continue;
    }
    const silentMs = Math.max(0, nowMs - (entries.lastHeardMs[entry] as number));
    const phi = phiOf(silentMs, entries.meanMs[entry] as number, Math.sqrt(entries.variance[entry] as number));
    ageDs.push(Math.min(AGE_DS_MAX, Math.round(silentMs / 100)));
    phiTenths.push(Math.round(phi * 10));
  }
  return { ageDs, phiTenths };
}
