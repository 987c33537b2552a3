import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { isOperationError } from '../errors.ts';
import { GroupPolicySchema } from '../policy.ts';
import { ActivationRecordSchema, GroupRecordSchema, HoldRecordSchema, PauseRecordSchema } from './cluster.ts';
import { carriedFields, parseKeeping } from './keep-unknown.ts';
import { parseRecord, serializeRecord, unwritten } from './record.ts';

const stamp = { schemaVersion: 1, writeId: 'w-1', writtenBy: 'c1', writtenAtWallMs: 1 };
const activation = { ...stamp, member: 'orders/db-1', incarnation: 1, instanceId: 'i-1', opId: null, ordinal: 0 };
const KEY = '/understudy/v1/activations/orders/db-1';

const Nested = z.strictObject({
  list: z.array(z.strictObject({ name: z.string() })),
  either: z.union([z.strictObject({ text: z.string() }), z.strictObject({ count: z.number() })]),
  chosen: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('a'), size: z.number() }),
    z.strictObject({ kind: z.literal('b') }),
  ]),
  often: z.number().default(1),
});
const fits = { list: [{ name: 'x' }, { name: 'y' }], either: { count: 1 }, chosen: { kind: 'a', size: 2 } };

const codeOf = (work: () => unknown): string | null => {
  try {
    work();
    return null;
  } catch (error) {
    return isOperationError(error) ? error.code : 'another';
  }
};

describe('what a reader does not know', () => {
  it('is kept in a record, and written again with it', () => {
    const read = parseRecord(ActivationRecordSchema, KEY, serializeRecord({ ...activation, why: { of: ['next'] } }));
    expect(unwritten(read)).toEqual({
      ...{ member: 'orders/db-1', incarnation: 1, instanceId: 'i-1', opId: null, ordinal: 0 },
      why: { of: ['next'] },
    });
  });

  it('is kept at every depth: in lists, in unions, beside defaults', () => {
    const newer = {
      list: [{ name: 'x' }, { name: 'y', more: { deep: 1 } }],
      either: { count: 1, unit: 's' },
      chosen: { kind: 'a', size: 2, colour: 'red' },
      extra: [1],
    };
    expect(parseKeeping(Nested, newer)).toEqual({ success: true, data: { ...newer, often: 1 } });
  });

  it('leaves what was read as it was', () => {
    const newer = { ...fits, extra: 1 };
    parseKeeping(Nested, newer);
    expect(newer).toEqual({ ...fits, extra: 1 });
  });

  it('is an own property, whatever it is called', () => {
    const parsed = parseKeeping(Nested, JSON.parse(`{"__proto__":{"often":7},${JSON.stringify(fits).slice(1)}`));
    expect(parsed.data?.often).toBe(1);
    expect(Object.getPrototypeOf(parsed.data)).toBe(Object.prototype);
  });

  it('excuses nothing that is known and does not fit', () => {
    const parsed = parseKeeping(Nested, { ...fits, list: [{ name: 7, more: 1 }], extra: 1 });
    expect(parsed.error?.issues.map(({ code, path }) => [code, path])).toEqual([['invalid_type', ['list', 0, 'name']]]);
  });

  it('is no other kind of a union, and no other value of an enum: those are unreadable', () => {
    expect(parseKeeping(Nested, { ...fits, chosen: { kind: 'c' } }).success).toBe(false);
    const hold = { member: 'orders/db-1', text: '', sinceWallMs: 1, untilWallMs: null, opId: null };
    const read = (reason: string) => () =>
      parseRecord(HoldRecordSchema, '/understudy/v1/holds/orders/db-1', JSON.stringify({ ...stamp, ...hold, reason }));
    expect(codeOf(read('Paused'))).toBeNull();
    expect(codeOf(read('MadeUp'))).toBe('RECORD_UNREADABLE');
  });

  it('is a typing error where people write: policies and pauses', () => {
    const pause = { scope: 'global', who: 'me', why: 'x', sinceWallMs: 1, untilWallMs: null, untilWalMs: 2 };
    const group = { group: 'ci', policy: { suspectAfter: 5 } };
    const read = (schema: z.ZodType, key: string, record: object) => () =>
      parseRecord(schema, `/understudy/v1/${key}`, JSON.stringify({ ...stamp, ...record }));
    expect(codeOf(read(PauseRecordSchema, 'pauses/global', pause))).toBe('RECORD_UNREADABLE');
    expect(codeOf(read(GroupRecordSchema, 'groups/ci', group))).toBe('RECORD_UNREADABLE');
  });

  it('is no hook that is passed over: one of a kind that a newer build knows makes plan and policy unreadable', () => {
    const known = { name: 'flush', at: 'before-fence', program: 'flush' };
    const { program: _, ...newer } = { ...known, letter: 'flush' };
    const read = (one: object) => parseKeeping(GroupPolicySchema, { hooks: { list: [one] } });
    expect(read({ ...known, colour: 'red' }).success).toBe(true);
    expect(read(newer).success).toBe(false);
  });

  it('is carried over into what is written in its place, with the level that it takes', () => {
    const record = { ...activation, neededLevel: 1, why: 'next' };
    expect(carriedFields(ActivationRecordSchema, record)).toEqual({ neededLevel: 1, why: 'next' });
    expect(carriedFields(ActivationRecordSchema, activation)).toEqual({});
  });
});
