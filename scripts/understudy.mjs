/**
 * `./understudy ARGS` (and `npm run understudy -- ARGS`, which prints npm's banner first): the
 * command, run from source.
 */
import { runMain } from './run.mjs';
import { runSource } from './run-source.mjs';

await runMain(() => runSource('packages/cli/src/main.ts', process.argv.slice(2)));
