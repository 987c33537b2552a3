/**
 * Sets up what is missing, then runs a TypeScript entry point with the project's own Node and no
 * loader between: Node strips the types itself, and nothing slows the code down.
 */
import { join } from 'node:path';
import { run } from './run.mjs';
import { ROOT, setUp } from './setup.mjs';

/** Fewer, larger collections: a simulation makes garbage and little else. */
export const NATIVE_FLAGS = [
  '--conditions=source',
  '--max-semi-space-size=64',
  '--disable-warning=ExperimentalWarning',
];

/**
 * @param {string} entry path below the project's root
 * @param {readonly string[]} args
 * @returns {Promise<number>} exit code
 */
export async function runNative(entry, args) {
  const { node, env } = await setUp();
  return run(node, [...NATIVE_FLAGS, join(ROOT, entry), ...args], {
    env,
    cwd: process.env.INIT_CWD ?? process.cwd(),
    watchParent: true,
  });
}
