import { describe, expect, it } from 'vitest';
import { agoText, durationText, tableText } from './format.ts';

describe('durations for people', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1_000, '1.0 s'],
    [59_940, '59.9 s'],
    [60_000, '1 min 0 s'],
    [3_599_000, '59 min 59 s'],
    [3_660_000, '1 h 1 min'],
  ])('%d ms reads %s', (ms, text) => expect(durationText(ms)).toBe(text));

  it('says never when nothing was heard', () => expect(agoText(null)).toBe('never'));
});

it('a table aligns its columns', () => {
  const lines = tableText(
    ['a', 'b'],
    [
      ['xxx', 'y'],
      ['x', 'yy'],
    ],
  ).split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[1]?.indexOf('y')).toBe(lines[2]?.indexOf('yy'));
});
