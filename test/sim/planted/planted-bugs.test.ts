import { describe, expect, test } from 'vitest';
import { edited, editsOf } from './planted-bug.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';

describe('a bug that is planted', () => {
  test('there are enough of them, each with a name of its own', () => {
    expect(new Set(PLANTED_BUGS.map((bug) => bug.name)).size).toBe(PLANTED_BUGS.length);
    expect(PLANTED_BUGS.length).toBeGreaterThanOrEqual(12);
  });

  test.each(PLANTED_BUGS)('$name still has its place in the code', (bug) => {
    for (const edit of editsOf(bug)) expect(edited(bug.name, edit)).toContain(edit.replace);
  });
});
