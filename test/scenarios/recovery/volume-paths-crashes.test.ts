import { describe, expect, test } from 'vitest';
import { COPIED, SHARED } from './moved-disks-stories.ts';
import { killedAt, type Story } from './stories.ts';
import { LATEST, REFUSED_RATE } from './volume-path-stories.ts';

const MOVED = ['fence', 'launch-1', 'assemble-1', 'activate', 'history'];

describe('wherever its leader is killed, a recovery brings', () => {
  test.each<[string, Story, readonly string[], number]>([
    ['copies of the disks, each made once, and leaves the originals', COPIED, MOVED, 75],
    ['**S** a shared volume to the successor, and no copy of it', SHARED, MOVED, 75],
    ['what the latest snapshot of all disks has', LATEST, ['fence', 'image', 'launch-1', 'activate', 'history'], 50],
    ['disks at EC2’s own pace where it refuses the rate', REFUSED_RATE, ['launch-1', 'revoke-1', 'launch-2'], 75],
  ])('%s', { timeout: 240_000 }, async (_, story, steps, atLeast) => {
    expect(await killedAt(story, ['call', 'commit'], steps)).toBeGreaterThanOrEqual(atLeast);
  });
});
