import { describe, expect, test } from 'vitest';
import { simulate } from '../simulation.ts';
import type { PlantedBug } from './planted-bug.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { runPlanted } from './run-planted.ts';

describe.each(PLANTED_BUGS)('$name ($rule: $story)', (bug) => {
  test.concurrent(`breaks ${bug.caughtBy.join(' or ')}`, async () => {
    const { violations } = await runPlanted(bug);
    expect(violations, 'nothing was noticed').not.toEqual([]);
    expect(bug.caughtBy).toContain(violations[0]?.invariant);
  });
});

/** Several bugs are looked for in one and the same run: the sound code goes through it once. */
const namesByRun = Map.groupBy(PLANTED_BUGS, ({ run }: PlantedBug) => JSON.stringify(run));

describe('the sound code breaks nothing', () => {
  const runs = [...namesByRun.values()].flatMap((bugs) => bugs.slice(0, 1));
  test.each(runs)('in the run of $name, and of those with the same run', async ({ run }) => {
    const result = await simulate({ ...run, coordinators: 3 });
    expect(result.violations).toEqual([]);
  });
});
