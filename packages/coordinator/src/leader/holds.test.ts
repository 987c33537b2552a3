import { type HoldReason, keyspace, type MemberId, type Term, wallMs } from '@understudy/shared';
import {
  activationRecord,
  entryOf,
  holdRecord,
  intentRecord,
  RecordingLog,
  SimClock,
  WRITTEN,
} from '@understudy/shared/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { ClusterRecords } from '../store/cluster-records.ts';
import { HoldKeeper, planHolds, type WantedHold } from './holds.ts';

const keys = keyspace();
const DB1: MemberId = 'prod/db1';
const PAUSED: WantedHold = { reason: 'Paused', text: 'paused by a person', untilWallMs: null };
let records: ClusterRecords;
beforeEach(() => {
  records = new ClusterRecords(keys.root);
});
const plan = (wanted: readonly (readonly [MemberId, WantedHold])[], nowWallMs = WRITTEN.writtenAtWallMs + 1_000) =>
  planHolds({ wanted: new Map(wanted), records, keyOf: keys.hold, nowWallMs: wallMs(nowWallMs) });
const have = (over: Parameters<typeof holdRecord>[1] = {}) =>
  records.put(entryOf(keys.hold(DB1), holdRecord(DB1, over), 7));

describe('hold records', () => {
  test('a new one is put where there is none', () => {
    expect(plan([[DB1, PAUSED]])).toEqual([{ kind: 'put', member: DB1, expect: 0, hold: PAUSED, sinceWallMs: 2_000 }]);
  });

  test('one that says the same is not written again', () => {
    have();
    expect(plan([[DB1, PAUSED]])).toEqual([]);
  });

  test('other words for the same reason wait, and keep their beginning', () => {
    have();
    const reworded = { ...PAUSED, text: 'paused by another person' };
    expect(plan([[DB1, reworded]])).toEqual([]);
    expect(plan([[DB1, reworded]], 31_000)).toMatchObject([{ kind: 'put', expect: 7, sinceWallMs: 500 }]);
  });

  test('what a newer build wrote into it stays while the reason does', () => {
    const newer = { ...holdRecord(DB1), madeUp: 1 };
    records.put(entryOf(keys.hold(DB1), newer, 7));
    const reworded = { ...PAUSED, text: 'paused by another person' };
    expect(plan([[DB1, reworded]], 31_000)).toMatchObject([{ kind: 'put', carried: { madeUp: 1 } }]);
    const [change] = plan([[DB1, { ...PAUSED, reason: 'MassFailure' }]]);
    expect(change).not.toHaveProperty('carried');
  });

  test('another reason is written at once, with its own beginning', () => {
    have();
    expect(plan([[DB1, { ...PAUSED, reason: 'MassFailure' }]])).toMatchObject([
      { kind: 'put', expect: 7, sinceWallMs: 2_000 },
    ]);
  });

  test('one nobody wants any more is cleared', () => {
    have();
    expect(plan([])).toEqual([{ kind: 'clear', member: DB1, expect: 7 }]);
  });

  test("the engine's hold on an open recovery is neither replaced nor cleared", () => {
    const { opId } = intentRecord(DB1, 'i-1');
    have({ opId, reason: 'FenceNotProven' });
    records.put(entryOf(keys.intent(DB1), intentRecord(DB1, 'i-1'), 6));
    expect(plan([])).toEqual([]);
    expect(plan([[DB1, PAUSED]])).toEqual([]);
    records.delete(keys.intent(DB1));
    expect(plan([])).toEqual([{ kind: 'clear', member: DB1, expect: 7 }]);
  });

  test('once its replacement is activated, why that one is not recovered goes before which chore is stuck', () => {
    const { opId } = intentRecord(DB1, 'i-1');
    have({ opId, reason: 'AddressHeldElsewhere' });
    records.put(entryOf(keys.intent(DB1), intentRecord(DB1, 'i-1'), 6));
    records.put(entryOf(keys.activation(DB1), { ...activationRecord(DB1, 'i-2', 2), opId }, 8));
    expect(plan([])).toEqual([]);
    expect(plan([[DB1, PAUSED]])).toMatchObject([{ kind: 'put', expect: 7, hold: PAUSED }]);
  });

  test('an unreadable hold record is left for a person', () => {
    records.put(entryOf(keys.hold(DB1), '{', 7));
    expect(records.unreadable.size).toBe(1);
    expect(plan([[DB1, { ...PAUSED, reason: 'RecordUnreadable' }]])).toEqual([]);
  });
});

test.each<[HoldReason, 'warn' | 'error']>([
  ['Paused', 'warn'],
  ['Cooldown', 'warn'],
  ['NotEnoughObservers', 'warn'],
  ['Protected', 'error'],
  ['NeverHeard', 'error'],
  ['KeyRetired', 'error'],
])('a hold of %s is logged as %s: an error is what does not end without a person', async (reason, level) => {
  const log = new RecordingLog();
  const clock = new SimClock();
  const holds = new HoldKeeper({ keys, clock, log });
  const commit = async () => ({ kind: 'committed', revision: 1 }) as const;
  const term = { number: 3, commit, holdsFor: () => true } as unknown as Term;
  const hold = { ...PAUSED, reason };
  await holds.write(term, [{ kind: 'put', member: DB1, hold, sinceWallMs: 1, expect: 0 }]);
  expect(log.lines.map((line) => [line.level, line.event])).toEqual([[level, 'hold.placed']]);
});
