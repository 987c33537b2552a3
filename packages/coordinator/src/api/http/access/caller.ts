import { TOKEN_ROLES, type TokenRole } from '@understudy/shared';
import * as z from 'zod';
import { Refusal } from '../refusal.ts';

/** What a route demands of its caller. Each role includes those before it. */
export type Role = 'anybody' | TokenRole;
const ORDER: readonly Role[] = ['anybody', ...TOKEN_ROLES];

/** How a caller showed who it is. */
const WAYS = ['nothing', 'bearer', 'session', 'certificate'] as const;

/**
 * Who asks. A follower that passes a request on tells the leader this, signed
 * (`peers/peer-signature.ts`).
 */
export const CallerSchema = z.strictObject({
  /** `token:<id>`, `certificate:<name>`, `operator-token` or `nobody`. */
  id: z.string().max(200),
  /** For people and records. Null: nobody we know. */
  name: z.string().max(200).nullable(),
  role: z.enum(['anybody', ...TOKEN_ROLES]),
  /** The groups it may command. Null: all, and what is about no group. */
  groups: z.array(z.string().max(63)).max(100).nullable(),
  via: z.enum(WAYS),
});

export interface Caller extends z.infer<typeof CallerSchema> {
  /**
   * The coordinator that passed the request on, and vouches for all of this. Null: it came here.
   */
  readonly passedOnBy: string | null;
}

export const nobody = (role: Role): Caller => ({
  ...{ id: 'nobody', name: null, role, groups: null, via: 'nothing', passedOnBy: null },
});

export const hasRole = (caller: Pick<Caller, 'role'>, wanted: Role): boolean =>
  ORDER.indexOf(caller.role) >= ORDER.indexOf(wanted);

/** Says whether the caller may command the members of this group. Null: what is about no group. */
export const mayCommand = ({ role, groups }: Pick<Caller, 'role' | 'groups'>, group: string | null): boolean =>
  role === 'operate' && (groups === null || (group !== null && groups.includes(group)));

export const unauthenticated = (detail: string): Refusal =>
  new Refusal('UNAUTHENTICATED', detail, { 'www-authenticate': 'Bearer' });

/**
 * @throws Refusal UNAUTHENTICATED (it showed nothing), FORBIDDEN (its role is too small) or
 * OTHER_GROUP. `group`: that a command is about; null: none, undefined: it is no command.
 */
export function admit(caller: Caller, wanted: Role, group: string | null | undefined): void {
  if (!hasRole(caller, wanted)) {
    if (caller.via === 'nothing') throw unauthenticated(`this needs a token with the role ${wanted}`);
    throw new Refusal('FORBIDDEN', `${caller.name ?? caller.id} has the role ${caller.role}; this needs ${wanted}`);
  }
  if (group === undefined || mayCommand(caller, group)) return;
  const what = group === null ? 'something that is about no group' : `group ${group}`;
  throw new Refusal('OTHER_GROUP', `${caller.name ?? caller.id} may command ${caller.groups?.join(', ')}, not ${what}`);
}
