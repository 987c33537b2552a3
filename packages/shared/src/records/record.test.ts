import { describe, expect, it } from 'vitest';
import { isOperationError, type OperationError } from '../errors.ts';
import { FEATURE_LEVEL } from '../feature-level.ts';
import { type ActivationRecord, ActivationRecordSchema } from './cluster.ts';
import { parseRecord, serializeRecord } from './record.ts';

const record: ActivationRecord = {
  schemaVersion: 1,
  writeId: 'w-1',
  writtenBy: 'c1',
  writtenAtWallMs: 1_790_000_000_000,
  member: 'orders/db-1',
  incarnation: 1,
  instanceId: 'i-0123456789abcdef0',
  opId: null,
  ordinal: 0,
};
const KEY = '/understudy/v1/activations/orders/db-1';

function refusal(value: string): OperationError {
  try {
    parseRecord(ActivationRecordSchema, KEY, value);
  } catch (error) {
    if (isOperationError(error)) return error;
    throw error;
  }
  throw new Error(`accepted: ${value}`);
}

describe('a record', () => {
  it('comes back as it was written', () => {
    expect(parseRecord(ActivationRecordSchema, KEY, serializeRecord(record))).toEqual(record);
  });

  it('that is no JSON is refused by name', () => {
    const error = refusal('{"schemaVersion":1,');
    expect(error.code).toBe('RECORD_UNREADABLE');
    expect(error.message).toContain(`${KEY} is not JSON`);
    expect(error.cause).toBeInstanceOf(SyntaxError);
  });

  it('with a field that does not fit is refused with key and field', () => {
    expect(refusal(serializeRecord({ ...record, incarnation: 0 })).message).toContain(`${KEY}: incarnation: `);
    expect(refusal(serializeRecord({ ...record, member: 'orders' })).message).toContain(`${KEY}: member: `);
    expect(refusal('null').message).toContain(`${KEY}: value: `);
  });

  it('of a newer version is refused, not half understood, and says that a newer build wrote it', () => {
    const { message } = refusal(serializeRecord({ ...record, schemaVersion: 2, alsoServe: 'i-2' }));
    expect(message).toContain('its schemaVersion is 2, and this build reads 1: a newer build wrote it');
  });

  it('that takes a level above ours to act by is refused, and says which', () => {
    const needs = (neededLevel: number) => serializeRecord({ ...record, neededLevel });
    expect(refusal(needs(FEATURE_LEVEL + 1)).message).toContain(
      `it needs feature level ${FEATURE_LEVEL + 1}, and this build understands ${FEATURE_LEVEL}`,
    );
    expect(parseRecord(ActivationRecordSchema, KEY, needs(FEATURE_LEVEL)).neededLevel).toBe(FEATURE_LEVEL);
  });

  it('without the stamp of its writer is refused: a lost reply could not be recognised', () => {
    expect(refusal(serializeRecord({ ...record, writeId: '' })).message).toContain('writeId');
  });
});
