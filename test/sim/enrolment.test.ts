import { expect, test } from 'vitest';
import type { Fault } from './faults/fault.ts';
import { simulate } from './simulation.ts';

/** A member that enrols is replaced, and its successor enrols. */
const FAULTS: readonly (readonly Fault[])[] = [
  [{ id: 'crash', kind: 'guest-crash', when: { atMs: 45_000 }, forMs: 0, member: 'm2' }],
];

test('members that come without a key get theirs, whatever is lost or replayed, and nobody else does', async () => {
  const shape = { seed: 3, days: 0.01, members: 4, coordinators: 3, enrols: true };
  const { violations, tally, enrolment } = await simulate({ ...shape, faults: FAULTS });
  expect(violations).toEqual([]);
  expect(tally.recoveriesFinished).toBe(1);
  // Two members, the successor of one, and all that went wrong on the way.
  expect(enrolment['given']).toBeGreaterThanOrEqual(3);
  for (const what of [
    'repeated',
    'refused',
    'requestsLost',
    'answersLost',
    'leadersKilled',
    'elsewhere',
    'gone',
    'otherMember',
  ])
    expect(enrolment[what], what).toBeGreaterThan(0);
});
