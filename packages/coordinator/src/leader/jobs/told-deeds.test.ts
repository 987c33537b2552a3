import type { Deed } from '@understudy/shared';
import { expect, test } from 'vitest';
import { deedsToAdd } from './told-deeds.ts';

const BEGAN_MS = 1_000_000_000;
const DAY_MS = 86_400_000;
const deed = (eventId: string, atWallMs = BEGAN_MS - 1, action = 'StopInstances'): Deed => ({
  ...{ action, by: 'arn:x', atWallMs, requestId: 'r', eventId, isOurs: false },
});
const added = (told: readonly Deed[], deeds?: Deed[]) =>
  deedsToAdd({ startedAtWallMs: BEGAN_MS, ...(deeds && { deeds }) }, told).map((one) => one.eventId);

test('of the day before a recovery, and of nothing later, it is kept who did what', () => {
  expect(added([deed('at', BEGAN_MS), deed('day', BEGAN_MS - DAY_MS)])).toEqual(['at', 'day']);
  expect(added([deed('after', BEGAN_MS + 1), deed('long before', BEGAN_MS - DAY_MS - 1)])).toEqual([]);
});

test('a start is no reason for a recovery', () => {
  expect(added([deed('a', BEGAN_MS - 1, 'StartInstances'), deed('b', BEGAN_MS - 1, 'RebootInstances')])).toEqual(['b']);
});

test('each event stands there once, and five at most, whatever is made up afterwards', () => {
  expect(added([deed('a'), deed('b')], [deed('a')])).toEqual(['b']);
  const many = Array.from({ length: 9 }, (_, nth) => deed(`e${nth}`));
  expect(added(many)).toEqual(['e0', 'e1', 'e2', 'e3', 'e4']);
  expect(added([deed('made up')], many.slice(0, 5))).toEqual([]);
});
