/**
 * `npm run model`: searches the models in `model/` and prints the table. `-- --trail NAME` tells a
 * counterexample, `-- --deep` takes long.
 */
import { runMain } from './run.mjs';
import { runSource } from './run-source.mjs';

await runMain(() => runSource('test/model/main.ts', process.argv.slice(2)));
