import { expect, test } from 'vitest';
import { timeline } from './timeline.ts';
import { NOW, openOf } from './fleet.fixtures.ts';

const { steps, startedAtWallMs } = openOf();

test('bars lie between the beginning and the predicted end; what runs ends now', () => {
  const drawn = timeline(steps, { startedAtWallMs, nowWallMs: NOW, endsAtWallMs: NOW + 50_000 });
  expect(drawn.bars.map(({ from, length, tookMs }) => [from, length, tookMs])).toEqual([
    [0, 0.4, 40_000],
    [0.4, 0.1, 10_000],
  ]);
  expect(drawn.now).toBe(0.5);
});

test('the picture ends now when it takes longer, or nothing is predicted', () => {
  for (const endsAtWallMs of [null, NOW - 1_000])
    expect(timeline(steps, { startedAtWallMs, nowWallMs: NOW, endsAtWallMs })).toMatchObject({
      now: 1,
      endWallMs: NOW,
    });
});

test('a clock that went back draws nothing outside of the picture', () => {
  const drawn = timeline(steps, { startedAtWallMs, nowWallMs: startedAtWallMs - 5_000, endsAtWallMs: null });
  for (const { from, length, tookMs } of drawn.bars) {
    expect(Math.min(from, length, tookMs)).toBeGreaterThanOrEqual(0);
    expect(Math.max(from, length)).toBeLessThanOrEqual(1);
  }
});

test('calls that fail say so instead of what the step does', () => {
  const failing = {
    ...{ action: 'RunInstances', code: 'X', httpStatus: null, text: 'no capacity', count: 4, sinceWallMs: NOW },
    nextTryWallMs: null,
  };
  const [bar] = timeline(
    [{ step: 'a', state: 'started', startedAtWallMs: NOW, endedAtWallMs: null, text: 'launches', failing }],
    {
      ...{ startedAtWallMs: NOW, nowWallMs: NOW + 1, endsAtWallMs: null },
    },
  ).bars;
  expect(bar).toMatchObject({ text: 'no capacity', failures: 4 });
});
