import { errorText, type Log, type MemberId, OperationError, parseKey, parseMemberId } from '@understudy/shared';
import { readFile, stat } from 'node:fs/promises';
import { parseFetchedKey } from '../core/fetched-key.ts';
import type { AgentKey, StoredKeys } from '../core/key-ring.ts';
import type { FetchedKeyCache } from '../fetched-keys.ts';
import { writeDurably } from './durable-file.ts';

/** Finds and keeps the member's keys. */
export interface KeyFiles {
  /** Null when there are none, or none that can be read. */
  readStored(): Promise<StoredKeys | null>;
  writeStored(keys: StoredKeys): Promise<void>;
  /**
   * The next key an operator has put down, and the configured one where it lies in a file of its
   * own. Null: it is absent.
   * @throws KEY_INVALID naming the file: unreadable, or not a key.
   */
  readOffered(): Promise<{ readonly next: AgentKey | null; readonly configured: AgentKey | null }>;
}

export interface KeyFilePaths {
  /** `stateDir/keys.json`. */
  readonly stored: string;
  /** `ID HEX` in one line. */
  readonly next: string;
  /** The file of `key.file` and its id. Null with `key.hex`. */
  readonly configured: { readonly path: string; readonly id: number } | null;
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (isMissing(cause)) return null;
    throw new OperationError('KEY_INVALID', `cannot read ${path}: ${errorText(cause)}`, { cause });
  }
}

/**
 * `2 9f78…`: key id 1-255, white space, 64 hex characters. @throws KEY_INVALID without repeating
 * what was found.
 */
export function parseNextKey(text: string, path: string): AgentKey {
  const [idText = '', hex = '', ...more] = text.trim().split(/\s+/);
  const id = Number(idText);
  if (!/^\d{1,3}$/.test(idText) || id < 1 || id > 255 || more.length > 0)
    throw new OperationError('KEY_INVALID', `${path}: want "ID KEY" in one line, ID 1-255, KEY 64 hex characters`);
  parseKey(hex, path);
  return { id, hex: hex.toLowerCase() };
}

export function keyFiles(paths: KeyFilePaths, log: Log): KeyFiles {
  let warnedOf = '';
  const warnIfOpen = async (path: string) => {
    const mode = (await stat(path)).mode & 0o777;
    if ((mode & 0o077) === 0 || warnedOf === path) return;
    warnedOf = path;
    log.warn('key.file_readable_by_others', { file: path, mode: mode.toString(8), remedy: 'chmod 600' });
  };
  return {
    async readStored() {
      const text = await readFile(paths.stored, 'utf8').catch((error: unknown) => {
        if (!isMissing(error)) log.warn('keys.unreadable', { file: paths.stored, error: errorText(error) });
        return null;
      });
      const stored = text === null ? null : parseStored(text);
      if (text !== null && !stored) log.warn('keys.unreadable', { file: paths.stored, error: 'not of this version' });
      return stored;
    },
    writeStored: (keys) => writeDurably(paths.stored, `${JSON.stringify({ schemaVersion: 1, ...keys })}\n`, 0o600),
    async readOffered() {
      const nextText = await textOf(paths.next);
      const next = nextText === null ? null : parseNextKey(nextText, paths.next);
      if (next) await warnIfOpen(paths.next).catch(() => undefined);
      const { configured } = paths;
      const hex = configured && (await textOf(configured.path));
      if (!configured || hex === null) return { next, configured: null };
      return { next, configured: parseFetchedKey(hex, configured.id, configured.path) };
    },
  };
}

/** A fetched key, kept for the next start of an agent, on a file system in memory. */
export const fetchedKeyFile = (path: string): FetchedKeyCache => ({
  async read() {
    const text = await textOf(path);
    return text === null ? null : parseNextKey(text, path);
  },
  write: (key) => writeDurably(path, `${key.id} ${key.hex}\n`, 0o600),
});

/**
 * With the key that coordinators acknowledged before this boot: who gave it may be away just when
 * this machine comes up.
 */
export const keptKeys = (
  cache: FetchedKeyCache,
  files: Pick<KeyFiles, 'readStored'>,
  member: MemberId,
): FetchedKeyCache => ({
  async read() {
    const fetched = await cache.read().catch(() => null);
    if (fetched) return fetched;
    const stored = await files.readStored();
    return stored?.member === member ? stored.current : null;
  },
  write: (key) => cache.write(key),
});

/** Parsed by hand (docs/agent.md, Memory). */
function parseStored(text: string): StoredKeys | null {
  try {
    const { schemaVersion, member, current, candidate, superseded } = JSON.parse(text) as Record<string, unknown>;
    if (schemaVersion !== 1 || typeof member !== 'string' || !Array.isArray(superseded)) return null;
    if (!superseded.every((mark) => typeof mark === 'string')) return null;
    const first = keyOf(current);
    if (!first || (candidate !== null && !keyOf(candidate))) return null;
    return { member: parseMemberId(member).member, current: first, candidate: keyOf(candidate), superseded };
  } catch {
    return null;
  }
}

function keyOf(value: unknown): AgentKey | null {
  if (typeof value !== 'object' || value === null) return null;
  const { id, hex } = value as Record<string, unknown>;
  const isKey = typeof id === 'number' && Number.isInteger(id) && id >= 1 && id <= 255 && typeof hex === 'string';
  return isKey && /^[0-9a-f]{64}$/.test(hex) ? { id, hex } : null;
}
