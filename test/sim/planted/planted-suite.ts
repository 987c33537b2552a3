import { describe, expect, test } from 'vitest';
import { simulate } from '../simulation.ts';
import type { PlantedBug } from './planted-bug.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { runPlanted } from './run-planted.ts';

/** Several bugs are looked for in one and the same run: the sound code goes through it once. */
const namesByRun = Map.groupBy(PLANTED_BUGS, ({ run }: PlantedBug) => JSON.stringify(run));

/**
 * Tests of every second planted bug, from the `from`-th on: each half has a file, and so a worker
 * of its own. Bugs that share a run are in one half.
 */
export function everySecondPlantedBug(from: 0 | 1): void {
  const groups = [...namesByRun.values()].filter((_, index) => index % 2 === from);

  describe.each(groups.flat())('$name ($rule: $story)', (bug) => {
    test.concurrent(`breaks ${bug.caughtBy.join(' or ')}`, async () => {
      const { violations } = await runPlanted(bug);
      expect(violations, 'nothing was noticed').not.toEqual([]);
      expect(bug.caughtBy).toContain(violations[0]?.invariant);
    });
  });

  describe('the sound code breaks nothing', () => {
    test.each(groups.flatMap((bugs) => bugs.slice(0, 1)))(
      'in the run of $name, and of those with the same run',
      async ({ run }) => {
        const result = await simulate({ ...run, coordinators: 3 });
        expect(result.violations).toEqual([]);
      },
    );
  });
}
