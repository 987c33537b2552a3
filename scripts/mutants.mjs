/** `npm run mutants -- ARGS`: breaks the safety core on purpose (docs/mutation.md). */
import { runMain } from './run.mjs';
import { runNative } from './run-native.mjs';

await runMain(() => runNative('test/mutants/main.ts', process.argv.slice(2)));
