/**
 * `npm run bench`: every budget of the design as a ratio measured in one run. Arguments choose
 * benchmarks by name.
 */
import { runMain } from './run.mjs';
import { runSource } from './run-source.mjs';

await runMain(() => runSource('test/bench/main.ts', process.argv.slice(2)));
