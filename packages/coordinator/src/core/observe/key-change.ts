import type { MemberId } from '@understudy/shared';

/** Key ids with a mark of each secret (`keyFingerprint`), oldest first. */
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
