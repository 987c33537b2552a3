import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './network.ts';

const MIB = 1_048_576;
const BALLAST = 'ballast';

/**
 * A small file system of its own, mounted for as long as the lab's private mount namespace exists.
 */
export interface Disk {
  readonly path: string;
  /** `major:minor` of the block device below. Null for a tmpfs. */
  readonly device: string | null;
}

export function mountTmpfs(path: string, sizeMiB: number): Disk {
  mkdirSync(path, { recursive: true });
  runProgram('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'tmpfs', path]);
  return { path, device: null };
}

/**
 * ext4 on a loop device, so that there is a block device whose speed can be limited.
 * @throws where there are no loop devices
 */
export function mountLoop(path: string, sizeMiB: number): Disk {
  mkdirSync(path, { recursive: true });
  const image = `${path}.img`;
  writeFileSync(image, '');
  truncateSync(image, sizeMiB * MIB);
  runProgram('mkfs.ext4', ['-q', image]);
  runProgram('mount', ['-o', 'loop', image, path]);
  const { dev } = statSync(path);
  // Linux's encoding of a device number (makedev(3)).
  return { path, device: `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}` };
}

/** A block device where it can be had, otherwise a tmpfs. Only the slow disk needs the former. */
export function mountLoopOrTmpfs(path: string, sizeMiB: number): Disk {
  try {
    return mountLoop(path, sizeMiB);
  } catch {
    return mountTmpfs(path, sizeMiB);
  }
}

/** Writes until the kernel says ENOSPC, to the last byte. Returns how many bytes that took. */
export function fillDisk({ path }: Pick<Disk, 'path'>): number {
  const file = openSync(join(path, BALLAST), 'a');
  let written = 0;
  try {
    for (const chunk of [MIB, 4_096, 1]) written += writeUntilFull(file, Buffer.alloc(chunk, 1));
  } finally {
    closeSync(file);
  }
  return written;
}

function writeUntilFull(file: number, chunk: Buffer): number {
  let written = 0;
  for (;;) {
    try {
      written += writeSync(file, chunk);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
      return written;
    }
  }
}

export const freeDisk = ({ path }: Pick<Disk, 'path'>): void => rmSync(join(path, BALLAST), { force: true });
