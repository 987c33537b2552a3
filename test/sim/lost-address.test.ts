import { expect, test } from 'vitest';
import type { Fault, Stage } from './faults/fault.ts';
import { failureOf } from './report.ts';
import { type RunResult, simulate } from './simulation.ts';

const crash: Fault = { id: 'crash', kind: 'guest-crash', when: { atMs: 60_000 }, forMs: 0, member: 'm1' };
const at = (stage: Exclude<Stage, 'none'>, nth = 1): Fault['when'] => ({ stage, nth, afterMs: 0 });
const release = (when: Fault['when']): Fault => ({
  ...{ id: 'release', kind: 'operator-releases-address', when },
  ...{ forMs: 60_000, member: 'struck' },
});
const keep = (when: Fault['when']): Fault => ({
  ...{ id: 'keep', kind: 'operator-keeps-address', when },
  ...{ forMs: 5_000, member: 'struck' },
});

async function run(faults: readonly Fault[]): Promise<RunResult> {
  const result = await simulate({ seed: 5, days: 0.01, members: 2, coordinators: 3, faults: [faults] });
  expect(result.violations, result.violations.length > 0 ? failureOf(result) : '').toEqual([]);
  expect(result.outcomes.map((one) => one.result)).toEqual(faults.map(() => 'happened'));
  return result;
}

test.each<Exclude<Stage, 'none'>>(['intent', 'fence', 'capture', 'launch', 'verify', 'activate', 'address'])(
  'an address that is released at %s holds nobody up: the recovery is closed',
  async (stage) => {
    const { tally } = await run([crash, release(at(stage))]);
    expect(tally.recoveriesFinished).toBe(1);
    expect([...tally.heldLast]).toEqual([]);
  },
);

test('an address that is released while EC2 shows an older picture is a loss, too', async () => {
  const stale: Fault = {
    ...{ id: 'stale', kind: 'api-stale-read', when: at('address'), forMs: 60_000 },
    ...{ action: 'DescribeAddresses', times: 1_000, byMs: 4_000 },
  };
  const { tally } = await run([crash, release(at('address')), stale]);
  expect(tally.recoveriesFinished).toBe(1);
});

test('an address that somebody keeps leaves its recovery visibly held', async () => {
  const { tally } = await run([crash, keep(at('address'))]);
  expect([...tally.heldLast]).toEqual([['AddressHeldElsewhere', 1]]);
  expect(tally.recoveriesBegun).toBe(1);
});

test('and a replacement that dies meanwhile is replaced all the same', async () => {
  const again: Fault = { ...crash, id: 'again', when: { atMs: 600_000 } };
  const { tally } = await run([crash, keep(at('address')), again]);
  expect(tally.recoveriesBegun).toBe(2);
  expect(tally.recoveriesFinished).toBe(1);
});
