import { describe, expect, test } from 'vitest';
import { notWorthIt, type RungForecast, rungTries } from './rung-forecast.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const rung = (over: Partial<RungForecast> = {}): RungForecast => ({
  ...{ backAfterMs: 40 * SECOND_MS, slowMs: 4 * MINUTE_MS, deadlineMs: 5 * MINUTE_MS, dataLosses: [] },
  ...over,
});
const next = rung({ backAfterMs: 5 * MINUTE_MS, slowMs: 40 * MINUTE_MS, deadlineMs: null });
const tries = (helped: number, failed: number) => ({ helped, failed });

describe('a way back', () => {
  test('is worth trying before a slower one while nothing is known of it', () => {
    expect(notWorthIt(rung(), next, undefined)).toBeNull();
    expect(notWorthIt(rung(), next, tries(0, 2))).toBeNull();
  });

  test('is not, when it has never helped here in three tries', () =>
    expect(notWorthIt(rung(), next, tries(0, 3))).toContain('not helped once in 3 tries'));

  test.each([
    [4, 0, true],
    [3, 1, true],
    [2, 2, false],
    [1, 5, false],
  ])('that has helped %i times and failed %i times, with its deadline: worth it is %s', (helped, failed, worth) =>
    expect(notWorthIt(rung(), next, tries(helped, failed)) === null).toBe(worth),
  );

  test('that fails half of the time is worth it all the same before one of hours', () => {
    const hours = rung({ backAfterMs: 120 * MINUTE_MS, slowMs: 300 * MINUTE_MS, deadlineMs: null });
    expect(notWorthIt(rung(), hours, tries(2, 2))).toBeNull();
  });

  test('is not, when its good day is later than the bad day of the next', () =>
    expect(notWorthIt(rung({ backAfterMs: 41 * MINUTE_MS }), next, undefined)).toContain('on a bad day'));

  test('is never left out for one that loses data which it keeps', () => {
    const loses = { ...next, dataLosses: ['InstanceStoreLost'] };
    expect(notWorthIt(rung(), loses, tries(0, 9))).toBeNull();
    expect(notWorthIt(rung({ backAfterMs: 41 * MINUTE_MS }), loses, undefined)).toBeNull();
    expect(notWorthIt(rung({ dataLosses: ['InstanceStoreLost'] }), loses, tries(0, 9))).not.toBeNull();
  });
});

test('tries are counted by strategy: not what a person has ended, and not what is long ago', () => {
  const nowWallMs = 100 * DAY_MS;
  const ended = (strategy: string, outcome: 'mended' | 'not-mended' | 'abandoned', daysAgo = 1) => ({
    ...{ strategy, outcome, endedAtWallMs: nowWallMs - daysAgo * DAY_MS },
  });
  const found = rungTries(
    [
      ...[ended('reboot', 'mended'), ended('reboot', 'not-mended'), ended('reboot', 'abandoned')],
      ...[ended('stop-start', 'not-mended', 31), { outcome: 'replaced' as const, endedAtWallMs: nowWallMs }],
    ],
    nowWallMs,
  );
  expect([...found]).toEqual([
    ['reboot', { helped: 1, failed: 1 }],
    ['snapshot-and-replace', { helped: 1, failed: 0 }],
  ]);
});
