/**
 * `npm run soak`: half an hour of failures, and whether anything grew. Arguments: `--minutes N
 * --members N --json FILE --keep`.
 */
import { runMain } from './run.mjs';
import { runSource } from './run-source.mjs';

await runMain(() => runSource('test/soak/main.ts', process.argv.slice(2)));
