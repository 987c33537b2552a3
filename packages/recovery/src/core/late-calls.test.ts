import { historyRecord, intentRecord } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { LATE_CALL_MS, lateDetachesOf, lateDetachObstacle, withLateCalls } from './late-calls.ts';

const { plan } = intentRecord('prod/db1', 'i-1', {});
const ended = historyRecord('prod/db1', 'i-1', { outcome: 'not-mended', newInstanceId: null });
const running = { instanceId: 'i-1', state: 'running' } as const;

describe('what a plan knows of the recoveries before it', () => {
  test('a start in doubt may land; one of another instance may not', () => {
    const late = { ...ended, lateCalls: ['start' as const] };
    expect(withLateCalls(plan, [late], running).startMayLand).toBe(true);
    expect(withLateCalls(plan, [late], { ...running, instanceId: 'i-2' }).startMayLand).toBeUndefined();
    expect(withLateCalls(plan, [ended], running)).toEqual(plan);
  });

  test('that it did not run as the plan was made, where no older build reads it', () => {
    const inPlace = { ...plan, strategy: 'stop-start' as const };
    expect(withLateCalls(inPlace, [], { ...running, state: 'stopped' })).toEqual({ ...inPlace, wasDown: true });
    expect(withLateCalls(inPlace, [], running)).toEqual(inPlace);
    expect(withLateCalls(plan, [], { ...running, state: 'stopped' })).toEqual(plan);
  });
});

describe('a disk that was given back, and that a call of ours may take off again', () => {
  const steps = ['fence', 'detach-vol-root', 'detach-vol-data'].map((step) => ({
    ...{ step, state: 'done' as const, startedAtWallMs: 1, endedAtWallMs: 2 },
  }));
  const left = { ...ended, steps, lateCalls: ['detach' as const], endedAtWallMs: 1_000 };
  const late = lateDetachesOf([left], 'i-1');
  const disk = (volumeId: string) => ({ volumeId, deviceName: `/dev/${volumeId}`, status: 'attached' });
  const instance = (...ids: readonly string[]) => ({
    instanceId: 'i-1',
    volumes: ids.map((id) => ({ ...disk(id), deleteOnTermination: true })),
  });
  const whole = instance('vol-root', 'vol-data');
  const at = (nowWallMs: number, inPlace = true) => ({ inPlace, nowWallMs });

  test('it is known of the instance, until a person has looked at it', () => {
    expect(late).toEqual([{ untilWallMs: 1_000 + LATE_CALL_MS, volumeIds: ['vol-root', 'vol-data'] }]);
    expect(lateDetachesOf([left], 'i-2')).toEqual([]);
    expect(lateDetachesOf([ended], 'i-1')).toEqual([]);
    const acknowledged = { by: 'ann', why: 'seen', atWallMs: 5 };
    expect(lateDetachesOf([{ ...left, acknowledged }], 'i-1')).toEqual([]);
  });

  test('the instance is not started while it may land; another one may be made', () => {
    expect(lateDetachObstacle(late, whole, at(999 + LATE_CALL_MS))?.code).toBe('DetachMayLand');
    expect(lateDetachObstacle(late, whole, at(999 + LATE_CALL_MS, false))).toBeNull();
    expect(lateDetachObstacle(late, whole, at(1_000 + LATE_CALL_MS))).toBeNull();
  });

  test('once it has landed nothing is made from what is left, however late it is', () => {
    for (const inPlace of [true, false])
      expect(lateDetachObstacle(late, instance('vol-root'), at(9_999_999, inPlace))).toMatchObject({
        code: 'DiskTakenOff',
        text: expect.stringContaining('vol-data') as string,
      });
  });
});

test('a protection that is owed to it is its own, and goes with the plan', () => {
  const chore = { kind: 'protect', instanceId: 'i-1', stop: true, termination: false } as const;
  const owed = [{ chore, obstacle: { code: 'NotDone', text: 't', sinceWallMs: 1 } }];
  const owing = { ...ended, owed };
  expect(withLateCalls(plan, [owing], running).protection.stop).toBe(true);
  expect(withLateCalls(plan, [owing], { ...running, instanceId: 'i-2' }).protection.stop).toBe(plan.protection.stop);
});
