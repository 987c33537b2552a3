import { type Bench, type BenchRow, renderRows } from './bench.ts';
import { busyLoop } from './busy-loop.ts';
import { detectionTime } from './detection-time.ts';
import { macCost, observerFootprint } from './footprint.ts';
import { heartbeatIngest } from './ingest.ts';
import { failedZone, lostZone } from './lost-zone.ts';
import { recoveryPaths } from './recovery-paths.ts';
import { recoveryOverCriticalPath } from './recovery.ts';
import { serviceLooks } from './service-looks.ts';
import { steadyState } from './steady-state.ts';
import { inventoryHistory } from './inventory.ts';
import { leaderTakeOver } from './take-over.ts';

/** Register a benchmark here; `pnpm run bench <part of a name>` runs some of them. */
const BENCHES: readonly (readonly [string, Bench])[] = [
  ['heartbeat-mac', macCost],
  ['observer-footprint', observerFootprint],
  ['heartbeat-ingest', heartbeatIngest],
  ['busy-loop', busyLoop],
  ['steady-state', steadyState],
  ['service-probes', serviceLooks],
  ['recovery', recoveryOverCriticalPath],
  ['lost-zone', lostZone],
  ['failed-zone', failedZone],
  ['recovery-paths', recoveryPaths],
  ['take-over', leaderTakeOver],
  ['detection-time', detectionTime],
  ['inventory', inventoryHistory],
];

const wanted = process.argv.slice(2);
const rows: BenchRow[] = [];
let failed = false;
for (const [name, bench] of BENCHES) {
  if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
  console.error(`… ${name}`);
  try {
    rows.push(...(await bench()));
  } catch (error) {
    failed = true;
    console.error(`${name}: ${error instanceof Error ? error.stack : String(error)}`);
  }
}
console.log(renderRows(rows));
// A missed budget is for people to read. Only a benchmark that could not run is an error.
process.exitCode = failed ? 1 : 0;
