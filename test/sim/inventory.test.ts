import { expect, test } from 'vitest';
import type { Fault } from './faults/fault.ts';
import { failureOf } from './report.ts';
import { simulate } from './simulation.ts';

/** A member that fails, one that a person stops, and the leader paused in the middle of a crawl. */
const FAULTS: readonly (readonly Fault[])[] = [
  [
    { id: 'crash', kind: 'guest-crash', when: { atMs: 45_000 }, forMs: 0, member: 'm1' },
    { id: 'stop', kind: 'operator-stop', when: { atMs: 60_000 }, forMs: 600_000, member: 'm2' },
    {
      ...{ id: 'pause', kind: 'pause-before-call', when: { atMs: 100_000 }, forMs: 60_000 },
      ...{ coordinator: 'c1', call: 'inventory.finish', nth: 1 },
    },
  ],
];
/** Between what one reads twice: a tick of the leader, and EC2's latency. */
const NO_LATER_MS = 2_000;

async function run(inventory: boolean) {
  const begun: number[] = [];
  let crawls = 0;
  const shape = { seed: 1, days: 0.003, members: 2, coordinators: 3, inventory };
  const print = (line: string): void => {
    if (/ etcd .*put [^;]*\/intents\//.test(line)) begun.push(Number(line.split(' ')[0]));
    if (line.includes('crawled instance')) crawls += 1;
  };
  const result = await simulate({ ...shape, faults: FAULTS }, { print });
  expect(result.violations, result.violations.length > 0 ? failureOf(result) : '').toEqual([]);
  const happened = result.outcomes.filter((one) => one.result === 'happened').map(({ fault }) => fault.id);
  return { crawls, happened, firstIntentMs: begun[0] ?? 0, ended: Object.fromEntries(result.tally.ended) };
}

test('members are given up and replaced as without an inventory history, which says what EC2 had', async () => {
  const [without, kept] = [await run(false), await run(true)];
  expect([without.crawls, without.happened]).toEqual([0, ['crash', 'stop']]);
  expect(kept.happened).toEqual(['crash', 'stop', 'pause']);
  expect(kept.crawls).toBeGreaterThan(10);
  expect(kept.ended).toEqual(without.ended);
  expect(kept.ended).toEqual({ 'snapshot-and-replace replaced': 1 });
  expect(Math.abs(kept.firstIntentMs - without.firstIntentMs)).toBeLessThan(NO_LATER_MS);
});
