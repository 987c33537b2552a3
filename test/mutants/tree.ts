import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './rooms.ts';

export const CACHE = join(ROOT, '.cache', 'mutants');
const TREE = join(CACHE, 'tree');

const lines = (text: string): readonly string[] => text.split('\0').filter((line) => line !== '');

/** A copy of what git knows and of what is new, to be mutated in place; dependencies are shared. Returns its folder. */
export function freshTree(): string {
  rmSync(TREE, { recursive: true, force: true });
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  for (const file of lines(listed)) {
    if (!existsSync(join(ROOT, file))) continue;
    mkdirSync(dirname(join(TREE, file)), { recursive: true });
    cpSync(join(ROOT, file), join(TREE, file));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(TREE, 'node_modules'));
  // The packages see each other through relative links, which lead to the copies here.
  const packages = ['agent', 'cli', 'cloud-sim', 'coordinator', 'shared'].map((name) => `packages/${name}`);
  for (const folder of [...packages, 'test']) {
    const from = join(ROOT, folder, 'node_modules');
    if (existsSync(from)) cpSync(from, join(TREE, folder, 'node_modules'), { recursive: true, verbatimSymlinks: true });
  }
  return TREE;
}
