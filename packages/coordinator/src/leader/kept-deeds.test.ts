import { type Deed, DEEDS_MAX, DeedsRecordSchema, type KeptDeed, type MemberId } from '@understudy/shared';
import { activationRecord, historyRecord, intentRecord, WRITTEN } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { deedsToAdd, RECORD_BYTES_MAX, stillWanted, waitingWith as waitingWhere } from './kept-deeds.ts';

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

/** A newer one may take a place. */
const waitingWith = (
  records: Parameters<typeof waitingWhere>[0],
  member: MemberId,
  told: readonly KeptDeed[],
  nowWallMs: number,
) => waitingWhere(records, member, told, { nowWallMs, mayReplace: true });

test('each event stands there once, and three of an action at most, whatever is made up afterwards', () => {
  expect(added([deed('a'), deed('b')], [deed('a')])).toEqual(['b']);
  const many = Array.from({ length: 9 }, (_, nth) => deed(`e${nth}`));
  expect(added(many)).toEqual(['e0', 'e1', 'e2']);
  expect(added([deed('made up')], many.slice(0, 3))).toEqual([]);
  expect(added([deed('end', BEGAN_MS - 1, 'TerminateInstances')], many.slice(0, 3))).toEqual(['end']);
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
    expect(ids(stillWanted(after(['1', '2', '3'].map((id) => deed(id))), DB, BEGAN_MS + 5))).toEqual([]);
    expect(ids(stillWanted(records([kept('a')], { active: 'i-2' }), DB, BEGAN_MS))).toEqual([]);
  });

  test('a deed is added once, while there is room for its instance; what is not wanted any more goes then', () => {
    const waits = records([kept('a'), kept('old', { instanceId: 'i-0' })]);
    expect(ids(waitingWith(waits, DB, [kept('a')], BEGAN_MS))).toBeNull();
    expect(ids(waitingWith(waits, DB, [kept('b'), kept('b')], BEGAN_MS))).toEqual(['a', 'b']);
    const full = records(['1', '2', '3'].map((id) => kept(id)));
    expect(ids(waitingWith(full, DB, [kept('no newer')], BEGAN_MS))).toBeNull();
  });

  const reboots = (count: number) =>
    Array.from({ length: count }, (_, nth) =>
      kept(`r${nth}`, { action: 'RebootInstances', atWallMs: BEGAN_MS - 1_000 + nth }),
    );
  const end = kept('end', { action: 'TerminateInstances' });

  test('many reboots push out no termination, and leave the two that came first and the newest', () => {
    const all = waitingWith(records([]), DB, [...reboots(6), end, ...reboots(9)], BEGAN_MS);
    expect(ids(all)).toEqual(['r0', 'r1', 'end', 'r8']);
    expect(added([...(all ?? [])])).toEqual(['r0', 'r1', 'end', 'r8']);
  });

  test('without leave to replace, what came first stays, and another action has its room', () => {
    const told = [...reboots(6), end];
    const all = waitingWhere(records([]), DB, told, { nowWallMs: BEGAN_MS, mayReplace: false });
    expect(ids(all)).toEqual(['r0', 'r1', 'r2', 'end']);
  });

  test('a made-up date in the future keeps no later deed out', () => {
    const [first, second] = reboots(2);
    const future = kept('future', { action: 'RebootInstances', atWallMs: BEGAN_MS + 200_000 });
    const later = kept('true', { action: 'RebootInstances', atWallMs: BEGAN_MS, keptAtWallMs: BEGAN_MS + 60_000 });
    const all = [first, second, future].flatMap((one) => one ?? []);
    expect(ids(waitingWith(records(all), DB, [later], BEGAN_MS + 60_000))).toEqual(['r0', 'r1', 'true']);
  });

  test('an action that loses no instance does not wait', () => {
    expect(waitingWith(records([]), DB, [kept('a', { action: 'ModifyInstanceAttribute' })], BEGAN_MS)).toBeNull();
  });

  test.each([
    ['as they are usually', 'arn:x'],
    ['as long as they are read', '\u2028"'.repeat(128)],
  ])('a record never has more than can be read, with texts %s: of instances of before the oldest go', (_, by) => {
    const ofOne = (instanceId: string) =>
      ['TerminateInstances', 'StopInstances', 'RebootInstances'].flatMap((action) =>
        [1, 2, 3].map((nth) => kept(`${instanceId}-${action}-${nth}`, { instanceId, action, by })),
      );
    const before = Array.from({ length: 20 }, (_one, nth) => `i-old${nth}`);
    const base = records([], { active: 'i-1', intentOf: 'i-0' });
    const history = new Map(before.map((id) => [id, stored(ended(id))]));
    const told = [...ofOne('i-1'), ...ofOne('i-0'), ...before.flatMap(ofOne)];
    const all = waitingWith({ ...base, history: new Map([[DB, history]]) }, DB, told, BEGAN_MS) ?? [];
    const record = { ...WRITTEN, member: DB, kept: [...all] };
    expect(DeedsRecordSchema.safeParse(record).success).toBe(true);
    expect(all.length).toBeLessThanOrEqual(DEEDS_MAX);
    expect(Buffer.byteLength(JSON.stringify(record))).toBeLessThanOrEqual(RECORD_BYTES_MAX);
    expect(all.filter(({ instanceId }) => instanceId === 'i-1' || instanceId === 'i-0')).toHaveLength(18);
    expect(all.at(-1)).toBe(told.at(-1));
    expect(all.length).toBeLessThan(told.length);
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
