import type { Deed, KeptDeed, MemberId } from '@understudy/shared';
import { activationRecord, historyRecord, intentRecord, WRITTEN } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { deedsToAdd, stillWanted, waitingWith } from './kept-deeds.ts';

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

describe('what waits in etcd of a member', () => {
  const DB: MemberId = 'prod/db1';
  const kept = (eventId: string, over: Partial<KeptDeed> = {}): KeptDeed => ({
    ...{ ...deed(eventId, BEGAN_MS - 10), instanceId: 'i-1', keptAtWallMs: BEGAN_MS - 5, ...over },
  });
  const stored = <T>(record: T) => ({ record, modRevision: 1 });
  const records = (
    waits: readonly KeptDeed[],
    over: { active?: string; intentOf?: string; history?: { of: string; deeds?: Deed[] } } = {},
  ) => ({
    activations: new Map([[DB, stored(activationRecord(DB, over.active ?? 'i-1'))]]),
    intents: new Map(
      over.intentOf === undefined ? [] : [[DB, stored(intentRecord(DB, over.intentOf, { startedAtWallMs: BEGAN_MS }))]],
    ),
    history: new Map(
      over.history === undefined
        ? []
        : [[DB, new Map([['op', stored(ended(over.history.of, over.history.deeds))]])] as const],
    ),
    deeds: new Map([[DB, stored({ ...WRITTEN, member: DB, kept: [...waits] })]]),
  });
  const ended = (oldInstanceId: string, deeds?: Deed[]) => ({
    ...historyRecord(DB, oldInstanceId, { startedAtWallMs: BEGAN_MS }),
    ...(deeds && { deeds }),
  });
  const ids = (list: readonly KeptDeed[] | null) => list?.map((one) => one.eventId) ?? null;

  test('of the activated instance: for a day from when it was written, whatever it says of itself', () => {
    const waits = records([kept('a')]);
    expect(ids(stillWanted(waits, DB, BEGAN_MS + DAY_MS - 5))).toEqual(['a']);
    expect(ids(stillWanted(waits, DB, BEGAN_MS + DAY_MS))).toEqual([]);
    // A wall clock that was set back keeps it longer, and nothing else.
    expect(ids(stillWanted(waits, DB, 0))).toEqual(['a']);
  });

  test('of the instance of an open recovery: for as long as that is open', () => {
    const waits = records([kept('a')], { active: 'i-2', intentOf: 'i-1' });
    expect(ids(stillWanted(waits, DB, BEGAN_MS + 30 * DAY_MS))).toEqual(['a']);
  });

  test('until a history has it, or has no room for it; of an instance that is gone nothing waits', () => {
    const after = (deeds?: Deed[]) =>
      records([kept('a')], { active: 'i-2', history: { of: 'i-1', ...(deeds && { deeds }) } });
    expect(ids(stillWanted(after(), DB, BEGAN_MS + 5))).toEqual(['a']);
    expect(ids(stillWanted(after([deed('a')]), DB, BEGAN_MS + 5))).toEqual([]);
    expect(ids(stillWanted(after(['1', '2', '3', '4', '5'].map((id) => deed(id))), DB, BEGAN_MS + 5))).toEqual([]);
    expect(ids(stillWanted(records([kept('a')], { active: 'i-2' }), DB, BEGAN_MS))).toEqual([]);
  });

  test('a deed is added once, while there is room for its instance; what is not wanted any more goes then', () => {
    const waits = records([kept('a'), kept('old', { instanceId: 'i-0' })]);
    expect(ids(waitingWith(waits, DB, [kept('a')], BEGAN_MS))).toBeNull();
    expect(ids(waitingWith(waits, DB, [kept('b'), kept('b')], BEGAN_MS))).toEqual(['a', 'b']);
    const five = records(['1', '2', '3', '4', '5'].map((id) => kept(id)));
    expect(ids(waitingWith(five, DB, [kept('made up')], BEGAN_MS))).toBeNull();
  });

  test('what can be in no history does not wait', () => {
    const never = (over: Partial<KeptDeed>) => ids(waitingWith(records([]), DB, [kept('a', over)], BEGAN_MS));
    expect(never({ action: 'StartInstances' })).toBeNull();
    expect(never({ atWallMs: BEGAN_MS - 2 * DAY_MS })).toBeNull();
    expect(never({ atWallMs: BEGAN_MS + 600_000 })).toBeNull();
    expect(never({ atWallMs: BEGAN_MS + 60_000 })).toEqual(['a']);
    expect(never({ instanceId: 'i-0' })).toBeNull();
  });

  test('our own stop of an instance, in the recovery that is open, is not written down', () => {
    const own = kept('own', { atWallMs: BEGAN_MS + 5 });
    expect(ids(waitingWith(records([], { active: 'i-2', intentOf: 'i-1' }), DB, [own], BEGAN_MS + 9))).toBeNull();
  });
});
