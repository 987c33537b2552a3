import { createHash, timingSafeEqual } from 'node:crypto';
import { OPERATOR_NAME, type TokenEntry, tokenHash, tokenIdOf } from '@understudy/shared';
import type { Caller } from './caller.ts';

/** What may be shown as a bearer token. */
export interface Tokens {
  readonly entries: readonly TokenEntry[];
  /** SHA-256 of the token of `http.operatorTokenFile`. Null: there is none. */
  readonly operatorTokenHash: Buffer | null;
}

/** A token that is known, good or not. */
export interface KnownToken {
  readonly caller: Caller;
  /** Wall clock, ms. Null: never. */
  readonly expiresAtWallMs: number | null;
  /**
   * Names everything about it that matters: when one of it changes (secret, role, groups, expiry),
   * so does this.
   */
  readonly fingerprint: string;
}

/** Has the place of a token that nobody knows, so that looking takes as long. */
const NO_HASH = Buffer.alloc(32);

/** The id under which the token of `http.operatorTokenFile` is known. No token has such an id. */
const OPERATOR_TOKEN_ID = 'operator-token';

const knownOf = (entry: TokenEntry): KnownToken => ({
  caller: {
    ...{ id: `token:${entry.id}`, name: entry.name, role: entry.role, groups: entry.groups ?? null },
    ...{ via: 'bearer', passedOnBy: null },
  },
  expiresAtWallMs: entry.expires === undefined ? null : Date.parse(entry.expires),
  fingerprint: createHash('sha256')
    .update(JSON.stringify([entry.id, entry.sha256, entry.role, entry.groups ?? null, entry.expires ?? null]))
    .digest('base64url'),
});

const operatorOf = (hash: Buffer): KnownToken => ({
  caller: {
    ...{ id: OPERATOR_TOKEN_ID, name: OPERATOR_NAME, role: 'operate', groups: null, via: 'bearer', passedOnBy: null },
  },
  expiresAtWallMs: null,
  fingerprint: createHash('sha256').update(hash).digest('base64url'),
});

/** Finds who shows a token. Comparing takes the same time whatever is wrong with it. */
export class TokenBook {
  readonly #byId = new Map<string, { readonly hash: Buffer; readonly known: KnownToken }>();
  readonly #operator: { readonly hash: Buffer; readonly known: KnownToken } | null;

  constructor({ entries, operatorTokenHash: hash }: Tokens) {
    for (const entry of entries)
      this.#byId.set(entry.id, { hash: Buffer.from(entry.sha256, 'hex'), known: knownOf(entry) });
    this.#operator = hash === null ? null : { hash, known: operatorOf(hash) };
  }

  /** False: no token makes anybody an operator. */
  get hasOperators(): boolean {
    return this.#operator !== null || [...this.#byId.values()].some(({ known }) => known.caller.role === 'operate');
  }

  /** Null: it is no token of ours. It may have expired. */
  find(token: string): KnownToken | null {
    const shown = tokenHash(token);
    const id = tokenIdOf(token);
    const entry = id === null ? undefined : this.#byId.get(id);
    const isEntry = timingSafeEqual(shown, entry?.hash ?? NO_HASH);
    const isOperator = timingSafeEqual(shown, this.#operator?.hash ?? NO_HASH);
    if (entry && isEntry) return entry.known;
    return this.#operator && isOperator ? this.#operator.known : null;
  }

  /** The token of a session. Null: it is known no more, or has changed. */
  ofSession(callerId: string, fingerprint: string): KnownToken | null {
    const all = [...this.#byId.values(), ...(this.#operator ? [this.#operator] : [])];
    const known = all.find((one) => one.known.caller.id === callerId)?.known;
    return known?.fingerprint === fingerprint ? known : null;
  }
}

export const isExpired = ({ expiresAtWallMs }: KnownToken, nowWallMs: number): boolean =>
  expiresAtWallMs !== null && nowWallMs >= expiresAtWallMs;
