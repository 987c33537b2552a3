import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SPEED } from '../speeds.ts';
import { failureOf } from './report.ts';
import { readRegression, specOf } from './regression.ts';
import { type RunResult, simulate } from './simulation.ts';

/** The short run takes half of them. The night takes others. `UNDERSTUDY_SIM_SEEDS` for more. */
const SEED_COUNT = process.env[SPEED] === 'short' ? 8 : 16;
const SEEDS = Array.from(
  { length: Number(process.env['UNDERSTUDY_SIM_SEEDS'] ?? SEED_COUNT) },
  (_, index) => index + 1,
);
const REGRESSIONS = join(import.meta.dirname, 'regressions');

/** What eight seeds in a row show together: a way that is never taken is not tested. */
const SHOWN = [
  ...['snapshot-and-replace replaced', 'reattach replaced', 'stop-start mended', 'reboot mended'],
  ...['disk by snapshot', 'disk by reattach', 'disk by copy', 'disk by latest-snapshot', 'disk by multi-attach'],
  'another zone',
  ...['event late', 'event lost', 'event duplicated', 'event disordered', 'event forged'],
  ...['deed waits', 'deed in a history'],
  'inventory crawled',
  ...['script run', 'script again'],
  ...['preparation begun', 'preparation taken over: snapshot,capacity', 'preparation dropped'],
];
const did = new Set<string>();

const totals = { runs: 0, simulatedMs: 0, faults: 0, recoveries: 0 };

function count(result: RunResult): void {
  totals.runs += 1;
  totals.simulatedMs += result.simulatedMs;
  totals.faults += result.outcomes.filter((one) => one.result === 'happened').length;
  for (const what of Object.keys(result.tally.did())) did.add(what);
  totals.recoveries += result.tally.recoveriesFinished;
}

describe('whatever breaks', () => {
  test.each(SEEDS)('seed %i: every invariant holds, and everybody is well or visibly held in the end', async (seed) => {
    const result = await simulate({ seed, days: 0.01, members: 8, coordinators: 3 });
    count(result);
    expect(result.violations, result.violations.length > 0 ? failureOf(result) : '').toEqual([]);
  });

  afterAll(() => {
    console.log(`simulated: ${JSON.stringify({ ...totals, simulatedHours: totals.simulatedMs / 3_600_000 })}`);
    // A run in which nothing broke, or nothing was recovered, would prove nothing.
    expect(totals.faults).toBeGreaterThan(totals.runs * 5);
    expect(totals.recoveries).toBeGreaterThan(totals.runs);
    expect(SHOWN.filter((what) => !did.has(what))).toEqual([]);
  });
});

describe('whatever breaks, in a group with a service probe', () => {
  test.each([114])('seed %i: every invariant holds, whoever answers', async (seed) => {
    // Without a history, whose calls move all others: too few looks were refused with one.
    const shape = { seed, days: 0.01, members: 8, coordinators: 3, probes: true, inventory: false };
    const result = await simulate(shape);
    expect(result.violations, result.violations.length > 0 ? failureOf(result) : '').toEqual([]);
    expect(result.tally.recoveriesFinished).toBeGreaterThan(0);
    // Accepted, refused and silent ones: all three kinds came up.
    for (const code of ['Passing', 'Refused', 'Timeout'] as const)
      expect(result.looks[code] ?? 0, code).toBeGreaterThan(5);
  });
});

describe('whatever breaks, in a group with a ladder', () => {
  test.each([7])('seed %i: every invariant holds, and members come back both ways', async (seed) => {
    const result = await simulate({ seed, days: 0.01, members: 8, coordinators: 3, ladder: true });
    expect(result.violations, result.violations.length > 0 ? failureOf(result) : '').toEqual([]);
    expect(result.tally.recoveriesFinished).toBeGreaterThan(3);
    // Fewer launches than recoveries: some came back on the instance they had.
    expect(result.tally.launchAttempts).toBeLessThan(result.tally.recoveriesFinished);
  });
});

describe('what once went wrong', () => {
  const files = readdirSync(REGRESSIONS).filter((file) => file.endsWith('.json'));

  test.each(files)('%s goes well now', async (file) => {
    const regression = readRegression(join(REGRESSIONS, file));
    const result = await simulate(specOf(regression));
    expect(result.violations, `${regression.story}\n${failureOf(result)}`).toEqual([]);
    expect(
      result.outcomes.some((outcome) => outcome.result === 'happened'),
      'none of its faults happened',
    ).toBe(true);
  });

  test('is readable', () => {
    for (const file of files) expect(readRegression(join(REGRESSIONS, file)).story.length).toBeGreaterThan(10);
  });
});
