/**
 * `npm run machines`: real Debian machines, booted as cloud-sim's instances (docs/machines.md).
 * Needs root; `--list` shows the scenarios.
 */
import { runMain } from './run.mjs';
import { runSource } from './run-source.mjs';

await runMain(() => runSource('test/machines/main.ts', process.argv.slice(2)));
