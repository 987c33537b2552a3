import type { OpenStepView } from '@understudy/shared';
import { expect, test } from 'vitest';
import { barText } from './timeline.ts';

const SPAN = { fromWallMs: 1_000, toWallMs: 11_000 };
const step = (state: OpenStepView['state'], startedAtWallMs: number, endedAtWallMs: number | null): OpenStepView => ({
  ...{ step: 'fence', state, startedAtWallMs, endedAtWallMs },
});

test.each([
  ['a step that is done stands where it ran', step('done', 1_000, 6_000), '█████     '],
  ['one that runs reaches to now', step('started', 6_000, null), '     ░░░░░'],
  ['one that failed looks otherwise', step('failed', 3_000, 5_000), '  ▒▒      '],
  ['one that took no time is still seen', step('done', 11_000, 11_000), '         █'],
  ['one before the span (clocks differ) begins at its begin', step('done', 0, 2_000), '█         '],
  ['one that ends after the span ends with it', step('done', 9_000, 99_000), '        ██'],
])('%s', (_, one, bar) => expect(barText(one, SPAN, 10)).toBe(bar));

test('a span of no length has bars, too', () => {
  expect(barText(step('started', 1_000, null), { fromWallMs: 1_000, toWallMs: 1_000 }, 10)).toHaveLength(10);
});
