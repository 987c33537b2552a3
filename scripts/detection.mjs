/** `npm run detection -- ARGS`: false verdicts behind lossy paths (docs/detection.md). */
import { runMain } from './run.mjs';
import { runNative } from './run-native.mjs';

await runMain(() => runNative('test/detection/main.ts', process.argv.slice(2)));
