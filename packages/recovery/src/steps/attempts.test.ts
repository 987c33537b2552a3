import type { JournalRecord } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { attemptLimits, endedAttempts, hasOtherCandidate, recordsToDrop } from './attempts.ts';
import { KEYS, MEMBER, PERMIT_REQUEST, REVOKE_REQUEST, type RigOptions, RunRig } from '../run.fixtures.ts';

const candidates = ['a', 'b', 'c'].map((az) => ({ subnetId: `subnet-${az}`, az, instanceType: 'm5.large' }));
const REVOKED = { state: 'done', result: { instanceTerminated: false, permitGone: true } } as const;

/** So many attempts that have ended. */
function ended(count: number, options: RigOptions = {}, request: object = {}): RunRig {
  const rig = new RunRig({ plan: { candidates }, ...options });
  for (let number = 1; number <= count; number += 1) {
    const own = { ...REVOKE_REQUEST, candidateIndex: (number - 1) % 3, failure: 'capacity', ...request } as const;
    rig.putStep(`revoke-${number}`, { ...REVOKED, request: own });
  }
  return rig;
}

describe('the attempts before', () => {
  test('are told with where they were, why they ended, and when', async () => {
    const rig = ended(2, {}, { text: 'no room', seriesLength: 2, seriesSinceWallMs: 7 });
    rig.putStep('revoke-2', {
      ...REVOKED,
      ...{ request: { ...REVOKE_REQUEST, candidateIndex: 1 }, endedAtWallMs: null, startedAtWallMs: 99 },
    });
    expect(endedAttempts(await rig.run(), 3)).toEqual([
      {
        ...{ round: 1, candidateIndex: 0, failure: 'capacity', text: 'no room', seriesLength: 2, seriesSinceWallMs: 7 },
        endedAtWallMs: rig.clock.wallMs(),
      },
      expect.objectContaining({ candidateIndex: 1, failure: 'unknown', endedAtWallMs: 99 }),
    ]);
  });

  test('of an older plan do not count', async () => {
    const rig = ended(3, { intent: { attemptsBeforePlan: 2 } });
    const run = await rig.run();
    expect(endedAttempts(run, 4)).toHaveLength(1);
    expect(endedAttempts(run, 3)).toEqual([]);
  });

  test('some of which the journal has dropped are those that are left', async () => {
    const rig = ended(3);
    rig.delete(KEYS.journalStep(rig.opId, 'revoke-1'));
    rig.putStep('revoke-2');
    expect(endedAttempts(await rig.run(), 4)).toHaveLength(1);
  });

  test('of the first there are none; without any left a later one must not begin', async () => {
    const run = await new RunRig().run();
    expect(endedAttempts(run, 1)).toEqual([]);
    expect(() => endedAttempts(run, 2)).toThrow('attempt 1 has not been ended, but 2 begins');
  });
});

describe('the limits of attempts', () => {
  test('are those of plan, policy and settings, at this moment', async () => {
    const policy = { recover: { maxLaunchAttempts: 7, retryRefusedForMs: 5_000_000 } };
    const settings = { condemnedForMs: 1, capacityPauseMs: 2, capacityPauseMaxMs: 3 };
    const rig = ended(0, { policy, settings });
    const run = await rig.run();
    await rig.clock.advance(1_000);
    expect(attemptLimits(run, 1)).toEqual({
      ...{ member: MEMBER, candidates, maxAttempts: 7, retryAsked: true, nowWallMs: rig.clock.wallMs() },
      ...{ retryRefusedForMs: 5_000_000, condemnedForMs: 1, pauseMs: 2, pauseMaxMs: 3 },
    });
  });

  test.each([
    [2, false, true],
    [2, true, false],
    [1, false, false],
  ])('%i ended before this run, held %s: a person has asked for another round: %s', async (before, held, asked) => {
    const run = await ended(2).run();
    Object.assign(run, { endedAtStart: before, heldAtStart: held });
    expect(attemptLimits(run, 3).retryAsked).toBe(asked);
  });
});

describe('another placement', () => {
  const other = async (rig: RunRig, candidateIndex: number | null, attempt: number) => {
    const request = { ...PERMIT_REQUEST, candidateIndex: candidateIndex ?? 0 };
    if (candidateIndex !== null) rig.putStep(`permit-${attempt}`, { request });
    return hasOtherCandidate(await rig.run(), attempt);
  };

  test('is there while one beside the present one is not condemned', async () => {
    expect(await other(ended(0), 0, 1)).toBe(true);
    expect(await other(ended(2, {}, { failure: 'placement' }), 2, 3)).toBe(false);
    expect(await other(ended(1, {}, { failure: 'placement' }), 2, 2)).toBe(true);
  });

  test('is not there where the plan has one, also while no permit is recorded', async () => {
    const one = { plan: { candidates: candidates.slice(0, 1) } };
    expect(await other(new RunRig(one), 0, 1)).toBe(false);
    expect(await other(new RunRig(one), null, 1)).toBe(false);
    expect(await other(ended(0), null, 1)).toBe(true);
  });
});

describe('once an attempt has made nothing', () => {
  const dropped = async (rig: RunRig, attempt: number) =>
    recordsToDrop(await rig.run(), attempt).map(({ key }) => key.slice(KEYS.journalOf(rig.opId).length));
  const put = (rig: RunRig, step: string, over: Partial<JournalRecord> = {}) => rig.putStep(step, over);

  test('its own request goes, compared with what this run knows of it', async () => {
    const rig = ended(0);
    const permit = put(rig, 'permit-1');
    const launch = put(rig, 'launch-1');
    const run = await rig.run();
    expect(recordsToDrop(run, 1)).toEqual([
      { key: KEYS.journalStep(rig.opId, 'permit-1'), expect: permit },
      { key: KEYS.journalStep(rig.opId, 'launch-1'), expect: launch },
    ]);
  });

  test('what was never recorded needs not go', async () => {
    const rig = ended(0);
    put(rig, 'permit-1', { state: 'failed', result: { failure: 'capacity' } });
    expect(await dropped(rig, 1)).toEqual(['permit-1']);
  });

  test('of the reasons before it two turns of all candidates are kept', async () => {
    expect(await dropped(ended(7), 7)).toEqual([]);
    expect(await dropped(ended(8), 8)).toEqual(['revoke-1']);
    expect(await dropped(ended(10), 10)).toEqual(['revoke-3', 'revoke-2', 'revoke-1']);
  });

  test('eight go at once at most', async () => {
    expect(await dropped(ended(40), 40)).toEqual([33, 32, 31, 30, 29, 28, 27, 26].map((number) => `revoke-${number}`));
  });

  test('the record of one that launched never goes: it is counted', async () => {
    const rig = ended(10);
    rig.putStep('revoke-2', { ...REVOKED, request: { ...REVOKE_REQUEST, failure: 'instance' } });
    rig.delete(KEYS.journalStep(rig.opId, 'revoke-3'));
    expect(await dropped(rig, 10)).toEqual(['revoke-1']);
  });
});
