import { describe, expect, it } from 'vitest';
import { predictedEnd } from './prediction.ts';
import { NOW, openOf, pastOf } from './fleet.fixtures.ts';

describe('the end of a recovery', () => {
  it('is not known without an earlier one, and says so', () => {
    expect(predictedEnd(openOf(), [], NOW)).toEqual({
      endsAtWallMs: null,
      overdue: false,
      text: 'End not known: no earlier recovery to go by.',
    });
  });

  it('is not known while it is held', () => {
    const held = openOf({ hold: { reason: 'NoCapacity', text: 'no room' } });
    expect(predictedEnd(held, [pastOf('db/one', 60_000, 30_000)], NOW).text).toBe('End not known: it is held.');
  });

  it('is counted from the newest step, compared with any attempt of that step', () => {
    const told = predictedEnd(openOf(), [pastOf('db/one', 60_000, 30_000)], NOW);
    expect(told.endsAtWallMs).toBe(NOW + 20_000);
    expect(told.text).toBe('Ends in about 20 s (median of 1 earlier recovery of db/one).');
  });

  it('goes by its own earlier ones, then by those of its group, then by all', () => {
    const [own, group, other] = [pastOf('db/one', 60_000, 30_000), pastOf('db/two', 1, 1), pastOf('a/b', 2, 2)];
    expect(predictedEnd(openOf(), [other, group, own], NOW).text).toContain('recovery of db/one');
    expect(predictedEnd(openOf(), [other, pastOf('db/two', 60_000, 30_000)], NOW).text).toContain('of group db');
    expect(predictedEnd(openOf(), [pastOf('a/b', 60_000, 30_000)], NOW).text).toContain('of this cluster');
  });

  it('takes the median, and no abandoned one', () => {
    const history = [20_000, 30_000, 900_000, 40_000].map((launchMs) => pastOf('db/one', 1_000_000, launchMs));
    const abandoned = pastOf('db/one', 5, 5, { outcome: 'abandoned' });
    expect(predictedEnd(openOf(), [...history, abandoned], NOW).endsAtWallMs).toBe(NOW - 10_000 + 35_000);
    expect(predictedEnd(openOf(), [...history, abandoned], NOW).text).toContain('4 earlier recoveries');
  });

  it('goes by the whole time when no step is known', () => {
    const told = predictedEnd(openOf({ steps: [] }), [pastOf('db/one', 60_000, 30_000)], NOW);
    expect(told.endsAtWallMs).toBe(NOW + 10_000);
  });

  it('says how much longer it takes than what it went by', () => {
    const told = predictedEnd(openOf(), [pastOf('db/one', 9_000, 3_000)], NOW);
    expect(told).toMatchObject({
      overdue: true,
      text: 'Takes 7.0 s longer than the median of 1 earlier recovery of db/one.',
    });
  });
});
