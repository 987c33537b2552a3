import type { DnsRecordSet, PlannedRecord } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { HELD_BY_NOBODY } from './held-elsewhere.ts';
import { freshOf, recordItem, recordMove as moveOf } from './record-move.ts';
import { isItem } from './step-id.ts';

const [OLD, NEW, OTHER] = ['10.0.0.1', '10.0.0.2', '10.9.9.9'];
const exact = (values: readonly string[], more: object = {}) => ({
  ...{ Name: 'db.example.com.', Type: 'A', TTL: 60, ResourceRecords: values.map((Value) => ({ Value })) },
  ...more,
});
const seen = (values: readonly string[], more: object = {}): DnsRecordSet => ({
  ...{ name: 'db.example.com.', type: 'A', setIdentifier: null, values, exact: exact(values, more) },
});
const becomes = { [OLD]: NEW };

type Moved = Parameters<typeof moveOf>;
/** What was recorded is a set, and its successor as it was then. */
const recordMove = (seenNow: Moved[0], want: Omit<Moved[1], 'recordedFresh'>, held: Moved[2] = HELD_BY_NOBODY) =>
  moveOf(seenNow, { ...want, recordedFresh: freshOf(want.recordedOld, want.becomes) }, held);

describe('a record', () => {
  test('that is what is on record is swapped, and nothing else of it is changed', () => {
    const record = seen([OLD, OTHER], { HealthCheckId: 'h' });
    expect(recordMove(record, { becomes, recordedOld: record.exact })).toEqual({
      ...{ kind: 'swap', old: record.exact, fresh: exact([NEW, OTHER], { HealthCheckId: 'h' }) },
    });
  });
  test('in another order of its values is the same', () =>
    expect(recordMove(seen([OTHER, OLD]), { becomes, recordedOld: exact([OLD, OTHER]) }).kind).toBe('swap'));
  test.each([
    ['another TTL', { TTL: 30 }],
    ['another weight', { Weight: 5 }],
  ])('with %s is recorded first', (_, more) =>
    expect(recordMove(seen([OLD], more), { becomes, recordedOld: exact([OLD]) })).toMatchObject({
      ...{ kind: 'record', old: exact([OLD], more) },
    }),
  );
  test('that has the replacement is there', () =>
    expect(recordMove(seen([NEW]), { becomes, recordedOld: exact([OLD]) })).toEqual({ kind: 'there' }));
  test('whose address the replacement has kept is there, and not swapped for itself', () =>
    expect(recordMove(seen([OLD]), { becomes: { [OLD]: OLD }, recordedOld: exact([OLD]) })).toEqual({ kind: 'there' }));
  test.each([
    ['somebody else', seen([OTHER]), OTHER],
    ['an alias', seen([]), 'an alias'],
    ['nothing', null, 'does not exist'],
  ])('that names %s is nobody’s to change', (_, record, text) =>
    expect(recordMove(record, { becomes, recordedOld: exact([OLD]) })).toEqual({
      ...{ kind: 'elsewhere', text: expect.stringContaining(text) },
    }),
  );
  const held = new Map([[OLD, `${OLD} is the address of i-b by now`]]);
  test('whose address another machine has by now keeps it, and says whose it is', () =>
    expect(recordMove(seen([OLD, OTHER]), { becomes, recordedOld: exact([OLD, OTHER]) }, held)).toEqual({
      ...{ kind: 'elsewhere', text: `${OLD} is the address of i-b by now` },
    }));
  test('with two of which one is another machine’s loses the other only, and is recorded anew before', () => {
    const two = { [OLD]: NEW, '10.0.0.9': NEW };
    const record = seen([OLD, '10.0.0.9']);
    const want = { becomes: two, recordedOld: record.exact };
    expect(recordMove(record, want, held)).toEqual({ kind: 'record', old: record.exact, fresh: exact([OLD, NEW]) });
    const again = { ...want, recordedFresh: exact([OLD, NEW]) };
    expect(moveOf(record, again, held)).toMatchObject({ kind: 'swap', fresh: exact([OLD, NEW]) });
    expect(moveOf(seen([OLD, NEW]), again, held)).toEqual({ kind: 'there' });
  });
  test('that has both comes to have the replacement once', () =>
    expect(freshOf(exact([OLD, NEW]), becomes)).toEqual(exact([NEW])));
});

test.each<readonly [Partial<PlannedRecord>, string]>([
  [{}, 'Z1.A.db.example.com'],
  [{ name: '\\052.example.com.' }, 'Z1.A.-5c-052.example.com'],
  [{ setIdentifier: 'blue one' }, 'Z1.A.db.example.com.blue-20-one'],
])('%j is the step %s', (part, item) => {
  const planned = { zoneId: 'Z1', name: 'db.example.com.', type: 'A', setIdentifier: null, values: [], exact: {} };
  expect(recordItem({ ...planned, ...part })).toBe(item);
  expect(isItem(item)).toBe(true);
});
