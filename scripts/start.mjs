/** `npm start`: sets up what is missing, then runs the demo. Arguments go to `understudy demo`. */
import { ensureDashboard } from './dashboard.mjs';
import { runMain } from './run.mjs';
import { runSource } from './run-source.mjs';

await runMain(async () => {
  await ensureDashboard();
  return runSource('packages/cli/src/main.ts', ['demo', ...process.argv.slice(2)]);
});
