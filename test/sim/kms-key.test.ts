import { expect, test } from 'vitest';
import type { Fault, Stage } from './faults/fault.ts';
import { failureOf } from './report.ts';
import { type RunResult, simulate } from './simulation.ts';

/** m1 has an encrypted data volume. */
const crash: Fault = { id: 'crash', kind: 'guest-crash', when: { atMs: 60_000 }, forMs: 0, member: 'm1' };
const disable = (when: Fault['when'], forMs: number): Fault => ({
  ...{ id: 'key', kind: 'operator-disables-key', when },
  ...{ forMs, member: 'm1' },
});

async function run(seed: number, faults: readonly Fault[]): Promise<RunResult> {
  const shape = { seed, days: 0.01, members: 2, coordinators: 3, encrypted: true };
  const result = await simulate({ ...shape, faults: [faults] });
  expect(result.violations, result.violations.length > 0 ? failureOf(result) : '').toEqual([]);
  expect(result.outcomes.map((one) => one.result)).toEqual(faults.map(() => 'happened'));
  return result;
}

test.each<Exclude<Stage, 'none'>>(['intent', 'fence', 'capture', 'image', 'permit', 'launch', 'verify'])(
  'a key that is disabled at %s and enabled ten minutes later: the recovery ends by itself, with one replacement',
  async (stage) => {
    const { tally } = await run(5, [crash, disable({ stage, nth: 1, afterMs: 0 }, 600_000)]);
    expect([tally.recoveriesBegun, tally.recoveriesFinished]).toEqual([1, 1]);
    expect([...tally.heldLast]).toEqual([]);
  },
);

test('one that is disabled before its member dies: nothing is begun before it is enabled', async () => {
  const { tally } = await run(6, [disable({ atMs: 30_000 }, 900_000), crash]);
  expect(tally.recoveriesBegun).toBe(1);
  expect(tally.recoveriesFinished).toBe(1);
});

test('a leader that dies while it waits for the key changes nothing', async () => {
  const dies: Fault = {
    ...{ id: 'dies', kind: 'coordinator-crash', coordinator: 'leader' },
    ...{ when: { stage: 'capture', nth: 1, afterMs: 90_000 }, forMs: 30_000 },
  };
  const { tally } = await run(7, [crash, disable({ stage: 'fence', nth: 1, afterMs: 0 }, 600_000), dies]);
  expect([tally.recoveriesBegun, tally.recoveriesFinished]).toEqual([1, 1]);
});
