/**
 * `npm run package:check`: tries and looks over the packages in every form: .deb, .rpm and tarball
 * on machines, lintian, rpmlint, two builds of all of it (docs/packaging.md). It takes root, Debian
 * and minutes. `npm run verify` does the .deb part.
 */
import { join } from 'node:path';
import { run, runMain } from './run.mjs';
import { ROOT, setUp } from './setup.mjs';

await runMain(async () => {
  const { node, env } = await setUp();
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--project', 'integration', 'test/integration/packages', ...process.argv.slice(2)];
  return run(node, args, { env: { ...env, UNDERSTUDY_PACKAGES: 'all' }, cwd: ROOT, watchParent: true });
});
