/**
 * `pnpm run faults`: the fault lab (docs/fault-lab.md). Needs root; `--list` shows the scenarios.
 */
import { runMain } from './run.mjs';
import { runSource } from './run-source.mjs';

await runMain(() => runSource('test/faults/main.ts', process.argv.slice(2)));
