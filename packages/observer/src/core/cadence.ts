import type { MemberId } from '@understudy/shared';
import type { EntryColumns, MemberColumns } from './columns.ts';
import type { ObserverState } from './observer-state.ts';

/**
 * Shortest suspicion time an interval fits into, in intervals: the configuration refuses less (one
 * lost datagram would make a suspect).
 */
export const BEATS_PER_SUSPICION = 2;
/**
 * An agent that is slower than that is suspected after so many of its own intervals: two lost
 * datagrams, and its jitter.
 */
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

/**
 * A heartbeat of its own accord (no answer to a probe) came in. A boot epoch begins anew: another
 * configuration may have begun with it.
 */
export function recordBeat(state: ObserverState, slot: number, entry: number, heardAtMs: number): void {
  const { members, entries } = state;
  const atMs = heardAtMs >>> 0;
  const gapMs = (atMs - (entries.beatAtMs[entry] as number)) >>> 0;
  entries.beatAtMs[entry] = atMs;
  // A sequence number that overtook another gives a gap of nearly 2^32 too, and no gap is older
  // than its boot epoch.
  if (gapMs > Math.ceil(heardAtMs - (entries.epochHeardMs[entry] as number))) entries.longGaps.forget(entry);
  // A gap in which something was lost tells how bad the network is, not how seldom the agent
  // speaks.
  else if (heardTheOneBefore(entries, entry))
    entries.longGaps.note(entry, gapMs, (members.suspectAfterMs[slot] as number) / BEATS_PER_SUSPICION);
}

/**
 * By the replay window, whose lowest bit is the newest: nothing the agent sent since the one before
 * was lost.
 */
const heardTheOneBefore = (entries: EntryColumns, entry: number): boolean =>
  ((entries.seenLo[entry] as number) & 0b10) !== 0;

/**
 * After how long a silence of this member makes a suspect: what its policy says, or, where its
 * agent really speaks so seldom that this would be one lost datagram, three of its own intervals.
 * **S** No policy, wherever it came from, makes a suspect of an agent that is merely slow.
 */
export function suspectAfterMsOf(members: MemberColumns, entries: EntryColumns, slot: number): number {
  const wantedMs = members.suspectAfterMs[slot] as number;
  const intervalMs = entries.longGaps.medianMs(members.activeEntry[slot] as number);
  return BEATS_PER_SUSPICION * intervalMs <= wantedMs ? wantedMs : BEATS_OF_SLOW_AGENT * intervalMs;
}

/** O(members): for status pages. */
export function slowAgents({ members, entries, slots }: ObserverState): readonly SlowAgent[] {
  const slow: SlowAgent[] = [];
  for (const [member, slot] of slots) {
    const suspectAfterMs = members.suspectAfterMs[slot] as number;
    const usedMs = suspectAfterMsOf(members, entries, slot);
    if (usedMs > suspectAfterMs)
      slow.push({ member, intervalMs: usedMs / BEATS_OF_SLOW_AGENT, suspectAfterMs, usedMs });
  }
  return slow;
}
