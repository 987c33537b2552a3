import { expect, test } from 'vitest';
import { PhiSamples, SAMPLES, sparkline } from './phi-samples.ts';

test('the newest samples are kept, oldest first', () => {
  const samples = new PhiSamples();
  for (let index = 0; index < SAMPLES + 3; index++) samples.note('db/one', index);
  expect(samples.last('db/one', 2)).toEqual([SAMPLES + 1, SAMPLES + 2]);
  expect(samples.last('db/one', 500)).toHaveLength(SAMPLES);
  expect(samples.last('db/two', 5)).toEqual([]);
});

test('members that are gone are dropped', () => {
  const samples = new PhiSamples();
  samples.note('db/one', 1);
  samples.keepOnly(new Map());
  expect(samples.last('db/one', 5)).toEqual([]);
});

test('a line ends at the right edge, is cut off at full height, and leaves out what is not known', () => {
  expect(sparkline([0, Number.NaN, 99], 3, 20, 10)).toBe('0,9 20,1');
  expect(sparkline([4], 3, 20, 10)).toBe('20,5');
});
