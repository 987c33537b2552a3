import { GroupPolicySchema, type MemberId } from '@understudy/shared';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FleetMember, StartedRecovery } from '../judge/guard-input.ts';
import { massGates } from '../judge/guard-mass.ts';
import { guardInput, WALL } from '../judge/judge.fixtures.ts';
import { MassAnswers } from './mass-answers.ts';

const RECOVERS = GroupPolicySchema.parse({
  guard: { whenZoneLost: 'recover' },
  recover: { placements: [{ subnetId: 'subnet-b' }] },
});
const HOLDS = GroupPolicySchema.parse({});
const az = fc.constantFrom('us-east-1a', 'us-east-1b');
/** Within the window of a mass, at its edge, long before it, and not at all. */
const since = fc.constantFrom(WALL - 3_000, WALL - 120_000, WALL - 120_001, WALL - 900_000, null);
const members = Array.from({ length: 8 }, (_, at): MemberId => `db/m${at}`);

const fleets: fc.Arbitrary<readonly FleetMember[]> = fc
  .array(fc.record({ az, failedSinceWallMs: since, heard: fc.boolean() }), { maxLength: 7 })
  .map((list) => list.map((one, at) => ({ ...one, member: members[at] ?? 'db/none' })));

const recoveries: fc.Arbitrary<readonly StartedRecovery[]> = fc.array(
  fc.record({
    ...{ member: fc.constantFrom(...members), group: fc.constant('db'), az },
    ...{ startedAtWallMs: fc.constantFrom(WALL - 1_000, WALL - 500_000), endedAtWallMs: fc.constantFrom(null, WALL) },
  }),
  { maxLength: 4 },
);

const askers = fc.array(
  fc.record({
    ...{ member: fc.constantFrom(...members), az, policy: fc.constantFrom(RECOVERS, HOLDS) },
    quorum: fc.constantFrom(null, { met: true, text: 'three', limit: 'two' }),
  }),
  { minLength: 2, maxLength: 12 },
);

test('of any fleet and whoever asks after whom, it is what the gates themselves say', () => {
  fc.assert(
    fc.property(fleets, recoveries, askers, (fleet, begun, asking) => {
      const answers = new MassAnswers(fleet);
      for (const one of asking) {
        const input = guardInput({ ...one, fleet, recoveries: begun });
        expect(answers.of(input)).toEqual(massGates(input));
      }
    }),
    { numRuns: 300 },
  );
});
