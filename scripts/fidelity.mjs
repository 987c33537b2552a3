/**
 * `npm run fidelity`: writes docs/fidelity.md from the fidelity table. The test that holds the page
 * against the table does it.
 */
import { run, runMain } from './run.mjs';
import { ROOT, setUp } from './setup.mjs';

await runMain(async () => {
  const { node, env } = await setUp();
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', 'fidelity/page.test.ts', '--update'];
  return run(node, args, { env, cwd: ROOT, watchParent: true });
});
