import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { OperationError } from '@understudy/shared';
import { loadConfig } from '@understudy/shared/node';
import { stringify } from 'yaml';
import * as z from 'zod';

const file = z.string().min(1);

/**
 * One cluster as the operator knows it. Paths are absolute. It holds no secret, only files of it.
 */
const ContextSchema = z.strictObject({
  /** URLs of its coordinators. The next is asked when one does not answer. */
  urls: z.array(z.string().min(1)).min(1).max(9),
  /** File with the caller's token, mode 0600. */
  tokenFile: file.optional(),
  /** File with the certificates of authorities to believe, instead of the system's. PEM. */
  caFile: file.optional(),
  /** File with the client certificate. PEM; comes with `keyFile`. */
  certFile: file.optional(),
  /** File with the key of the client certificate. PEM, mode 0600. */
  keyFile: file.optional(),
});
export type Context = z.infer<typeof ContextSchema>;

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

const ContextsSchema = z
  .strictObject({
    /** The context that is used when no other is asked for. Null: none. */
    current: z.string().nullable().default(null),
    contexts: z.record(z.string().regex(NAME, 'want 1-63 of a-z 0-9 . _ -'), ContextSchema).default({}),
  })
  .refine(({ current, contexts }) => current === null || current in contexts, {
    path: ['current'],
    message: 'names no context of this file',
  });
export type Contexts = z.infer<typeof ContextsSchema>;

const NONE: Contexts = { current: null, contexts: {} };

/** `~/.config/understudy/contexts.yaml`, or below XDG_CONFIG_HOME. */
export function contextsPath(environment: NodeJS.ProcessEnv): string {
  const { XDG_CONFIG_HOME = '' } = environment;
  return join(XDG_CONFIG_HOME === '' ? join(homedir(), '.config') : XDG_CONFIG_HOME, 'understudy', 'contexts.yaml');
}

/**
 * The contexts of this user. A file that is not there holds none.
 * @throws CONFIG_INVALID naming file, line and field
 */
export function readContexts(path: string): Contexts {
  return existsSync(path) ? loadConfig(ContextsSchema, path) : NONE;
}

/** Replaces the file as a whole, so that a reader never sees half of it. Mode 0600. */
export function writeContexts(path: string, contexts: Contexts): void {
  const checked = ContextsSchema.parse(contexts);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const next = `${path}.${process.pid}.next`;
  writeFileSync(next, stringify(checked), { mode: 0o600 });
  chmodSync(next, 0o600);
  renameSync(next, path);
}

/**
 * A context of this name, made of what was given; its paths become absolute.
 * @throws CONFIG_INVALID
 */
export function contextOf(name: string, given: Context): Context {
  if (!NAME.test(name)) throw new OperationError('CONFIG_INVALID', `${name}: want 1-63 of a-z 0-9 . _ -`);
  if ((given.certFile === undefined) !== (given.keyFile === undefined))
    throw new OperationError('CONFIG_INVALID', 'a client certificate and its key come together');
  const { urls, ...files } = given;
  const absolute = Object.entries(files).flatMap(([key, path]) => (path === undefined ? [] : [[key, resolve(path)]]));
  return { urls, ...Object.fromEntries(absolute) };
}
