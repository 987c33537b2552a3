/** `npm run sim -- ARGS`: the deterministic simulation (docs/simulation.md). */
import { runMain } from './run.mjs';
import { runNative } from './run-native.mjs';

await runMain(() => runNative('test/sim/main.ts', process.argv.slice(2)));
