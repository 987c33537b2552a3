import type { InstanceState, IntentRecord, LateStart } from '@understudy/shared';
import { describe, expect, it, test } from 'vitest';
import { lateStartMove, lateStartOf, type LateStartSeen } from './late-start.ts';

const UNTIL_MS = 1_000_000;
const LATE: LateStart = { instanceId: 'i-old', untilWallMs: UNTIL_MS };
const seen = (state: InstanceState | null, over: Partial<LateStartSeen> = {}): LateStartSeen => ({
  ...{ state, isInCharge: false, isRetired: true, isRecovering: false, nowWallMs: UNTIL_MS - 60_000, ...over },
});

describe('a retired instance that a late Start may boot', () => {
  test.each<[string, InstanceState | null, Partial<LateStartSeen>, string]>([
    ['that runs is stopped', 'running', {}, 'stop'],
    ['that boots is stopped', 'pending', {}, 'stop'],
    ['that runs after the time is stopped all the same', 'running', { nowWallMs: UNTIL_MS + 60_000 }, 'stop'],
    ['at rest is looked at until no call can land', 'stopped', {}, 'nothing'],
    ['at rest after that is settled', 'stopped', { nowWallMs: UNTIL_MS }, 'settle'],
    ['that was terminated is settled after that', 'terminated', { nowWallMs: UNTIL_MS }, 'settle'],
    ['that stops is waited for', 'stopping', { nowWallMs: UNTIL_MS }, 'nothing'],
    ['that one look misses is looked at again', null, { nowWallMs: UNTIL_MS }, 'nothing'],
    ['that is shown no more for long is settled', null, { nowWallMs: UNTIL_MS + 900_000 }, 'settle'],
    ['that is in charge is left alone for good', 'running', { isInCharge: true }, 'settle'],
    ['that was given away is left alone for good', 'running', { isRetired: false }, 'settle'],
    ['beside an open recovery is left alone meanwhile', 'running', { isRecovering: true }, 'nothing'],
  ])('%s', (_, state, over, move) => {
    expect(lateStartMove(LATE, seen(state, over))).toBe(move);
  });

  it('is given half a minute after each Stop', () => {
    const stopped = { ...LATE, stoppedAtWallMs: UNTIL_MS - 60_000 };
    expect(lateStartMove(stopped, seen('running', { nowWallMs: UNTIL_MS - 31_000 }))).toBe('nothing');
    expect(lateStartMove(stopped, seen('running', { nowWallMs: UNTIL_MS - 30_000 }))).toBe('stop');
  });

  it('is left alone once it is settled', () => {
    const settled = { ...LATE, settledAtWallMs: UNTIL_MS };
    expect(lateStartMove(settled, seen('running', { nowWallMs: UNTIL_MS + 1 }))).toBe('nothing');
  });
});

describe('what a closed recovery owes of it', () => {
  const of = (strategy: string) =>
    ({ plan: { strategy, undo: { instanceId: 'i-old' } } }) as unknown as Pick<IntentRecord, 'plan'>;

  it('is for 15 minutes, where the undo had begun to start it', () => {
    expect(lateStartOf(of('undo'), [{ step: 'fence' }, { step: 'bringback' }], 100_000)).toEqual({
      lateStart: { instanceId: 'i-old', untilWallMs: 1_000_000 },
    });
    expect(lateStartOf(of('undo'), [{ step: 'fence' }], 100_000)).toEqual({});
    expect(lateStartOf(of('stop-start'), [{ step: 'bringback' }], 100_000)).toEqual({});
  });
});
