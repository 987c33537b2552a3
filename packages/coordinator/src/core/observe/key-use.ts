import { type MemberId, monotonicMs } from '@understudy/shared';
import { isHeard, NO_KEY, NONE } from './columns.ts';
import type { ObserverState } from './observer-state.ts';
import type { MemberKey } from './types.ts';

/**
 * An instance that is not activated (a replacement being verified) counts as a user of its key for
 * this long after its last heartbeat.
 */
const LATELY_MS = 60_000;

/**
 * Only confirmed heartbeats ever set a key id, so nobody without a key of the member can bring a
 * member into, or out of, this state.
 */
export function markRetired(state: ObserverState, kept: ReadonlySet<number>): void {
  const { entries, members } = state;
  for (let entry = 0; entry < entries.count; entry++)
    if (!kept.has(entries.keyId[entry] as number)) entries.keyId[entry] = NO_KEY;
  for (let slot = 0; slot < members.count; slot++) {
    const entry = members.activeEntry[slot] as number;
    if (isHeard(entries, entry) && entries.keyId[entry] === NO_KEY) members.dueAtMs[slot] = 0;
  }
}

export function memberKeyOf(state: ObserverState, slot: number): MemberKey {
  const { members, entries } = state;
  const entry = members.activeEntry[slot] as number;
  const common = { member: members.ids[slot] as MemberId, instanceId: members.activeIds[slot] ?? null };
  if (!isHeard(entries, entry)) return { ...common, state: 'none', keyId: null, lastHeardMs: null };
  const keyId = entries.keyId[entry] as number;
  const lastHeardMs = monotonicMs(entries.lastHeardMs[entry] as number);
  if (keyId === NO_KEY) return { ...common, state: 'retired', keyId: null, lastHeardMs };
  return { ...common, state: 'heard', keyId, lastHeardMs };
}

export function usersOfKey(state: ObserverState, keyId: number, nowMs: number): readonly MemberId[] {
  const { members, entries } = state;
  const users: MemberId[] = [];
  for (const [member, slot] of state.slots) {
    let uses = false;
    for (let entry = members.firstEntry[slot] as number; entry !== NONE; entry = entries.next[entry] as number) {
      if (!isHeard(entries, entry) || entries.keyId[entry] !== keyId) continue;
      uses ||= entry === members.activeEntry[slot] || nowMs - (entries.lastHeardMs[entry] as number) < LATELY_MS;
    }
    if (uses) users.push(member);
  }
  return users.sort();
}
