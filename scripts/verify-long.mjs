/**
 * `npm run verify:long`: the tests that `npm run verify` leaves out for their length
 * (test/speeds.ts). Root, Debian and minutes.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, runMain } from './run.mjs';
import { ROOT, setUp } from './setup.mjs';

/** The list is TypeScript, and this script runs on a Node that reads none. */
const [, list = ''] =
  /LONG: readonly string\[\] = \[([^\]]*)\]/.exec(readFileSync(join(ROOT, 'test', 'speeds.ts'), 'utf8')) ?? [];
const FILES = [...list.matchAll(/^ {2}'([^']+)'/gm)].map(([, file]) => file);

await runMain(async () => {
  const { node, env } = await setUp();
  if (FILES.length === 0) throw new Error('test/speeds.ts lists no long tests');
  const args = [join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...FILES, ...process.argv.slice(2)];
  return run(node, args, { env, cwd: ROOT, watchParent: true });
});
