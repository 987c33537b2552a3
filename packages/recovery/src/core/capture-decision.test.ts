import { type CloudSnapshot, type PlannedVolume, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { adoptableSet, captureProgress, missingVolumes, snapshotSets } from './capture-decision.ts';

const snapshot = (volumeId: string, set: number | null, part: Partial<CloudSnapshot> = {}): CloudSnapshot => ({
  snapshotId: `snap-${volumeId}-${set}`,
  volumeId,
  state: 'pending',
  progressPercent: 0,
  startedAtWallMs: 0,
  tags: set === null ? {} : { [TAG.snapshotSet]: String(set) },
  ...part,
});
const VOLUMES = ['root', 'data'].map((volumeId) => ({ volumeId }) as unknown as PlannedVolume);
const complete = (set: number | null) => [snapshot('root', set), snapshot('data', set)];

describe('which set is taken', () => {
  const pick = (snapshots: readonly CloudSnapshot[], failed: readonly number[] = []) =>
    adoptableSet(VOLUMES, snapshotSets(snapshots), failed)?.number ?? null;

  test('the first complete one', () => expect(pick([...complete(2), ...complete(1)])).toBe(1));
  test('not one that misses a volume', () => expect(pick([snapshot('root', 1), ...complete(2)])).toBe(2));
  test('not one with an error in it', () =>
    expect(pick([snapshot('root', 1), snapshot('data', 1, { state: 'error' }), ...complete(2)])).toBe(2));
  test('not one that was put aside', () => expect(pick([...complete(1), ...complete(2)], [1])).toBe(2));
  test('one that a person made and tagged with the recovery only', () => expect(pick(complete(null))).toBe(0));
  test('never parts of two calls together: they are not one moment', () =>
    expect(pick([snapshot('root', 1), snapshot('data', 2)])).toBeNull());
  test('none', () => expect(pick([])).toBeNull());
});

test('a volume that was detached since the plan is named', () => {
  expect(missingVolumes(VOLUMES, { number: 1, snapshots: [snapshot('root', 1)] })).toEqual(['data']);
});

describe('captureProgress', () => {
  const ids = ['snap-root-1', 'snap-data-1'];
  test('pending, with the mean of the progress; what is not shown yet counts as 0', () =>
    expect(captureProgress(ids, [snapshot('root', 1, { progressPercent: 50 })])).toMatchObject({
      kind: 'pending',
      percent: 25,
    }));
  test('completed only when all are', () => {
    const done = { state: 'completed', progressPercent: 100 } as const;
    expect(captureProgress(ids, [snapshot('root', 1, done), snapshot('data', 1)]).kind).toBe('pending');
    expect(captureProgress(ids, [snapshot('root', 1, done), snapshot('data', 1, done)]).kind).toBe('completed');
  });
  test('one error fails the set', () =>
    expect(captureProgress(ids, [snapshot('root', 1, { state: 'error' })]).kind).toBe('failed'));
});
