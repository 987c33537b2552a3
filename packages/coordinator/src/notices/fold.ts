import type { MemberId, NoticeRecord } from '@understudy/shared';
import type { Change } from './change.ts';

/** The content of a notice, before it has an id and a time. */
export type Folded = Omit<Change, 'member'> & Pick<NoticeRecord, 'members' | 'memberCount'>;

/** So many changes of one kind in one group are still told one by one. */
const TOLD_SINGLY_MAX = 3;
const NAMED_MAX = 20;

const single = ({ member, ...change }: Change): Folded => ({
  ...change,
  members: member === null ? [] : [member],
  memberCount: member === null ? 0 : 1,
});

/**
 * A zone that fails is one piece of news, and not a hundred: many changes of the same kind in the
 * same group, made by one write, become one. Pure.
 */
export function fold(changes: readonly Change[]): readonly Folded[] {
  const kinds = Map.groupBy(changes, ({ kind, group }) => `${kind} ${group ?? ''}`);
  return [...kinds.values()].flatMap((same) => (same.length <= TOLD_SINGLY_MAX ? same.map(single) : [together(same)]));
}

function together(same: readonly Change[]): Folded {
  const [first] = same as readonly [Change, ...Change[]];
  const members = same.flatMap(({ member }): MemberId[] => (member === null ? [] : [member]));
  const named = members.slice(0, NAMED_MAX);
  const more = members.length > named.length ? ` and ${members.length - named.length} more` : '';
  return {
    ...{ kind: first.kind, severity: first.severity, group: first.group, opId: null },
    members: named,
    memberCount: members.length,
    what: `${first.kind} ${members.length} times in ${first.group ?? 'the cluster'}: ${named.join(', ')}${more}`,
    why: `of the first: ${first.why}`,
    next: 'understudy status',
  };
}
