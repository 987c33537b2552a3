/** Sets up what is missing, then runs a TypeScript entry point with the project's own Node. */
import { join } from 'node:path';
import { run } from './run.mjs';
import { ROOT, setUp } from './setup.mjs';

/**
 * @param {string} entry path below the project's root
 * @param {readonly string[]} args
 * @returns {Promise<number>} exit code
 */
export async function runSource(entry, args) {
  const { node, env } = await setUp();
  return run(node, ['--conditions=source', '--import', import.meta.resolve('tsx'), join(ROOT, entry), ...args], {
    env,
    cwd: process.env.INIT_CWD ?? process.cwd(),
    watchParent: true,
  });
}
