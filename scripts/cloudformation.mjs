/**
 * `npm run cloudformation`: writes the policy and the boot script into
 * deploy/cloudformation/coordinators.yaml. The test that holds the template against them does it.
 */
import { run, runMain } from './run.mjs';
import { ROOT, setUp } from './setup.mjs';

await runMain(async () => {
  const { node, env } = await setUp();
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', 'unit/cloudformation', '--update'];
  return run(node, args, { env, cwd: ROOT, watchParent: true });
});
