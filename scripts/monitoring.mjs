/**
 * `npm run monitoring`: writes deploy/monitoring/grafana-dashboard.json. The test that holds the
 * file against its source does it.
 */
import { run, runMain } from './run.mjs';
import { ROOT, setUp } from './setup.mjs';

await runMain(async () => {
  const { node, env } = await setUp();
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', 'unit/monitoring', '--update'];
  return run(node, args, { env, cwd: ROOT, watchParent: true });
});
