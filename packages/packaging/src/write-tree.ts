import { chmod, copyFile, lstat, lutimes, mkdir, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { constants } from 'node:fs';
import { dirname, join } from 'node:path';
import type { FileTree, TreeFile } from './file-tree.ts';

/**
 * Writes a tree into an empty folder, with exactly the modes and the one date that it says: neither
 * umask nor clock of this machine shows.
 */
export async function writeTree(folder: string, tree: FileTree, dateS: number): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [path, file] of tree) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await writeOne(target, file);
    await lutimes(target, dateS, dateS);
  }
  await settleFolders(folder, dateS);
}

async function writeOne(target: string, { content, mode }: TreeFile): Promise<void> {
  if ('linkTo' in content) return symlink(content.linkTo, target);
  if ('copyOf' in content) await copyFile(content.copyOf, target, constants.COPYFILE_FICLONE);
  else await writeFile(target, content.text);
  await chmod(target, mode);
}

/** Folders last, deepest first: writing into one changes its date. */
async function settleFolders(folder: string, dateS: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if ((await lstat(path)).isDirectory()) await settleFolders(path, dateS);
  }
  await chmod(folder, 0o755);
  await utimes(folder, dateS, dateS);
}
