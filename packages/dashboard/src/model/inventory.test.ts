import type { InventoryStanding, InventoryVersion } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { commandFor, gistOf, isCovered, momentAt, questionOf, SLIDER_STEPS, sliderRange } from './inventory.ts';

const standing: InventoryStanding = {
  ...{ coordinatorId: 'c1', sizeBytes: 1 },
  kinds: [
    {
      ...{ kind: 'instance', current: 1, versions: 2, lastCrawlWallMs: 9_000, lastCompleteWallMs: 9_000 },
      outcome: 'complete',
      detail: '',
      covered: [
        { fromWallMs: 5_000, toWallMs: 9_000 },
        { fromWallMs: 1_000, toWallMs: 2_000 },
      ],
    },
  ],
};

describe('the slider of the inventory', () => {
  it('goes from the first crawl to the last, and its end is now', () => {
    const range = sliderRange(standing, 'instance');
    expect(range).toEqual({ fromWallMs: 1_000, toWallMs: 9_000 });
    if (range === null) return;
    expect([momentAt(range, 0), momentAt(range, SLIDER_STEPS / 2), momentAt(range, SLIDER_STEPS)]).toEqual([
      1_000,
      5_000,
      null,
    ]);
    expect(sliderRange(standing, 'volume')).toBe(null);
  });

  it('knows when nobody looked', () => {
    expect([1_500, 3_000, 6_000, null].map((at) => isCovered(standing, 'instance', at))).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });
});

describe('what is asked of the inventory', () => {
  const asked = { atWallMs: null, where: '', cursor: null };

  it('is a condition where it has an operator, else an id', () => {
    expect(questionOf('instance', asked)).toBe('/v1/inventory/instance?limit=50');
    expect(questionOf('instance', { ...asked, where: 'i-1', atWallMs: 5 })).toBe(
      '/v1/inventory/instance?limit=50&at=5&id=i-1',
    );
    expect(questionOf('instance', { ...asked, where: 'State.Name=running' })).toContain('where=State.Name%3Drunning');
    expect(questionOf('target-group', { ...asked, where: 'arn:aws:x=1' })).toContain('id=arn');
  });

  it('is a command, too', () => {
    expect(commandFor('volume', null)).toBe('understudy inventory list volume');
    expect(commandFor('volume', 0)).toBe('understudy inventory list volume --at 1970-01-01T00:00:00.000Z');
  });

  it('is told in few words', () => {
    const gist = (document: object) => gistOf({ document } as InventoryVersion);
    expect(gist({ State: { Name: 'running' }, Tags: { Name: 'db' } })).toBe('running · db');
    expect(gist({ State: 'in-use' })).toBe('in-use');
    expect(gist({ GroupName: 'web' })).toBe('web');
  });
});
