import { expect, test } from 'vitest';
import type { Fault } from './faults/fault.ts';
import { failureOf } from './report.ts';
import { simulate } from './simulation.ts';

/** Silent to the coordinators, and well for Systems Manager: its script runs. */
const cut = (member: string, atMs: number): Fault => ({
  ...{ id: `cut-${member}`, kind: 'machine-cut-off', when: { atMs }, forMs: 30_000, member },
});
const FAULTS: readonly Fault[] = [
  ...[cut('m1', 45_000), cut('m2', 400_000)],
  // The leader ends while the script of the first member is under way.
  { id: 'crash', kind: 'coordinator-crash', when: { atMs: 54_000 }, forMs: 60_000, coordinator: 'c1' },
];

test('a script on an instance runs once for its hook, whatever comes twice or late, and whoever leads', async () => {
  const did = { run: 0, again: 0, 'not-run': 0 };
  const print = (line: string): void => {
    for (const what of ['run', 'again', 'not-run'] as const) if (line.endsWith(` ${what}`)) did[what] += 1;
  };
  const shape = { seed: 1, days: 0.003, members: 2, coordinators: 3, identities: true, commands: true };
  const result = await simulate({ ...shape, faults: [FAULTS] }, { print });
  expect(result.violations, result.violations.length > 0 ? failureOf(result) : '').toEqual([]);
  expect(result.outcomes.map((one) => one.result)).toEqual(['happened', 'happened', 'happened']);
  expect(result.tally.recoveriesFinished).toBe(2);
  expect(did.run).toBe(2);
  expect(did.again).toBeGreaterThan(0);
});
