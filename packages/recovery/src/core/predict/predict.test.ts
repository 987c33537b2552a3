import { describe, expect, test } from 'vitest';
import { policyWith } from '@understudy/shared/testing';
import { predictPlan } from '../../plan/predict-plan.ts';
import { REGISTERED } from '../../registered.ts';
import { planFixture } from '../plan.fixture.ts';
import type { StepRow } from '../step-table.ts';
import { roughly } from './duration.ts';
import { measuredSteps } from './measured.ts';
import { predictRecovery } from './predict.ts';
import { STEP_DURATIONS } from './step-durations.ts';
import { undoText } from './undo-window.ts';

const predicted = (plan = planFixture(), measured = {}) => {
  const prediction = predictPlan(plan, measured);
  if (!prediction) throw new Error('not predicted');
  return prediction;
};
const row = (name: string, ...needs: string[]): StepRow => ({
  step: { name, per: 'recovery' },
  needs: () => needs,
});
const withSize = (sizeGiB: number, hasBase: boolean) => {
  const plan = planFixture();
  return { ...plan, volumes: plan.volumes.map((one) => ({ ...one, sizeGiB, hasBase })) };
};

describe('what a recovery will take', () => {
  test('every step that is registered has a published figure', () => {
    const names = [...REGISTERED.steps, ...REGISTERED.identityMoves].map((one) => one.record.name);
    expect(names.filter((name) => STEP_DURATIONS[name] === undefined)).toEqual([]);
  });

  test('is its longest chain of steps that wait for one another', () => {
    const rows = [row('fence'), row('image', 'fence'), row('permit', 'fence'), row('activate', 'image', 'permit')];
    const { servesAfter, steps } = predictRecovery({ plan: planFixture(), rows });
    expect(servesAfter.typicalMs).toBe(12_500 + 4_000 + 100);
    expect(steps.map((one) => one.step)).toEqual(['fence', 'permit', 'image', 'activate']);
  });

  test('leaves out what only ends a failed attempt, and counts addresses after the activation', () => {
    const { steps, servesAfter, closedAfter } = predicted();
    expect(steps.map((one) => one.step)).not.toContain('revoke-1');
    expect(steps.map((one) => one.step)).toContain('address-eipalloc-1');
    expect(closedAfter.typicalMs).toBe(servesAfter.typicalMs + 3_000 + 1_000);
  });

  test.each([
    [8, true, 22_500],
    [100, true, 50_500],
    [1_000, true, 500_500],
    [100, false, 1_000_500],
  ])('a snapshot of %d GiB (with an earlier one: %s) takes about %d ms', (sizeGiB, hasBase, ms) => {
    const capture = predicted(withSize(sizeGiB, hasBase)).steps.find((one) => one.step === 'capture');
    expect(capture?.takes.typicalMs).toBe(ms);
    expect(capture?.takes.slowMs).toBe(Math.max(22_000, sizeGiB * 10_000) + 5_000);
  });

  test('a step nobody knows is said to be unknown', () => {
    const { steps } = predictRecovery({ plan: planFixture(), rows: [row('dance')] });
    expect(steps).toEqual([expect.objectContaining({ step: 'dance', basis: 'unknown' })]);
  });

  test('a plan that this build cannot follow is not predicted', () => {
    expect(predictPlan({ ...planFixture(), strategy: 'later' })).toBeNull();
  });

  test('nothing is said to be lost where all comes as it was at the fence', () => {
    const plan = planFixture();
    expect(predicted(plan).losesSinceWallMs).toBeNull();
    const from = (takenAtWallMs: number) => ({ snapshotId: 'snap-1', takenAtWallMs });
    const volumes = plan.volumes.map((one, index) => ({ ...one, from: from(700 + index) }));
    const rows = [row('fence')];
    expect(predictRecovery({ plan: { ...plan, volumes }, rows }).losesSinceWallMs).toBe(700);
  });
});

describe('what was measured here', () => {
  const history = (member: 'db/one' | 'db/two', fenceMs: number, captureMs: number, leaderChanges = 0) => ({
    member,
    leaderChanges,
    steps: [
      { step: 'fence', state: 'done' as const, startedAtWallMs: 1_000, endedAtWallMs: 1_000 + fenceMs },
      { step: 'capture', state: 'done' as const, startedAtWallMs: 1_000, endedAtWallMs: 1_000 + captureMs },
      { step: 'launch-1', state: 'failed' as const, startedAtWallMs: 0, endedAtWallMs: 9 },
      { step: 'image', state: 'started' as const, startedAtWallMs: 0, endedAtWallMs: null },
    ],
  });

  test("this member's own recoveries count from the first on", () => {
    expect(measuredSteps([history('db/one', 7_000, 30_000)], 'db/one')).toEqual({
      fence: { typicalMs: 7_000, slowMs: 7_000, count: 1 },
      capture: { typicalMs: 30_000, slowMs: 30_000, count: 1 },
    });
  });

  test("others' count from the third on, and never for what depends on the size of a disk", () => {
    const two = [history('db/two', 5_000, 1), history('db/two', 9_000, 1)];
    expect(measuredSteps(two, 'db/one')).toEqual({});
    expect(measuredSteps([...two, history('db/two', 6_000, 1)], 'db/one')).toEqual({
      fence: { typicalMs: 6_000, slowMs: 9_000, count: 3 },
    });
  });

  test('a recovery in which the leader changed measures nothing', () => {
    expect(measuredSteps([history('db/one', 7_000, 30_000, 1)], 'db/one')).toEqual({});
  });

  test('takes the place of the published middle, not of the published worst', () => {
    const measured = measuredSteps([history('db/one', 7_000, 30_000)], 'db/one');
    const fence = predicted(planFixture(), measured).steps.find((one) => one.step === 'fence');
    expect(fence).toMatchObject({ basis: 'measured', takes: { typicalMs: 7_000, slowMs: 67_000 } });
  });
});

describe('how long undo is possible', () => {
  test('as long as the old instance is retained, where its disks stay with it', () => {
    const { undo } = predicted();
    expect(undo).toEqual({ kind: 'while-retained', forMs: 86_400_000 });
    expect(undoText(undo)).toContain('for 24 h after the end');
  });

  test('not at all where nothing is retained', () => {
    const plan = planFixture();
    const policy = policyWith({ recover: { retainForMs: 0 } }, plan.policy);
    expect(undoText(predicted({ ...plan, policy }).undo)).toContain('no undo');
  });

  test('until the activation, where a disk moves to the replacement', () => {
    const plan = planFixture();
    const volumes = plan.volumes.map((one) => (one.isRoot ? one : { ...one, path: 'reattach' }));
    const { undo } = predictRecovery({ plan: { ...plan, volumes }, rows: [row('fence')] });
    expect(undo).toEqual({ kind: 'until-activated', volumeIds: ['vol-data'] });
    expect(undoText(undo)).toContain('no undo once');
  });

  test('there is nothing to undo where the member keeps its instance', () => {
    const { candidates: _, ...inPlace } = { ...planFixture(), strategy: 'reboot' };
    const { undo } = predictRecovery({ plan: inPlace, rows: [row('fence')] });
    expect(undo).toEqual({ kind: 'in-place' });
    expect(undoText(undo)).toContain('nothing to undo');
  });
});

test.each([
  [13_400, '13 s'],
  [330_000, '5.5 min'],
  [7_560_000, '2.1 h'],
  [259_200_000, '3 d'],
])('%d ms is said as %s', (ms, text) => expect(roughly(ms)).toBe(text));
