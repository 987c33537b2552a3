import { readFileSync } from 'node:fs';
import { errorText, OperationError } from '@understudy/shared';

/** @throws CONFIG_INVALID naming the file. */
export function readToken(file: string | undefined): string | null {
  if (file === undefined || file === '') return null;
  try {
    const token = readFileSync(file, 'utf8').trim();
    if (/^[\x21-\x7e]+$/.test(token)) return token;
  } catch (cause) {
    throw new OperationError('CONFIG_INVALID', `cannot read the token file ${file}: ${errorText(cause)}`, { cause });
  }
  throw new OperationError('CONFIG_INVALID', `${file} holds no token: want one line without blanks`);
}
