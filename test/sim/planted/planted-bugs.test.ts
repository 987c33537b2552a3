import { describe, expect, test } from 'vitest';
import { simulate } from '../simulation.ts';
import { planted } from './planted-bug.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { runPlanted } from './run-planted.ts';

describe('a bug that is planted', () => {
  test('there are enough of them, each with a name of its own', () => {
    expect(new Set(PLANTED_BUGS.map((bug) => bug.name)).size).toBe(PLANTED_BUGS.length);
    expect(PLANTED_BUGS.length).toBeGreaterThanOrEqual(12);
  });

  test.each(PLANTED_BUGS)('$name still has its place in the code', (bug) => {
    expect(planted(bug)).toContain(bug.replace);
  });

  describe.each(PLANTED_BUGS)('$name ($rule: $story)', (bug) => {
    test.concurrent(`breaks ${bug.caughtBy.join(' or ')}`, async () => {
      const { violations } = await runPlanted(bug);
      expect(violations, 'nothing was noticed').not.toEqual([]);
      expect(bug.caughtBy).toContain(violations[0]?.invariant);
    });

    test('and the sound code breaks nothing in the same run', async () => {
      const result = await simulate({ ...bug.run, coordinators: 3 });
      expect(result.violations).toEqual([]);
    });
  });
});
