import { type MemberId, monotonicMs } from '@understudy/shared';
import { isHeard, NO_KEY, NONE } from './columns.ts';
import type { ObserverState } from './observer-state.ts';
import type { MemberKey } from './types.ts';

/** Key ids, each with a mark of its secret (`keyFingerprint`), oldest first. */
export type KeySet = ReadonlyMap<number, string>;

export type KeyChange =
  | { readonly kind: 'same' }
  | {
      readonly kind: 'take';
      readonly added: readonly number[];
      readonly dropped: readonly number[];
      /** Ids whose secret stays. */
      readonly kept: ReadonlySet<number>;
      /** Members that cannot be understood any more, because it was forced. */
      readonly lost: readonly MemberId[];
    }
  | { readonly kind: 'refuse'; readonly text: string };

const MEMBERS_SHOWN = 5;

/** "a/b, c/d and 3 more". */
export const someOf = (members: readonly MemberId[]): string => {
  const shown = members.slice(0, MEMBERS_SHOWN).join(', ');
  return members.length > MEMBERS_SHOWN ? `${shown} and ${members.length - MEMBERS_SHOWN} more` : shown;
};

/**
 * May these keys take the place of ours? An id that members still speak with stays, unless it is
 * named in `forced`: dropping it makes this observer deaf for them. An id with another secret is
 * another key: it drops the old one.
 */
export function decideKeyChange(
  ours: KeySet,
  offered: KeySet,
  usersOf: (keyId: number) => readonly MemberId[],
  forced: readonly number[],
): KeyChange {
  const kept = new Set([...ours.keys()].filter((id) => offered.get(id) === ours.get(id)));
  const isSame = kept.size === ours.size && [...ours.keys()].join() === [...offered.keys()].join();
  if (isSame) return { kind: 'same' };
  const dropped = [...ours.keys()].filter((id) => !kept.has(id));
  const lost: MemberId[] = [];
  for (const id of dropped) {
    const users = usersOf(id);
    if (users.length > 0 && !forced.includes(id))
      return { kind: 'refuse', text: refusalOf(id, offered.has(id), users) };
    lost.push(...users);
  }
  return { kind: 'take', added: [...offered.keys()].filter((id) => !kept.has(id)), dropped, kept, lost };
}

const refusalOf = (id: number, isChanged: boolean, users: readonly MemberId[]): string =>
  isChanged
    ? `key id ${id} has another secret now, but ${users.length} members speak with the old one (${someOf(users)}): give the new secret an id of its own`
    : `key id ${id} is gone from keys, but ${users.length} members still speak with it (${someOf(users)}): rotate them first, or name it in dropKeysInUse`;

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
