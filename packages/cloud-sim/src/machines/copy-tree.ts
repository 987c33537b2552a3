import {
  constants,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  lstatSync,
} from 'node:fs';
import { join } from 'node:path';

const ENTRIES_MAX = 200_000;

const isGone = (error: unknown): boolean => (error as { code?: string }).code === 'ENOENT';

/**
 * Copies a folder as it is at this moment. It is synchronous, so that nothing of ours happens in
 * between. Links are copied verbatim. A file that vanishes while it is being read counts as absent;
 * sockets and pipes are left out. At most {@link ENTRIES_MAX} entries.
 */
export function copyTree(from: string, to: string): void {
  let left = ENTRIES_MAX;
  const copyEntry = (source: string, target: string): void => {
    if (--left < 0) throw new Error(`${from} has more than ${ENTRIES_MAX} entries`);
    const entry = lstatSync(source);
    if (entry.isDirectory()) {
      mkdirSync(target, { recursive: true });
      for (const name of readdirSync(source)) attempt(join(source, name), join(target, name));
    } else if (entry.isSymbolicLink()) {
      symlinkSync(readlinkSync(source), target);
    } else if (entry.isFile()) {
      copyFileSync(source, target, constants.COPYFILE_FICLONE);
      utimesSync(target, entry.atime, entry.mtime);
    }
  };
  const attempt = (source: string, target: string): void => {
    try {
      copyEntry(source, target);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  };
  mkdirSync(to, { recursive: true });
  attempt(from, to);
}
