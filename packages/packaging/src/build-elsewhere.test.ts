import { expect, it } from 'vitest';
import { differences } from './build-elsewhere.ts';

const sums = (...files: readonly (readonly [string, string])[]) =>
  files.map(([name, letter]) => `${letter.repeat(64)}  ${name}\n`).join('');

it('two builds differ in the files whose sums differ, and in those that one of them lacks', () => {
  const first = sums(['a.deb', '0'], ['b.deb', '1'], ['c.deb', '2']);
  const second = sums(['a.deb', '0'], ['b.deb', 'f'], ['d.deb', '3']);
  expect(differences(first, second)).toEqual(['b.deb', 'c.deb', 'd.deb']);
  expect(differences(first, first)).toEqual([]);
});
