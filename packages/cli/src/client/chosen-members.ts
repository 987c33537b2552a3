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
function unknown(asked: string, members: readonly MemberId[]): OperationError {
  const what = asked.includes('/') ? 'member' : 'member or group';
  const names = asked.includes('/') ? members : [...new Set([...members.map(groupOf), ...members])];
  const near = nearTo(asked, names);
  const hint =
    near.length > 0
      ? `did you mean ${near.join(' or ')}?`
      : members.length > 0
        ? `there are ${members.length} others: \`understudy members\` lists them`
        : 'there are no members at all';
  return new OperationError('MEMBER_UNKNOWN', `no ${what} ${asked} is known: no such ${what}; ${hint}`);
}

/**
 * The members of a group, or one member; all without a filter.
 * @throws MEMBER_UNKNOWN when there is none of that name, with those that are near.
 */
export function chosenMembers(view: MembersView, filter: string | undefined): MembersView {
  if (filter === undefined) return view;
  const members = view.members.filter(({ member }) => member === filter || groupOf(member) === filter);
  if (members.length > 0) return { ...view, members, notEnrolled: [] };
  throw unknown(
    filter,
    view.members.map(({ member }) => member),
  );
}

/** @throws MEMBER_UNKNOWN, with the members whose names are near. */
export async function explainMember(client: CoordinatorClient, text: string): Promise<ExplainView> {
  const [group = '', name = '', ...rest] = text.split('/');
  try {
    if (isName(group) && isName(name) && rest.length === 0) return await client.explain(`${group}/${name}`);
  } catch (error) {
    if (!hasCode(error, 'MEMBER_UNKNOWN')) throw error;
  }
  throw unknown(
    text,
    (await client.members()).map(({ member }) => member),
  );
}
