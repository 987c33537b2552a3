import { GroupPolicySchema, LADDER_RUNGS, policyChanges } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { withDefaultLadder } from './default-ladder.ts';

const LADDER = { rungs: [...LADDER_RUNGS] };
const written = (policy: Record<string, unknown>) => ({ group: 'db', revision: null, policy });
const applied = (policy: Record<string, unknown>, stored: Record<string, unknown> | null = null, level = 2) =>
  withDefaultLadder(written(policy), stored, level).policy;

describe('a policy that names no way back', () => {
  test('gets the default ladder where the group has none of its own, beside what it says', () => {
    expect(applied({})).toEqual({ recover: { ladder: LADDER } });
    const said = { guard: { cooldownMs: 5 }, recover: { settleMs: 9 } };
    expect(applied(said)).toEqual({ ...said, recover: { settleMs: 9, ladder: LADDER } });
    expect(GroupPolicySchema.parse(applied({})).recover.ladder?.rungs).toEqual([...LADDER_RUNGS]);
  });

  test('shows it among what changes, before anybody agrees', () =>
    expect(policyChanges({}, applied({})).map((one) => [one.sign, one.path])).toEqual([['+', 'recover.ladder.rungs']]));

  test('keeps the one way of a policy that is stored and names none', () => {
    const stored = { guard: { cooldownMs: 5 } };
    expect(applied({ guard: { cooldownMs: 6 } }, stored)).toEqual({ guard: { cooldownMs: 6 } });
  });

  test('applied a second time differs in nothing from what the first has stored', () =>
    expect(policyChanges(applied({}), applied({}, applied({})))).toEqual([]));

  test('gets none while the level in force does not have it', () => expect(applied({}, null, 1)).toEqual({}));
});

test.each([{ recover: { strategy: 'snapshot-and-replace' } }, { recover: { ladder: {} } }])(
  'a policy that names one means it: %o',
  (policy) => expect(applied(policy)).toEqual(policy),
);
