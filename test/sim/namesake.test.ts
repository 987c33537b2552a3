import { expect, test } from 'vitest';
import type { Fault } from './faults/fault.ts';
import { failureOf } from './report.ts';
import { simulate } from './simulation.ts';

const namesake = (coordinator: string, atMs: number, forMs: number): Fault => ({
  ...{ id: `${coordinator}-misnamed`, kind: 'coordinator-namesake', when: { atMs }, forMs, coordinator },
});
const deafTo = (coordinator: string): Fault => ({
  ...{ id: `deaf-${coordinator}`, kind: 'net-member-cut', when: { atMs: 120_000 }, forMs: 120_000 },
  ...{ member: 'm1', coordinator },
});
const crash: Fault = { id: 'crash', kind: 'guest-crash', when: { atMs: 120_000 }, forMs: 0, member: 'm1' };

test.each<[string, readonly Fault[], number]>([
  ['and it and a third are deaf to a member: the one that hears it counts', [deafTo('c2'), deafTo('c3')], 0],
  ['and a member dies: the two that have ids are enough', [crash], 1],
  ['and the one it is named after is paused, and goes on', [pause('c1'), crash], 1],
  ['and both of that name die together, and start again', [dies('c1'), dies('c3'), crash], 1],
])('a process runs under the id of another %s', async (_, others, recoveries) => {
  const faults = [namesake('c3', 30_000, 400_000), ...others];
  const result = await simulate({ seed: 4, days: 0.01, members: 4, coordinators: 3, faults: [faults] });
  expect(result.violations, result.violations.length > 0 ? failureOf(result) : '').toEqual([]);
  expect(result.outcomes.map((one) => one.result)).toEqual(faults.map(() => 'happened'));
  expect(result.tally.recoveriesFinished).toBe(recoveries);
});

function pause(coordinator: string): Fault {
  return { id: 'pause', kind: 'coordinator-pause', when: { atMs: 60_000 }, forMs: 45_000, coordinator };
}

function dies(coordinator: string): Fault {
  const base = { id: `${coordinator}-dies`, when: { atMs: 60_000 }, forMs: 500 };
  return { ...base, kind: 'coordinator-crash', coordinator };
}
