import { type CloudInstance, isName, type MemberId, memberId, TAG } from '@understudy/shared';

const NAME_LENGTH_MAX = 63;

/**
 * What is wrong with one instance's tags or claim. It is shown to the operator, and nothing acts on
 * it.
 */
export interface ClaimProblem {
  readonly instanceId: string;
  readonly code:
    | 'MemberTagMissing'
    | 'GroupTagMissing'
    | 'GroupTagEmpty'
    | 'NameInvalid'
    | 'GroupMismatch'
    | 'StoppedClaimant'
    | 'NotRunningYet'
    | 'NotVisible'
    | 'TooManyMembers';
  readonly text: string;
}

export type Claim =
  | { readonly kind: 'claims'; readonly member: MemberId }
  | { readonly kind: 'none'; readonly problem: ClaimProblem };

/**
 * The member an instance claims to be, from its tags `understudy:group` and `understudy:member`.
 * The member tag holds the name within the group (`db1`) or the whole id (`prod/db1`), which then
 * has to name the same group. It never guesses: anything else is a problem.
 */
export function claimOf(instance: Pick<CloudInstance, 'instanceId' | 'tags'>): Claim {
  const { instanceId, tags } = instance;
  const problem = (code: ClaimProblem['code'], text: string): Claim => ({
    kind: 'none',
    problem: { instanceId, code, text },
  });
  if (tags[TAG.group] === undefined)
    return problem('GroupTagMissing', `has ${TAG.member}=${tags[TAG.member] ?? ''} but no ${TAG.group}`);
  const group = tags[TAG.group] ?? '';
  const tag = tags[TAG.member] ?? '';
  if (group === '') return problem('GroupTagEmpty', `tag ${TAG.group} is empty`);
  if (tag === '') return problem('MemberTagMissing', `has ${TAG.group}=${group} but no ${TAG.member}`);
  const parts = tag.split('/');
  const name = parts.at(-1) ?? '';
  if (parts.length > 2) return problem('NameInvalid', `${TAG.member}=${tag} has more than one "/"`);
  for (const [key, text] of [
    [TAG.group, group],
    [TAG.member, name],
  ] as const)
    if (!isName(text)) return problem('NameInvalid', `${key}=${text}: ${nameFault(text)}`);
  if (parts.length === 2 && parts[0] !== group)
    return problem('GroupMismatch', `${TAG.member}=${tag} names another group than ${TAG.group}=${group}`);
  return { kind: 'claims', member: memberId(group, name) };
}

/** What is wrong with a name, with a valid name when one is near. */
function nameFault(text: string): string {
  const faults = [
    ...(text.length > NAME_LENGTH_MAX ? [`has ${text.length} characters, at most ${NAME_LENGTH_MAX}`] : []),
    ...(/[A-Z]/.test(text) ? ['has capital letters'] : []),
    ...(/\s/.test(text) ? ['has blanks'] : []),
    ...(/^[._-]/.test(text) ? ['begins with neither letter nor digit'] : []),
    ...(/[^A-Za-z0-9._\s-]/.test(text) ? ['has other characters than a-z 0-9 . _ -'] : []),
  ];
  const near = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '')
    .slice(0, NAME_LENGTH_MAX);
  return `${faults.join(', ') || 'is empty'}${isName(near) ? `; ${near} would do` : ''}`;
}

/**
 * True when this instance could be doing something now. A stopped one cannot; one that is stopping
 * still can.
 */
export const isLive = (instance: Pick<CloudInstance, 'state'>): boolean =>
  instance.state === 'pending' || instance.state === 'running' || instance.state === 'stopping';

/** True when it was replaced and is out of the way. It is then neither a claimant nor a problem. */
export const isRetired = (instance: Pick<CloudInstance, 'state' | 'tags'>): boolean =>
  instance.tags[TAG.retiredBy] !== undefined && !isLive(instance);

/**
 * **S** (S31) True when it was launched for a suspect, and no recovery has made it the member's
 * yet. It claims nothing, whatever state it is in.
 */
export const isPrepared = ({ tags }: Pick<CloudInstance, 'tags'>): boolean =>
  tags[TAG.preparedFor] !== undefined && tags[TAG.member] === undefined;
