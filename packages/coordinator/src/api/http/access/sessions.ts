import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock, Random } from '@understudy/shared';
import * as z from 'zod';
import type { ClusterKeys } from '../cluster-keys.ts';
import type { Caller } from './caller.ts';
import { isExpired, type KnownToken, type TokenBook } from './token-book.ts';

/** A session ends after this, in ms; earlier when its token expires. */
export const SESSION_MS = 8 * 3_600_000;
const CSRF_BYTES = 16;
/** No cookie of ours is longer. */
const COOKIE_LENGTH_MAX = 2_048;

/** The content of a cookie. It is signed, not secret. Nothing in it lets anybody in by itself. */
const PayloadSchema = z.strictObject({
  callerId: z.string().max(200),
  /** That of the token, see {@link KnownToken}. */
  fingerprint: z.string().max(64),
  expiresAtWallMs: z.number(),
  csrf: z.string().max(64),
});

export interface Session {
  readonly caller: Caller;
  readonly expiresAtWallMs: number;
  /** What a request by cookie that changes something shows in the header `understudy-csrf`. */
  readonly csrf: string;
}

export interface SessionsOptions {
  readonly keys: ClusterKeys;
  readonly clock: Clock;
  readonly random: Random;
  readonly tokens: () => TokenBook;
}

/**
 * Sessions of browsers. No coordinator keeps any: a cookie says whose token it was begun with, and
 * is signed with a key of all coordinators, so that each honours it. At every request the token is
 * looked up again: a session ends with it.
 */
export class Sessions {
  readonly #options: SessionsOptions;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  begin(known: KnownToken): { readonly cookie: string; readonly session: Session } {
    const { keys, clock, random } = this.#options;
    const untilWallMs = Math.min(clock.wallMs() + SESSION_MS, known.expiresAtWallMs ?? Number.POSITIVE_INFINITY);
    const csrf = random.hex(CSRF_BYTES);
    const { caller, fingerprint } = known;
    const payload = { callerId: caller.id, fingerprint, expiresAtWallMs: untilWallMs, csrf };
    const text = Buffer.from(JSON.stringify(payload), 'utf8').toString('base64url');
    const cookie = `${text}~${keys.sign('session', text)}`;
    return { cookie, session: { caller: { ...caller, via: 'session' }, expiresAtWallMs: untilWallMs, csrf } };
  }

  /** Null: it is none of ours, it has ended, or its token is not what it was. */
  resume(cookie: string): Session | null {
    if (cookie.length > COOKIE_LENGTH_MAX) return null;
    const [text = '', signatures = ''] = cookie.split('~');
    const { keys, clock, tokens } = this.#options;
    if (!keys.verify('session', text, signatures)) return null;
    const payload = PayloadSchema.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    if (!payload.success) return null;
    const { callerId, fingerprint, expiresAtWallMs, csrf } = payload.data;
    const known = tokens().ofSession(callerId, fingerprint);
    const nowMs = clock.wallMs();
    if (known === null || isExpired(known, nowMs) || nowMs >= expiresAtWallMs) return null;
    return { caller: { ...known.caller, via: 'session' }, expiresAtWallMs, csrf };
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares in constant time, whatever the lengths. */
export const isCsrf = (shown: string, session: Session): boolean =>
  timingSafeEqual(digest(shown), digest(session.csrf));
