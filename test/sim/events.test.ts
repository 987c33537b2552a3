import { expect, test } from 'vitest';
import type { Fault } from './faults/fault.ts';
import { simulate } from './simulation.ts';

/** A member that fails, and one that a person stops; the others are well. */
const FAULTS: readonly (readonly Fault[])[] = [
  [
    { id: 'crash', kind: 'guest-crash', when: { atMs: 45_000 }, forMs: 0, member: 'm1' },
    { id: 'stop', kind: 'operator-stop', when: { atMs: 60_000 }, forMs: 600_000, member: 'm2' },
  ],
];

test.each(['late', 'lost', 'doubled', 'forged'] as const)(
  'with events that are %s every invariant holds, and messages are read and deleted',
  async (events) => {
    let deleted = 0;
    const shape = { seed: 1, days: 0.005, members: 4, coordinators: 3, events };
    const { violations } = await simulate(
      { ...shape, faults: FAULTS },
      { print: (line) => void (deleted += line.includes('sqs:DeleteMessage ok') ? 1 : 0) },
    );
    expect(violations).toEqual([]);
    expect(deleted).toBeGreaterThan(events === 'forged' ? 50 : 3);
  },
);
