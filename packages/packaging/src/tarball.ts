import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { FileTree } from './file-tree.ts';
import { runTool } from './run-tool.ts';
import { writeTree } from './write-tree.ts';

export interface TarballOptions {
  readonly tree: FileTree;
  /** The one folder that it unpacks to. */
  readonly name: string;
  /** A folder of our own to stage it in; it is emptied. */
  readonly stage: string;
  readonly output: string;
  readonly dateS: number;
  /** True: quick and large, for tests. */
  readonly fast: boolean;
}

/**
 * Tar writes names in order, root as owner and one date; the project's own Node compresses, so the
 * bytes do not depend on this machine's gzip.
 */
export async function makeTarball({ tree, name, stage, output, dateS, fast }: TarballOptions): Promise<void> {
  await writeTree(`${stage}/${name}`, tree, dateS);
  const order = ['--format=ustar', '--sort=name', `--mtime=@${dateS}`, '--owner=root:0', '--group=root:0'];
  const plain = `${output}.tar`;
  await runTool('tar', [...order, '-cf', plain, '-C', stage, name]);
  await pipeline(createReadStream(plain), createGzip({ level: fast ? 1 : 9 }), createWriteStream(output));
  await Promise.all([rm(plain), rm(stage, { recursive: true })]);
}
