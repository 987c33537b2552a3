import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from './run-tool.ts';

/** What a build reads of a checkout. */
const INPUTS = ['LICENSE', 'deploy', 'docs', 'node_modules', 'package.json', 'packages', 'pnpm-lock.yaml', 'scripts'];
const MORE_INPUTS = ['pnpm-workspace.yaml', 'tsconfig.base.json'];

/** As unlike this machine's as the same machine can be. */
const ELSEWHERE = { TZ: 'Pacific/Chatham', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8', SHELL: '/bin/false' };

/**
 * Builds once more from a copy of the checkout in another folder, in another process, under another
 * umask, zone, locale and home, and returns the text of its SHA256SUMS. `args` are those of the
 * first build. Nothing of it is left behind.
 * @throws Error with the build's last words.
 */
export async function buildElsewhere(root: string, args: readonly string[]): Promise<string> {
  await mkdir(join(root, '.cache/packages'), { recursive: true });
  const work = await mkdtemp(join(root, '.cache/packages/elsewhere-'));
  try {
    const copy = join(work, 'another folder', 'checkout');
    await copyCheckout(root, copy);
    const out = join(work, 'out');
    await run(copy, root, [...args.filter((arg) => arg !== '--verify'), '--out', out]);
    return await readFile(join(out, 'SHA256SUMS'), 'utf8');
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Hard links: quick, and the same content at other paths. */
async function copyCheckout(root: string, copy: string): Promise<void> {
  await mkdir(join(copy, '.cache/packages'), { recursive: true });
  const inputs = [...INPUTS, ...MORE_INPUTS].map((name) => join(root, name));
  await runTool('cp', ['-al', ...inputs, copy]);
  // Made once more as well.
  await rm(join(copy, 'packages/dashboard/dist'), { recursive: true, force: true });
  const runtimes = join(root, '.cache/packages/node');
  if (existsSync(runtimes)) await runTool('cp', ['-al', runtimes, join(copy, '.cache/packages/node')]);
}

async function run(copy: string, root: string, args: readonly string[]): Promise<void> {
  const gitFolder = execFileSync('git', ['-C', root, 'rev-parse', '--absolute-git-dir'], { encoding: 'utf8' }).trim();
  const loader = join(copy, 'node_modules/tsx/dist/esm/index.mjs');
  const main = join(copy, 'packages/packaging/src/main.ts');
  const node = [process.execPath, '--conditions=source', '--import', loader, main, ...args];
  const child = spawn('/bin/sh', ['-c', 'umask 077; exec "$@"', 'sh', ...node], {
    cwd: '/',
    env: { ...process.env, ...ELSEWHERE, GIT_DIR: gitFolder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const words: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => words.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0)
    throw new Error(`the build elsewhere ended with ${code}: ${Buffer.concat(words).toString('utf8').trim()}`);
}

/** Files whose sums are not the same in both, or that stand in one only. */
export function differences(one: string, other: string): readonly string[] {
  const [first, second] = [sumsIn(one), sumsIn(other)];
  const names = [...new Set([...first.keys(), ...second.keys()])].sort((left, right) => (left < right ? -1 : 1));
  return names.filter((name) => first.get(name) !== second.get(name));
}

const sumsIn = (text: string): ReadonlyMap<string, string> =>
  new Map(text.split('\n').flatMap((line) => (line === '' ? [] : [[line.slice(66), line.slice(0, 64)] as const])));
