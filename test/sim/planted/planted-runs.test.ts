import { describe, expect, test } from 'vitest';
import { simulate } from '../simulation.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { runPlanted } from './run-planted.ts';

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
