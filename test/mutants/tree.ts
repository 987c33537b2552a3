import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './rooms.ts';

export const CACHE = join(ROOT, '.cache', 'mutants');
/** Each run has its own tree, because two at a time would destroy each other's. */
const TREE = join(CACHE, `tree-${process.pid}`);

const lines = (text: string): readonly string[] => text.split('\0').filter((line) => line !== '');

const removeTree = (): void => rmSync(TREE, { recursive: true, force: true });

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Removes the trees of killed runs. */
function removeOrphans(): void {
  if (!existsSync(CACHE)) return;
  for (const name of readdirSync(CACHE)) {
    const pid = /^tree-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(CACHE, name), { recursive: true, force: true });
  }
}

/**
 * A copy of what git knows and of what is new, to be mutated in place. Dependencies are shared. It
 * is gone when the process ends. Returns its folder.
 */
export function freshTree(): string {
  removeOrphans();
  process.once('exit', removeTree);
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
  const packages = readdirSync(join(ROOT, 'packages')).map((name) => `packages/${name}`);
  for (const folder of [...packages, 'test']) {
    const from = join(ROOT, folder, 'node_modules');
    if (existsSync(from)) cpSync(from, join(TREE, folder, 'node_modules'), { recursive: true, verbatimSymlinks: true });
  }
  return TREE;
}
