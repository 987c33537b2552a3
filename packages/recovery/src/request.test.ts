import { describe, expect, test } from 'vitest';
import { requestRecord } from '@understudy/shared/testing';
import { ownRecordsOf, readRequest } from './request.ts';
import { KEYS, MEMBER, RunRig } from './run.fixtures.ts';

const place = (rig: RunRig) => ({ kv: rig.parts.kv, keys: KEYS, member: MEMBER });
const holdOf = (opId: string | null) => ({
  ...{ member: MEMBER, reason: 'CloudDenied', text: 't', sinceWallMs: 1, untilWallMs: null, opId },
});

describe('what an operator has asked', () => {
  test('of this recovery is found, with its revision', async () => {
    const rig = new RunRig();
    expect(await readRequest(place(rig), rig.opId)).toBeNull();
    const modRevision = rig.put(KEYS.request(MEMBER), requestRecord(MEMBER, rig.opId));
    expect(await readRequest(place(rig), rig.opId)).toMatchObject({
      record: { kind: 'retry', by: 'ann' },
      modRevision,
    });
  });

  test.each([
    ['of another recovery', requestRecord(MEMBER, 'op-other')],
    ['in words nobody can read', '{"nonsense":1}'],
  ])('%s is not ours to act on', async (_name, record) => {
    const rig = new RunRig();
    rig.put(KEYS.request(MEMBER), record);
    expect(await readRequest(place(rig), rig.opId)).toBeNull();
  });

  test('and cannot be read because the store fails is no "nothing"', async () => {
    const rig = new RunRig();
    rig.kv.client('c1').inject({ kind: 'refuse', operation: 'get' });
    await expect(readRequest(place(rig), rig.opId)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});

describe('what goes with a recovery that is closed', () => {
  test('is its own hold and what was asked of it, as they are now', async () => {
    const rig = new RunRig();
    const hold = rig.put(KEYS.hold(MEMBER), holdOf(rig.opId));
    const request = rig.put(KEYS.request(MEMBER), requestRecord(MEMBER, rig.opId));
    expect(await ownRecordsOf(place(rig), rig.opId)).toEqual([
      { key: KEYS.hold(MEMBER), expect: hold },
      { key: KEYS.request(MEMBER), expect: request },
    ]);
  });

  test('is nothing of anybody else', async () => {
    const rig = new RunRig();
    expect(await ownRecordsOf(place(rig), rig.opId)).toEqual([]);
    rig.put(KEYS.hold(MEMBER), holdOf(null));
    rig.put(KEYS.request(MEMBER), requestRecord(MEMBER, 'op-other'));
    expect(await ownRecordsOf(place(rig), rig.opId)).toEqual([]);
  });
});
