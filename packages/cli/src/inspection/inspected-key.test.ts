import { KEY_ROOT } from '@understudy/shared';
import { expect, it } from 'vitest';
import { inspectEntry, keysText } from './inspected-key.ts';

const entry = (key: string, value: string) => ({
  key: `${KEY_ROOT}${key}`,
  value,
  createRevision: 4,
  modRevision: 7,
  leaseId: '1234',
});

it('a record that fits its schema is shown as an object', () => {
  const value = {
    schemaVersion: 1,
    writeId: 'w',
    writtenBy: 'c1',
    writtenAtWallMs: 1,
    member: 'g/m',
    incarnation: 2,
    instanceId: 'i-2',
    opId: 'op-1',
    ordinal: 0,
  };
  const inspected = inspectEntry(KEY_ROOT, entry('activations/g/m', JSON.stringify(value)));
  expect(inspected.problem).toBeNull();
  expect(inspected.record).toEqual(value);
});

it('an unreadable record keeps its raw value and says what is wrong with it', () => {
  const inspected = inspectEntry(KEY_ROOT, entry('activations/g/m', '{"schemaVersion":1,'));
  expect(inspected.record).toBe('{"schemaVersion":1,');
  expect(inspected.problem).toContain('RECORD_UNREADABLE');
  expect(keysText([inspected])).toContain('RECORD_UNREADABLE');
});

it('a key of no known area is shown, not hidden', () => {
  expect(inspectEntry(KEY_ROOT, entry('surprise', 'x')).problem).toContain('no such area');
});

it('user data, which holds the agent key, is shown as its length only', () => {
  const request = { run: { ImageId: 'ami-1', UserData: 'c2VjcmV0' } };
  const value = {
    ...{
      schemaVersion: 1,
      writeId: 'w',
      writtenBy: 'c1',
      writtenAtWallMs: 1,
      opId: 'op-1',
      step: 'launch-1',
      state: 'started',
    },
    ...{ term: 2, startedAtWallMs: 1, endedAtWallMs: null, request, result: null, error: null },
  };
  const text = keysText([inspectEntry(KEY_ROOT, entry('journal/op-1/launch-1', JSON.stringify(value)))]);
  expect(text).toContain('ami-1');
  expect(text).toContain('[masked: 8 characters]');
  expect(text).not.toContain('c2VjcmV0');
});
