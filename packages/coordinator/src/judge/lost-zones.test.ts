import { expect, test } from 'vitest';
import type { FleetMember, StartedRecovery } from './guard-input.ts';
import { lostZones } from './lost-zones.ts';

const LIMITS = { zoneMinimum: 3, zoneRatio: 0.5 };
const one = (az: string, number: number, over: Partial<FleetMember> = {}): FleetMember => ({
  ...{ member: `g/${az}${number}`, az, failedSinceWallMs: null, heard: true },
  ...over,
});
const down = { failedSinceWallMs: 1, heard: false };
const zone = (az: string, total: number, failed: number): FleetMember[] =>
  Array.from({ length: total }, (_, index) => one(az, index, index < failed ? down : {}));
const open = (
  member: `${string}/${string}`,
  az: string | null,
  endedAtWallMs: number | null = null,
): StartedRecovery => ({
  ...{ member, group: 'g', az, startedAtWallMs: 1, endedAtWallMs },
});
const lost = (fleet: readonly FleetMember[], recoveries: readonly StartedRecovery[] = []) =>
  lostZones({ fleet, recoveries, limits: LIMITS });

test('half of a zone is silent, and three at least: it is lost, whenever they failed', () => {
  expect(lost([...zone('a', 6, 3), ...zone('b', 6, 2)])).toEqual(['a']);
  expect(lost([...zone('a', 7, 3), ...zone('b', 2, 2)])).toEqual([]);
  expect(lost([...zone('a', 4, 4), ...zone('b', 3, 3)])).toEqual(['a', 'b']);
});

test('who is being recovered out of it counts there, once, wherever its replacement is', () => {
  const fleet = [...zone('a', 3, 2), ...zone('b', 3, 0)];
  expect(lost(fleet)).toEqual([]);
  expect(lost(fleet, [open('g/moved', 'a')])).toEqual(['a']);
  expect(lost(fleet, [open('g/a0', 'a')])).toEqual([]);
  expect(lost(fleet, [open('g/moved', 'a', 5), open('g/other', null)])).toEqual([]);
  expect(lost([], [open('g/1', 'c'), open('g/2', 'c'), open('g/3', 'c')])).toEqual(['c']);
});

test('one that failed and is still heard: it is not the zone that is lost', () => {
  expect(lost([...zone('a', 4, 3), one('a', 9, { failedSinceWallMs: 1, heard: true })])).toEqual([]);
});

test('a zone that is not known is none', () => {
  expect(lost(zone('', 3, 3))).toEqual([]);
});
