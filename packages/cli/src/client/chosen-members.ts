import {
  type ExplainView,
  hasCode,
  isName,
  type MemberId,
  type MembersView,
  nearTo,
  OperationError,
  groupOf,
} from '@understudy/shared';
import type { CoordinatorClient } from '@understudy/shared/node';

/** `no such member; did you mean db/one?`, or how to list those that exist. */
function unknown(asked: string, names: readonly string[]): OperationError {
  const what = asked.includes('/') ? 'member' : 'member or group';
  const near = nearTo(asked, names);
  const hint =
    near.length > 0
      ? `did you mean ${near.join(' or ')}?`
      : names.length > 0
        ? `there are ${names.length} others: \`understudy members\` lists them`
        : 'there are no members at all';
  return new OperationError('MEMBER_UNKNOWN', `no ${what} ${asked} is known: no such ${what}; ${hint}`);
}

/**
 * The member or the group that a text means: by its whole name, or by the beginning of one name.
 * `others` are only said where it may have meant one of them.
 * @throws MEMBER_UNKNOWN when it means none, or several
 */
export function nameMeant(asked: string, names: readonly string[], others: readonly string[] = []): string {
  if (names.includes(asked)) return asked;
  const begin = asked === '' ? [] : names.filter((name) => name.startsWith(asked));
  const [only] = begin;
  if (begin.length === 1 && only !== undefined) return only;
  if (begin.length === 0) throw unknown(asked, [...names, ...others]);
  const some = begin.slice(0, 5).join(', ');
  throw new OperationError(
    'MEMBER_UNKNOWN',
    `${asked} may mean ${begin.length}: ${some}${begin.length > 5 ? ' …' : ''}`,
  );
}

/** @throws MEMBER_UNKNOWN when it means no member, or several */
export async function memberMeant(client: CoordinatorClient, asked: string): Promise<MemberId> {
  const members = (await client.members()).map(({ member }) => member);
  return nameMeant(asked, members) as MemberId;
}

/**
 * The members of a group, or one member; all without a filter. The beginning of a name will do
 * where no other begins so.
 * @throws MEMBER_UNKNOWN when there is none of that name, with those that are near.
 */
export function chosenMembers(view: MembersView, filter: string | undefined): MembersView {
  if (filter === undefined) return view;
  const ids = view.members.map(({ member }) => member);
  const groups = [...new Set(ids.map(groupOf))];
  const name = filter.includes('/') ? nameMeant(filter, ids) : nameMeant(filter, groups, ids);
  const members = view.members.filter(({ member }) => member === name || groupOf(member) === name);
  return { ...view, members, notEnrolled: [] };
}

/** @throws MEMBER_UNKNOWN, with the members whose names are near. */
export async function explainMember(client: CoordinatorClient, text: string): Promise<ExplainView> {
  const [group = '', name = '', ...rest] = text.split('/');
  try {
    if (isName(group) && isName(name) && rest.length === 0) return await client.explain(`${group}/${name}`);
  } catch (error) {
    if (!hasCode(error, 'MEMBER_UNKNOWN')) throw error;
  }
  return client.explain(await memberMeant(client, text));
}
