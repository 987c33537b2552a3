import type { NightRun } from './night-message.ts';
import { simulate } from './simulation.ts';

const [first = 1, step = 1, runs = 1, days = 0.1, members = 12] = process.argv.slice(2).map(Number);
/** Every so manieth cluster counts on serve leases. */
const SERVE_LEASE_EVERY = 3;
let stopped = false;
process.once('SIGTERM', () => {
  stopped = true;
});
// The terminal's Ctrl-C reaches the whole group: the parent decides.
process.on('SIGINT', () => undefined);

for (let seed = first; !stopped && seed < first + runs * step; seed += step) {
  const before = process.cpuUsage();
  const serveLease = seed % SERVE_LEASE_EVERY === 0;
  const result = await simulate({ seed, days, members, coordinators: 3, serveLease }, { stop: () => stopped });
  if (stopped && result.violations.length === 0) break;
  const { user, system } = process.cpuUsage(before);
  const run: NightRun = {
    seed,
    simulatedMs: result.simulatedMs,
    cpuMs: (user + system) / 1_000,
    recoveries: result.tally.recoveriesFinished,
    faults: result.outcomes.filter((one) => one.result === 'happened').length,
    violations: [...result.violations],
    did: result.tally.did(),
    cells: result.coverage.cells(),
  };
  process.stdout.write(`${JSON.stringify(run)}\n`);
}
