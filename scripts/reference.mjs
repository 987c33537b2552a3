/**
 * `npm run reference`: writes docs/policy.md, docs/placement.md and docs/runbooks/holds.md from
 * schema and tables. The test that holds the pages against them does it.
 */
import { run, runMain } from './run.mjs';
import { ROOT, setUp } from './setup.mjs';

await runMain(async () => {
  const { node, env } = await setUp();
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', 'unit/docs/reference', '--update'];
  return run(node, args, { env, cwd: ROOT, watchParent: true });
});
