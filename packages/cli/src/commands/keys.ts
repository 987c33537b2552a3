import { readFileSync, statSync } from 'node:fs';
import { deriveAgentKey, errorText, OperationError, parseKey, parseMemberId } from '@understudy/shared';

/** Reads a master secret; warns on stderr when others can read the file. @throws KEY_INVALID */
function readMaster(path: string): Uint8Array {
  try {
    if ((statSync(path).mode & 0o077) !== 0)
      process.stderr.write(`warning: ${path} is readable by others; chmod 600 it\n`);
    return parseKey(readFileSync(path, 'utf8'), path);
  } catch (cause) {
    if (cause instanceof OperationError) throw cause;
    throw new OperationError('KEY_INVALID', `cannot read ${path}: ${errorText(cause)}`, { cause });
  }
}

/** The key one agent gets, as 64 hex characters. @throws KEY_INVALID, CONFIG_INVALID */
export function agentKeyHex(masterPath: string, keyId: number, memberText: string): string {
  const key = deriveAgentKey(readMaster(masterPath), keyId, parseMemberId(memberText).member);
  return Buffer.from(key).toString('hex');
}
