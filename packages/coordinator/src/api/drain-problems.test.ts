import { type WallMs, wallMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { drainProblems } from './drain-problems.ts';

const NOW = wallMs(Date.UTC(2026, 10, 28, 12));
const SINCE = wallMs(Date.UTC(2026, 10, 27, 9));
const MINIMUM = { minimumObservers: 2, minimumZones: 2 };

const problemsOf = (present: readonly string[], drained: Readonly<Record<string, WallMs | null>>) =>
  drainProblems(
    {
      root: '/understudy/v1/',
      unreadable: new Map(),
      coordinators: new Map(
        present.map((coordinatorId, index) => [coordinatorId, { record: { coordinatorId, az: `zone-${index}` } }]),
      ),
      drains: new Map(
        Object.entries(drained).map(([coordinatorId, untilWallMs]) => [
          coordinatorId,
          { record: { coordinatorId, who: 'ann', why: 'a new kernel', sinceWallMs: SINCE, untilWallMs } },
        ]),
      ),
    } as unknown as Parameters<typeof drainProblems>[0],
    MINIMUM,
    NOW,
  );

describe('a drain in force', () => {
  it('is shown with since when, by whom and why', () => {
    expect(problemsOf(['c1', 'c2', 'c3', 'c4'], { c2: null })).toEqual([
      {
        code: 'COORDINATOR_DRAINED',
        text: 'c2 is drained since 2026-11-27T09:00:00.000Z by ann, without an end (a new kernel)',
        remedy: expect.stringContaining('understudy undrain'),
      },
    ]);
  });

  it('says when one more loss would leave too few observers', () => {
    expect(problemsOf(['c1', 'c2', 'c3'], { c2: wallMs(NOW + 1) })[0]?.text).toMatch(
      /until 2026-11-28T12:00:00\.001Z .*; with one more loss 1 of at least 2 observers would be left, and nobody/,
    );
  });

  it('says when too few are left already', () => {
    const [first, second] = problemsOf(['c1', 'c2', 'c3'], { c2: null, c3: null });
    expect(first?.text).toContain('; 1 of at least 2 observers are left: nobody is called dead');
    expect(second?.text).toContain('c3 is drained');
  });

  it('is no more shown once its end is over, and nothing is shown without one', () => {
    expect(problemsOf(['c1', 'c2', 'c3'], { c2: NOW })).toEqual([]);
    expect(problemsOf(['c1', 'c2', 'c3'], {})).toEqual([]);
  });
});
