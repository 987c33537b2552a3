import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import {
  deriveAgentKey,
  errorText,
  KEY_BYTES,
  keyFingerprint,
  OperationError,
  parseKey,
  parseMemberId,
  type Random,
} from '@understudy/shared';
import { complain } from '../terminal.ts';

/**
 * Reads a master secret. Warns on stderr when others can read the file.
 * @throws KEY_INVALID
 */
function readMaster(path: string): Uint8Array {
  try {
    if ((statSync(path).mode & 0o077) !== 0) complain(`warning: ${path} is readable by others; chmod 600 it`);
    return parseKey(readFileSync(path, 'utf8'), path);
  } catch (cause) {
    if (cause instanceof OperationError) throw cause;
    throw new OperationError('KEY_INVALID', `cannot read ${path}: ${errorText(cause)}`, { cause });
  }
}

/**
 * The key of one agent, as 64 hex characters.
 * @throws KEY_INVALID, CONFIG_INVALID
 */
export function agentKeyHex(masterPath: string, keyId: number, memberText: string): string {
  const key = deriveAgentKey(readMaster(masterPath), keyId, parseMemberId(memberText).member);
  return Buffer.from(key).toString('hex');
}

/**
 * The fingerprint as `/v1/keys` shows it, to compare a file with what coordinators hold.
 * @throws KEY_INVALID
 */
export const masterFingerprint = (masterPath: string, keyId: number): string =>
  keyFingerprint(readMaster(masterPath), keyId);

/**
 * Writes a new master secret, mode 0600. A file that exists, whatever it holds, is left alone: it
 * may be the only copy of a key in use.
 * @throws KEY_INVALID
 */
export function generateMaster(path: string, random: Random): void {
  try {
    writeFileSync(path, `${random.hex(KEY_BYTES)}\n`, { mode: 0o600, flag: 'wx' });
    // The umask only narrows the mode above, and never widens it. This also holds where the file
    // system gave more.
    chmodSync(path, 0o600);
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    const text = isThere
      ? `${path} is there already and is not overwritten`
      : `cannot write ${path}: ${errorText(cause)}`;
    throw new OperationError('KEY_INVALID', text, { cause });
  }
}
