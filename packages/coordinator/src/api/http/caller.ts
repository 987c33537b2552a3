import { createHash, timingSafeEqual } from 'node:crypto';
import { Refusal } from './refusal.ts';

/** What a route demands of its caller. `operate` includes `read`. */
export type Role = 'anybody' | 'read' | 'operate';

/** Who asks. */
export interface Caller {
  readonly role: Role;
  /** For people and records: the name of the token. Null: nobody we know. */
  readonly name: string | null;
}

const NOBODY: Caller = { role: 'anybody', name: null };

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares in constant time, whatever the lengths. */
function isSame(shown: string, token: string): boolean {
  return timingSafeEqual(digest(shown), digest(token));
}

/**
 * The caller that an `Authorization` header names.
 * @throws Refusal UNAUTHENTICATED: it shows a token that is not ours. It is told so, since a caller
 * that shows a token expects to be known.
 */
export function callerOf(authorization: string | undefined, operatorToken: string | null): Caller {
  if (authorization === undefined) return NOBODY;
  const shown = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  if (operatorToken !== null && shown !== undefined && isSame(shown, operatorToken))
    return { role: 'operate', name: 'operator' };
  throw unauthenticated('this is not the operator token of this coordinator');
}

export const unauthenticated = (detail: string): Refusal =>
  new Refusal('UNAUTHENTICATED', detail, { 'www-authenticate': 'Bearer' });
