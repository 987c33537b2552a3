import { expect, it } from 'vitest';
import { agoText, tableText } from './format.ts';

it('says never when nothing was heard', () => {
  expect([agoText(null), agoText(3_200)]).toEqual(['never', '3.2 s ago']);
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
