/** `npm run fuzz -- ARGS`: hostile datagrams (docs/hostile-input.md). */
import { runMain } from './run.mjs';
import { runNative } from './run-native.mjs';

await runMain(() => runNative('test/fuzz/main.ts', process.argv.slice(2)));
