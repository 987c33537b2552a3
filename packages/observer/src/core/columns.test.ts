import { describe, expect, it } from 'vitest';
import { AgentIndex } from './agent-index.ts';
import { ENTRY_FLAG, EntryColumns, isHeard, MemberColumns, NONE } from './columns.ts';

const isColumn = (value: unknown): value is Uint8Array => ArrayBuffer.isView(value);
/** Every flat array, with how many numbers of it one row has. */
const columnsOf = (table: MemberColumns | EntryColumns): readonly (readonly [string, Uint8Array, number])[] =>
  Object.entries(table).flatMap(([name, value]) =>
    isColumn(value) ? [[name, value, name === 'agentId' ? 16 : name === 'checks' ? 32 : 1] as const] : [],
  );

describe.each([
  ['members', () => new MemberColumns()],
  ['instances', () => new EntryColumns()],
] as const)('the table of %s', (_, make) => {
  it('keeps every number of every row while it grows', () => {
    const table = make();
    for (let row = 0; row < 20; row++) {
      expect(table.take()).toBe(row);
      for (const [, column, width] of columnsOf(table)) column.fill(row + 1, row * width, (row + 1) * width);
    }
    table.reserve(500);
    expect(columnsOf(table).length).toBeGreaterThan(10);
    for (const [name, column, width] of columnsOf(table)) {
      expect(column, name).toHaveLength(500 * width);
      for (let row = 0; row < 20; row++)
        expect(new Set(column.subarray(row * width, (row + 1) * width)), `${name} ${row}`).toEqual(new Set([row + 1]));
    }
  });

  it('grows by an eighth, by sixteen rows at least', () => {
    const table = make();
    table.take();
    expect(table.capacity).toBe(16);
    for (let row = 1; row < 17; row++) table.take();
    expect(table.capacity).toBe(32);
    table.reserve(800);
    for (let row = 17; row < 801; row++) table.take();
    expect([table.count, table.capacity]).toEqual([801, 900]);
  });

  it('is exactly as large as it was told to be, and never gets smaller', () => {
    const table = make();
    table.reserve(100);
    expect(table.capacity).toBe(100);
    table.reserve(50);
    expect(table.capacity).toBe(100);
    for (const [name, column, width] of columnsOf(table)) expect(column, name).toHaveLength(100 * width);
  });

  it('uses rows that were given back before new ones', () => {
    const table = make();
    for (let row = 0; row < 3; row++) table.take();
    table.release(1);
    expect([table.take(), table.take()]).toEqual([1, 3]);
    expect(table.count).toBe(4);
  });
});

it('a member that is gone is never due, and no instance is its own', () => {
  const members = new MemberColumns();
  const slot = members.take();
  members.ids[slot] = 'db/a';
  members.activeIds[slot] = 'i-1';
  members.activeEntry[slot] = 5;
  members.release(slot);
  expect([members.ids[slot], members.activeIds[slot], members.dueAtMs[slot]]).toEqual([null, null, Infinity]);
  expect(members.activeEntry[slot]).toBe(NONE);
});

it('of an instance that is gone nothing is left that the next one in its row could inherit', () => {
  const entries = new EntryColumns();
  const entry = entries.take();
  entries.hashHex[entry] = 'ab';
  entries.address4[entry] = 7;
  entries.otherAddress.set(entry, 'fe80::1');
  entries.flags[entry] = ENTRY_FLAG.heard;
  entries.failing.note(entry, 1, true, 1_000);
  for (let beat = 0; beat < 3; beat++) entries.longGaps.note(entry, 9_000, 1_000);
  entries.release(entry);
  expect([entries.hashHex[entry], entries.address4[entry], entries.flags[entry]]).toEqual(['', 0, 0]);
  expect([entries.otherAddress.size, entries.failing.count, entries.longGaps.medianMs(entry)]).toEqual([0, 0, 0]);
});

it('heard is whoever echoed our challenge, whatever else is known of it; nobody is not', () => {
  const entries = new EntryColumns();
  const entry = entries.take();
  entries.flags[entry] = ENTRY_FLAG.windowOpen | ENTRY_FLAG.serving;
  expect(isHeard(entries, entry)).toBe(false);
  entries.flags[entry] = ENTRY_FLAG.windowOpen | ENTRY_FLAG.heard;
  expect(isHeard(entries, entry)).toBe(true);
  expect(isHeard(entries, NONE)).toBe(false);
});

describe('agents by their id', () => {
  /** Sixteen bytes that begin with these; the last one tells apart what begins alike. */
  const idOf = (first: readonly number[], last: number): Uint8Array => {
    const id = new Uint8Array(16);
    id.set(first);
    id[15] = last;
    return id;
  };
  const index = (ids: readonly Uint8Array[]) => {
    const members = new MemberColumns();
    for (const id of ids) {
      const slot = members.take();
      members.ids[slot] = `db/m${slot}`;
      members.agentId.set(id, slot * 16);
    }
    const made = new AgentIndex();
    made.rebuild(members);
    return { members, made };
  };

  it('are found wherever the id stands in a datagram, also where many begin with the same bytes', () => {
    const ids = Array.from({ length: 40 }, (_, i) => idOf([1, 2, 3, i < 30 ? 4 : i], i));
    const { members, made } = index(ids);
    const found = ids.map((id) => made.find(members, Uint8Array.from([9, 9, 9, ...id, 9]), 3));
    expect(found).toEqual(ids.map((_, slot) => slot));
  });

  it('whoever differs in one byte only is a stranger', () => {
    const { members, made } = index([idOf([1, 2, 3, 4], 5)]);
    for (let at = 0; at < 16; at++) {
      const other = idOf([1, 2, 3, 4], 5);
      other[at] = (other[at] as number) ^ 0x80;
      expect(made.find(members, other, 0), `byte ${at}`).toBe(-1);
    }
  });

  it('those that are gone are not found', () => {
    const ids = [idOf([1, 2, 3, 4], 1), idOf([1, 2, 3, 4], 2)];
    const { members, made } = index(ids);
    members.release(0);
    made.rebuild(members);
    expect(ids.map((id) => made.find(members, id, 0))).toEqual([-1, 1]);
  });

  it('nobody is found in an empty index', () => {
    expect(new AgentIndex().find(new MemberColumns(), idOf([1, 2, 3, 4], 1), 0)).toBe(-1);
  });
});
