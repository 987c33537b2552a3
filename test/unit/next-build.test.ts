import { expect, test } from 'vitest';
import { NEXT_BUILD } from '../faults/lab/next-build-edits.ts';
import { planted, urlOf } from '../sim/planted/planted-bug.ts';

test.each(NEXT_BUILD)('the made-up next build $name', (edit) => {
  expect(planted(edit)).toContain(edit.replace);
});

test('no two edits of the next build are in one file: the second would undo the first', () => {
  expect(new Set(NEXT_BUILD.map(urlOf)).size).toBe(NEXT_BUILD.length);
});
