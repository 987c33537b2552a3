import { expect, test } from 'vitest';
import type { Fault } from './faults/fault.ts';
import { failureOf } from './report.ts';
import { simulate } from './simulation.ts';

const crash: Fault = { id: 'crash', kind: 'guest-crash', when: { atMs: 60_000 }, forMs: 0, member: 'm1' };
const refuses = (when: Fault['when'], forMs: number): Fault => ({
  id: 'full',
  kind: 'etcd-refuses-writes',
  when,
  forMs,
});

test.each<[string, readonly Fault[]]>([
  ['before the member dies, until long after', [refuses({ atMs: 40_000 }, 400_000), crash]],
  ['as its recovery is about to begin', [crash, refuses({ stage: 'intent', nth: 1, afterMs: 0 }, 120_000)]],
  ['while it is fenced', [crash, refuses({ stage: 'fence', nth: 1, afterMs: 500 }, 120_000)]],
  ['while it is launched', [crash, refuses({ stage: 'launch', nth: 1, afterMs: 100 }, 180_000)]],
  ['as it is activated', [crash, refuses({ stage: 'activate', nth: 1, afterMs: 0 }, 60_000)]],
  [
    'with a leader that crashes meanwhile',
    [
      crash,
      refuses({ stage: 'capture', nth: 1, afterMs: 0 }, 150_000),
      {
        id: 'dies',
        kind: 'coordinator-crash',
        when: { stage: 'capture', nth: 1, afterMs: 5_000 },
        forMs: 20_000,
        coordinator: 'leader',
      },
    ],
  ],
])('etcd refuses writes %s: every coordinator says so, and it is replaced once afterwards', async (_, faults) => {
  const result = await simulate({ seed: 3, days: 0.01, members: 4, coordinators: 3, faults: [faults] });
  expect(result.violations, result.violations.length > 0 ? failureOf(result) : '').toEqual([]);
  expect(result.outcomes.map((one) => one.result)).toEqual(faults.map(() => 'happened'));
  expect(result.tally.recoveriesFinished).toBe(1);
});
