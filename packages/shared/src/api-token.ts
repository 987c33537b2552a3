import { createHash } from 'node:crypto';
import * as z from 'zod';
import { isName } from './member-id.ts';
import type { Random } from './ports/random.ts';

/**
 * Tokens of the HTTP API: `us_<id>_<secret>`. The id is no secret: it is looked up by, logged and
 * shown. Coordinators keep the SHA-256 of the whole text; the secret is 32 random bytes, so that a
 * slow hash would add nothing.
 */

/** What a token allows. Each includes those before it: the metrics, all reads, all commands. */
export const TOKEN_ROLES = ['metrics', 'read', 'operate'] as const;
export type TokenRole = (typeof TOKEN_ROLES)[number];

const SECRET_BYTES = 32;
const ID_BYTES = 5;
const FORM = /^us_([a-z0-9]{4,32})_[A-Za-z0-9_-]{43}$/;

/** One line of `http.tokensFile`. */
export const TokenEntrySchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9]{4,32}$/, 'want 4-32 of a-z 0-9: the part of the token after us_'),
  /** For people: who or what shows it. It stands in records of what was done with it. */
  name: z.string().min(1).max(100),
  /** SHA-256 of the token, hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'want 64 hex characters in lower case'),
  role: z.enum(TOKEN_ROLES),
  /** Groups whose members it may command. Absent: all, and what is about no group. */
  groups: z
    .array(z.string().refine(isName, 'want 1-63 of a-z 0-9 . _ -, first a letter or digit'))
    .min(1)
    .max(100)
    .optional(),
  /** Not accepted from this moment on. Absent: never expires. */
  expires: z.iso.datetime({ offset: true }).optional(),
});
export type TokenEntry = z.infer<typeof TokenEntrySchema>;

/** The name under which the token of `http.operatorTokenFile` commands. Nobody else has it. */
export const OPERATOR_NAME = 'operator';

/**
 * **S** The first name of somebody who may command that is not theirs alone; null: there is none.
 * By that name a pause is known as theirs, an idempotency key, and what they did.
 */
export function sharedName(holders: readonly Pick<TokenEntry, 'name' | 'role'>[]): string | null {
  const seen = new Set([OPERATOR_NAME]);
  for (const { name, role } of holders) {
    if (role !== 'operate') continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return null;
}

/** What is wrong where {@link sharedName} finds a name. */
export const sharedNameFault = (name: string): string =>
  `the name ${name} with the role operate ${name === OPERATOR_NAME ? 'is reserved for http.operatorTokenFile' : 'twice'}: records tell by it who commands`;

/** `http.tokensFile`. */
export const TokenFileSchema = z
  .strictObject({ tokens: z.array(TokenEntrySchema).max(1_000).default([]) })
  .superRefine(({ tokens }, context) => {
    const seen = new Set<string>();
    for (const [index, { id }] of tokens.entries()) {
      if (seen.has(id)) context.addIssue({ code: 'custom', path: ['tokens', index, 'id'], message: `${id} twice` });
      seen.add(id);
    }
    const shared = sharedName(tokens);
    if (shared !== null) context.addIssue({ code: 'custom', path: ['tokens'], message: sharedNameFault(shared) });
  });

export const tokenHash = (token: string): Buffer => createHash('sha256').update(token, 'utf8').digest();

/** The id that a token names. Null: it has not the form of a token. */
export const tokenIdOf = (token: string): string | null => FORM.exec(token)?.[1] ?? null;

export interface NewToken {
  /** To be shown once, and kept by its owner only. */
  readonly token: string;
  /** What coordinators keep. */
  readonly entry: TokenEntry;
}

export function makeToken(random: Random, wanted: Omit<TokenEntry, 'id' | 'sha256'>): NewToken {
  const id = random.hex(ID_BYTES);
  const secret = Buffer.from(random.hex(SECRET_BYTES), 'hex').toString('base64url');
  const token = `us_${id}_${secret}`;
  const { name, role, groups, expires } = wanted;
  const entry: TokenEntry = {
    ...{ id, name, sha256: tokenHash(token).toString('hex'), role },
    ...(groups === undefined ? {} : { groups }),
    ...(expires === undefined ? {} : { expires }),
  };
  return { token, entry };
}

/** The entry as one line of the YAML list `tokens`. JSON is YAML. */
export const tokenLine = (entry: TokenEntry): string => `  - ${JSON.stringify(entry)}`;
