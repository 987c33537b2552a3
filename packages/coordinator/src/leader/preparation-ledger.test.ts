import { keyspace, type PreparationRecord, type PreparedRecord, type WallMs } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import type { ClusterRecords, Stored } from '../store/cluster-records.ts';
import { forgetting, overSpend, spentByGroup, spentToday, withBegun } from './preparation-ledger.ts';

const DAY_MS = 86_400_000;
const NOW = (40 * DAY_MS) as WallMs;
const STAMP = { schemaVersion: 1, writeId: 'w', writtenBy: 'c', writtenAtWallMs: 0 };
const keys = keyspace();

const records = (ledger: Partial<PreparedRecord> | null) => {
  const record = { ...STAMP, group: 'db', begunAtWallMs: [], ...ledger } as PreparedRecord;
  const prepared = new Map(ledger === null ? [] : [['db', { record, modRevision: 7 }]]);
  return { prepared, journals: new Map() } as unknown as ClusterRecords;
};
const dropped = { record: { opId: 'op-1', member: 'db/one' }, modRevision: 9 } as unknown as Stored<PreparationRecord>;

describe('the ledger of what was made for suspects', () => {
  const costs = [
    { atWallMs: NOW - DAY_MS, most: 4 },
    { atWallMs: NOW - DAY_MS + 1, most: 0.1 },
    { atWallMs: NOW, most: 0.2 },
  ];

  test('adds up what was begun within 24 hours, by group', () => {
    expect(spentToday(records({ costs }), 'db', NOW)).toBe(0.3);
    expect([...spentByGroup(records({ costs }), NOW)]).toEqual([['db', 0.3]]);
    expect([...spentByGroup(records({}), NOW)]).toEqual([]);
    expect(spentToday(records(null), 'db', NOW)).toBe(0);
  });

  test('is written with each beginning and its price; what is a day old is off it', () => {
    const gone = [{ opId: 'op-0', atWallMs: 5 }];
    const next = withBegun(records({ begunAtWallMs: [1, NOW - 5], costs, gone }), {
      group: 'db',
      nowWallMs: NOW,
      most: 2,
    });
    expect(next).toEqual({
      ...{ group: 'db', begunAtWallMs: [NOW - 5, NOW], gone },
      costs: [...costs.slice(1), { atWallMs: NOW, most: 2 }],
    });
    expect(withBegun(records(null), { group: 'db', nowWallMs: NOW, most: null })).toEqual({
      ...{ group: 'db', begunAtWallMs: [NOW] },
    });
  });

  test('keeps what was spent, what a newer build wrote, and the names of those that have gone', () => {
    const later = { later: 'kept' } as Partial<PreparedRecord>;
    const gone = [
      { opId: 'op-old', atWallMs: NOW - 31 * DAY_MS },
      { opId: 'op-0', atWallMs: NOW - DAY_MS },
    ];
    const write = forgetting(records({ ...later, costs, gone }), { keys, nowWallMs: NOW }, dropped);
    expect(write.puts[0]).toMatchObject({ key: keys.preparedIn('db'), expect: 7 });
    expect(write.puts[0].record).toMatchObject({ later: 'kept', costs: costs.slice(1) });
    expect(write.puts[0].record).toMatchObject({ gone: [gone[1], { opId: 'op-1', atWallMs: NOW }] });
    expect(write.deletes).toEqual([{ key: keys.preparation('op-1'), expect: 9 }]);
  });

  test('keeps the newest 500 names', () => {
    const gone = Array.from({ length: 500 }, (_, at) => ({ opId: `op-x${at}`, atWallMs: NOW - 1 }));
    const { record } = forgetting(records({ gone }), { keys, nowWallMs: NOW }, dropped).puts[0];
    const names = (record as PreparedRecord).gone?.map(({ opId }) => opId) ?? [];
    expect([names.length, names[0], names.at(-1)]).toEqual([500, 'op-x1', 'op-1']);
  });
});

test.each([
  [0.7, 0.3, null],
  [0.7, 0.300001, 'it can cost 0.300001, and 0.7 of 1 are spent in 24 h in the group (recover.prepare.spend.perDay)'],
  [0, 0, null],
])('%s spent, and %s more: %s', (spent, most, why) => expect(overSpend({ perDay: 1 }, spent, most)).toBe(why));
