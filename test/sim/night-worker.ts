import { nightShape, type NightRun } from './night-message.ts';
import { simulate } from './simulation.ts';

const [first = 1, step = 1, runs = 1, days = 0.1, members = 12] = process.argv.slice(2).map(Number);
let stopped = false;
process.once('SIGTERM', () => {
  stopped = true;
});
// The terminal's Ctrl-C reaches the whole group: the parent decides.
process.on('SIGINT', () => undefined);

for (let seed = first; !stopped && seed < first + runs * step; seed += step) {
  const before = process.cpuUsage();
  const result = await simulate({ ...nightShape(seed), days, members }, { stop: () => stopped });
  if (stopped && result.violations.length === 0) break;
  const { user, system } = process.cpuUsage(before);
  const run: NightRun = {
    seed,
    simulatedMs: result.simulatedMs,
    cpuMs: (user + system) / 1_000,
    recoveries: result.tally.recoveriesFinished,
    faults: result.outcomes.filter((one) => one.result === 'happened').length,
    violations: [...result.violations],
    cells: result.coverage.cells(),
  };
  process.stdout.write(`${JSON.stringify(run)}\n`);
}
