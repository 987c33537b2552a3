import { policyWith } from '@understudy/shared/testing';
import type { MemberId } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { guard } from './guard.ts';
import type { FleetMember, GuardInput, StartedRecovery } from './guard-input.ts';
import { fleet, guardInput, WALL } from './judge.fixtures.ts';

const massOf = (change: Partial<GuardInput>) =>
  guard(guardInput(change)).gates.find(({ gate }) => gate === 'MassFailure');
const open = (member: MemberId, ended = false): StartedRecovery => ({
  member,
  group: 'db',
  az: 'us-east-1a',
  startedAtWallMs: WALL - 10_000,
  endedAtWallMs: ended ? WALL - 1_000 : null,
});
/** `db/a` is heard and well. The first `failed` of the others are silent. */
const around = (failed: number): readonly FleetMember[] =>
  fleet(10, failed + 1).map((one) => (one.member === 'db/a' ? { ...one, failedSinceWallMs: null, heard: true } : one));

describe('asked about a member that is fine, the mass gate names who did fail', () => {
  it.each([
    [0, '0 of 10 members failed within 2 min 0 s; db/a is not one of them, with it there would be 1'],
    [2, '2 of 10 members failed within 2 min 0 s (db/m1, db/m2); db/a is not one of them, with it there would be 3'],
    [
      5,
      '5 of 10 members failed within 2 min 0 s (db/m1, db/m2, db/m3, db/m4, db/m5); db/a is not one of them, with it there would be 6',
    ],
    [
      7,
      '7 of 10 members failed within 2 min 0 s (db/m1, db/m2, db/m3, db/m4, db/m5 and 2 more); db/a is not one of them, with it there would be 8',
    ],
  ])('%i others', (failed, value) => {
    expect(massOf({ fleet: around(failed) })?.value).toBe(value);
  });

  it('and of a recovery: another’s, or one of its own that is over, does not make it failed; an open one does', () => {
    const isNamed = (...recoveries: readonly StartedRecovery[]) =>
      massOf({ fleet: around(0), recoveries })?.value.includes('db/a is not one of them');
    expect([isNamed(open('db/b')), isNamed(open('db/a', true)), isNamed(open('db/a'))]).toEqual([true, true, false]);
    expect(isNamed(open('db/b'), open('db/a'))).toBe(false);
  });

  it('it is not fine where nobody hears it, or where it is heard and failed', () => {
    const state = (change: Partial<FleetMember>) =>
      massOf({ fleet: around(0).map((one) => (one.member === 'db/a' ? { ...one, ...change } : one)) })?.value;
    const failed = '1 of 10 members failed within 2 min 0 s';
    expect(state({ heard: false })).toBe(failed);
    expect(state({ failedSinceWallMs: WALL - 1_000 })).toBe(failed);
  });
});

it('the silence that failures are counted around is that of the member asked about, wherever it stands in the fleet', () => {
  const LONG_AGO = WALL - 10_000_000;
  const silentSince = (member: string, ms: number) => (one: FleetMember) =>
    one.member === member ? { ...one, failedSinceWallMs: ms, heard: false } : one;
  const others = fleet(10, 0)
    .map(silentSince('db/m1', LONG_AGO + 1_000))
    .map(silentSince('db/m2', LONG_AGO + 2_000))
    .map(silentSince('db/m9', LONG_AGO));
  expect(massOf({ fleet: others, member: 'db/m9' })).toMatchObject({ passes: false });
  expect(massOf({ fleet: others.map(silentSince('db/m9', WALL)), member: 'db/m9' })).toMatchObject({ passes: true });
});

it('a zone is lost also while one elsewhere, heard all along, has failing checks since long before', () => {
  const input = guardInput();
  const lost = fleet(30, 0).map((one) =>
    one.az === 'us-east-1a'
      ? { ...one, failedSinceWallMs: WALL - 3_000, heard: false }
      : one.member === 'db/m1'
        ? { ...one, failedSinceWallMs: WALL - 3_600_000 }
        : one,
  );
  const answer = guard({
    ...input,
    fleet: lost,
    policy: policyWith({ guard: { whenZoneLost: 'recover' } }, input.policy),
  });
  expect(answer).toMatchObject({ kind: 'go', leaveAz: 'us-east-1a' });
});
