import type { CallWord, PermissionCounts } from './api/plan.ts';

/** EC2's words on calls, counted. A call that EC2 was not asked about counts as what it is. */
export function permissionCounts(
  calls: readonly { readonly action: string; readonly permission: Pick<CallWord, 'word'> }[],
): PermissionCounts {
  const of = (word: CallWord['word']): string[] =>
    calls.filter(({ permission }) => permission.word === word).map(({ action }) => action);
  return {
    allowed: of('allowed').length,
    unknown: of('not-asked').length,
    denied: [...new Set(of('denied'))],
    refused: of('refused').toSorted(),
    cannotBeAsked: of('cannot-be-asked').toSorted(),
  };
}

/** `CreateTags ×2, RegisterImage`. */
function named(actions: readonly string[]): string {
  const times = new Map<string, number>();
  for (const action of actions) times.set(action, (times.get(action) ?? 0) + 1);
  return [...times].map(([action, count]) => (count === 1 ? action : `${action} ×${count}`)).join(', ');
}

const part = (count: number, text: string, actions: readonly string[] = []): string[] =>
  count === 0 ? [] : [`${count} ${text}${actions.length === 0 ? '' : `: ${named(actions)}`}`];

/** `7 allowed, 0 denied; 5 cannot be asked beforehand: AttachVolume …`, for people. */
export function permissionsText({ allowed, unknown, denied, refused, cannotBeAsked }: PermissionCounts): string {
  return [
    `${allowed} allowed, ${denied.length} denied${denied.length === 0 ? '' : `: ${named(denied)}`}`,
    ...part(refused.length, 'refused as they are (not denied)', refused),
    ...part(unknown, 'not asked yet'),
    ...part(cannotBeAsked.length, 'cannot be asked beforehand', cannotBeAsked),
  ].join('; ');
}

/** EC2 has allowed every call. Where it has not, "ready" is said with that. */
export const isAllAllowed = ({ unknown, denied, refused, cannotBeAsked }: PermissionCounts): boolean =>
  unknown + denied.length + refused.length + cannotBeAsked.length === 0;
