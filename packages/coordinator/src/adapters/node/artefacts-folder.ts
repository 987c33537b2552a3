import { createHash } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

const SUMS = 'SHA256SUMS';
/** The list of a folder with every package is 2 kB. */
const SUMS_BYTES_MAX = 65_536;
/** One line of sha256sum: the sum, two signs, a plain name. */
const LINE = /^([0-9a-f]{64})[ ][ *]([A-Za-z0-9][A-Za-z0-9._+~-]{0,199})$/;

/** Name → SHA-256, of the plain names in a list of sums. */
export const sumsIn = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const [, sum, name] = LINE.exec(line) ?? [];
      return sum === undefined || name === undefined ? [] : [[name, sum]];
    }),
  );

interface FoundFile {
  readonly bytes: number;
  readonly sha256: string;
  readonly open: () => ReadStream;
}

/**
 * The files of a folder that its `SHA256SUMS` names, and that list. The list is read at each
 * request, so an upgrade of the folder needs no restart. A name that is not in it is never looked
 * for on the disk.
 */
export function artefactsFolder(folder: string) {
  const readSums = async (): Promise<Buffer | null> => {
    const bytes = await readFile(join(folder, SUMS)).catch(() => null);
    return bytes && bytes.byteLength <= SUMS_BYTES_MAX ? bytes : null;
  };
  return {
    async find(name: string): Promise<FoundFile | null> {
      const list = await readSums();
      if (list === null) return null;
      const own = name === SUMS ? createHash('sha256').update(list).digest('hex') : undefined;
      const sha256 = own ?? sumsIn(list.toString('utf8')).get(name);
      if (sha256 === undefined) return null;
      const path = join(folder, name);
      const found = await stat(path).catch(() => null);
      if (!found?.isFile()) return null;
      // An upgrade may replace the file meanwhile: never more than was announced.
      return { bytes: found.size, sha256, open: () => createReadStream(path, { end: Math.max(0, found.size - 1) }) };
    },
  };
}
