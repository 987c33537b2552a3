import { isName } from '@understudy/shared';
import { InvalidArgumentError } from 'commander';

/** What a pause is about. */
export interface Scope {
  /** As in the records: `global`, `group/db`, `member/db/one`. */
  readonly scope: string;
  /** Below which its commands lie in the API. */
  readonly path: string;
}

/**
 * A scope as `status` and the records write it: `global`, `group/GROUP`, `member/GROUP/NAME`. So
 * what is shown can be typed. A member of a group that is called `group` is `member/group/NAME`.
 */
function asShown(text: string): string | null {
  if (text === 'global') return 'all';
  const [kind, ...names] = text.split('/');
  const isGroup = kind === 'group' && names.length === 1;
  return isGroup || (kind === 'member' && names.length === 2) ? names.join('/') : null;
}

/** Reads `all`, a group, group/name, or a scope as it is shown. @throws InvalidArgumentError */
export function scopeOf(given: string): Scope {
  const text = asShown(given) ?? given;
  if (text === 'all') return { scope: 'global', path: '/v1' };
  const names = text.split('/');
  const [group = '', name] = names;
  if (!names.every(isName) || names.length > 2) throw new InvalidArgumentError('want all, a group, or group/name');
  return name === undefined
    ? { scope: `group/${group}`, path: `/v1/groups/${group}` }
    : { scope: `member/${text}`, path: `/v1/members/${text}` };
}

/** When something ends: after a duration, or at a moment. Null: not by itself. */
export function untilOf(
  options: { readonly lasting?: number; readonly until?: number },
  nowWallMs: number,
): number | null {
  if (options.until !== undefined) return options.until;
  return options.lasting === undefined ? null : nowWallMs + options.lasting;
}

/** Parses `2026-11-28T18:00:00Z`. @throws InvalidArgumentError */
export function parseMoment(text: string): number {
  const atMs = Date.parse(text);
  if (Number.isNaN(atMs)) throw new InvalidArgumentError('want a moment such as 2026-11-28T18:00:00Z');
  return atMs;
}
