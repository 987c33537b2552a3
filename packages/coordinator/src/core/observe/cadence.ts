import type { MemberId } from '@understudy/shared';
import { type EntryColumns, GAPS_KEPT, isHeard, type MemberColumns, NONE } from './columns.ts';
import type { ObserverState } from './observer-state.ts';

const GAPS_WANTED = 3;
/** Shortest suspicion time an interval fits into, in intervals: the configuration refuses less (one lost datagram would make a suspect). */
export const BEATS_PER_SUSPICION = 2;
/** An agent that is slower than that is suspected after so many of its own intervals: two lost datagrams, and its jitter. */
const BEATS_OF_SLOW_AGENT = 3;

/** An agent whose real heartbeat interval does not fit into its group's policy. */
export interface SlowAgent {
  readonly member: MemberId;
  readonly intervalMs: number;
  /** What the policy says … */
  readonly suspectAfterMs: number;
  /** … and after how long it is suspected instead. */
  readonly usedMs: number;
}

/** A heartbeat of its own accord (no answer to a probe) came in. A boot epoch begins anew: another configuration may have begun with it. */
export function recordBeat(entries: EntryColumns, entry: number, heardAtMs: number): void {
  const beforeMs = entries.beatAtMs[entry] as number;
  entries.beatAtMs[entry] = heardAtMs;
  if (beforeMs < (entries.epochHeardMs[entry] as number)) {
    entries.gapAt[entry] = 0;
    return;
  }
  const gapMs = heardAtMs - beforeMs;
  if (gapMs < 0) return;
  // Counts up to the number kept, then round and round above it.
  const at = entries.gapAt[entry] as number;
  entries.gapsMs[entry * GAPS_KEPT + (at % GAPS_KEPT)] = gapMs;
  entries.gapAt[entry] = at === 2 * GAPS_KEPT - 1 ? GAPS_KEPT : at + 1;
}

/** Median of the last gaps, ms; 0: not known yet. */
export function cadenceMs(entries: EntryColumns, entry: number): number {
  const count = Math.min(entries.gapAt[entry] as number, GAPS_KEPT);
  if (count < GAPS_WANTED) return 0;
  const gaps = entries.gapsMs.slice(entry * GAPS_KEPT, entry * GAPS_KEPT + count).sort();
  return gaps[(count - 1) >> 1] as number;
}

/**
 * After how long a silence of this member makes a suspect: what its policy says, or, where its agent really speaks so seldom that this would be one lost
 * datagram, three of its own intervals. **S** No policy, wherever it came from, makes a suspect of an agent that is merely slow.
 */
export function suspectAfterMsOf(members: MemberColumns, entries: EntryColumns, slot: number): number {
  const wantedMs = members.suspectAfterMs[slot] as number;
  const entry = members.activeEntry[slot] as number;
  if (entry === NONE) return wantedMs;
  const intervalMs = cadenceMs(entries, entry);
  return BEATS_PER_SUSPICION * intervalMs <= wantedMs ? wantedMs : BEATS_OF_SLOW_AGENT * intervalMs;
}

/** O(members): for status pages. */
export function slowAgents({ members, entries, slots }: ObserverState): readonly SlowAgent[] {
  const slow: SlowAgent[] = [];
  for (const [member, slot] of slots) {
    const entry = members.activeEntry[slot] as number;
    if (!isHeard(entries, entry)) continue;
    const suspectAfterMs = members.suspectAfterMs[slot] as number;
    const usedMs = suspectAfterMsOf(members, entries, slot);
    if (usedMs > suspectAfterMs) slow.push({ member, intervalMs: cadenceMs(entries, entry), suspectAfterMs, usedMs });
  }
  return slow;
}
