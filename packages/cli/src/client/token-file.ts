import { readFileSync, statSync } from 'node:fs';
import { errorText, OperationError } from '@understudy/shared';

/**
 * The token in a file. A file that others can read is refused: whoever reads it may do what its
 * owner may.
 * @throws CONFIG_INVALID naming the file
 */
export function readToken(file: string | undefined): string | null {
  if (file === undefined || file === '') return null;
  let token: string;
  try {
    const mode = statSync(file).mode & 0o777;
    if ((mode & 0o077) !== 0)
      throw new OperationError(
        'CONFIG_INVALID',
        `the token file ${file} has mode ${mode.toString(8)}, so others can use it: chmod 600 ${file}`,
      );
    token = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    if (cause instanceof OperationError) throw cause;
    throw new OperationError('CONFIG_INVALID', `cannot read the token file ${file}: ${errorText(cause)}`, { cause });
  }
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new OperationError('CONFIG_INVALID', `${file} holds no token: want one line without blanks`);
}
