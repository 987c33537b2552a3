import { describe, expect, test } from 'vitest';
import { activationRecord, historyRecord, intentRecord } from '@understudy/shared/testing';
import { readBooks } from './books.ts';
import { KEYS, MEMBER, OLD, RunRig } from '../run.fixtures.ts';

const read = (rig: RunRig) => rig.clock.runUntilSettled(readBooks(rig.parts.kv, KEYS));

describe('the books', () => {
  test('have ended and open recoveries, and who is activated', async () => {
    const rig = new RunRig();
    const other = historyRecord('db/two', 'i-2');
    const key = KEYS.historyEntry('db/two', other.opId);
    const modRevision = rig.put(key, other);
    rig.put(KEYS.activation(MEMBER), activationRecord(MEMBER, OLD));
    const { entries, known, unreadable } = await read(rig);
    expect(entries).toMatchObject([{ key, modRevision, record: { opId: other.opId } }]);
    expect([...known.finished.keys()]).toEqual([other.opId]);
    expect([...known.open]).toEqual([rig.opId]);
    expect([...known.activations].map(([member, { instanceId }]) => [member, instanceId])).toEqual([[MEMBER, OLD]]);
    expect(unreadable).toEqual([]);
  });

  test('have what is made for a suspect as open, also where it cannot be read', async () => {
    const rig = new RunRig();
    rig.put(KEYS.preparation('op-1'), '{"broken":1}');
    const { known, unreadable } = await read(rig);
    expect([...known.open]).toEqual(['op-1', rig.opId]);
    expect(unreadable).toEqual([]);
  });

  test('have the names of what was made for suspects and has gone, and what open recoveries name', async () => {
    const rig = new RunRig();
    const gone = [{ opId: 'op-gone', atWallMs: 5 }];
    rig.put(KEYS.preparedIn('db'), { group: 'db', begunAtWallMs: [], gone });
    rig.put(KEYS.preparedIn('other'), { group: 'other', begunAtWallMs: [] });
    rig.put(KEYS.intent('db/five'), '{"broken":"snap-0a, eni-1"}');
    const { known } = await read(rig);
    expect([...known.gone]).toEqual(['op-gone']);
    expect([...known.named]).toEqual(expect.arrayContaining(['snap-0a', 'eni-1']));
  });

  test('say what cannot be read, and go on with the rest', async () => {
    const rig = new RunRig();
    const good = historyRecord('db/two', 'i-2');
    rig.put(KEYS.historyEntry('db/two', good.opId), good);
    rig.put(KEYS.historyEntry('db/three', 'op-x'), '{"broken":1}');
    rig.put(KEYS.activation('db/four'), '{"broken":1}');
    rig.put(KEYS.intent('db/five'), '{"broken":1}');
    const { entries, unreadable } = await read(rig);
    expect(entries).toHaveLength(1);
    expect(unreadable).toHaveLength(3);
    for (const name of ['db/three', 'db/four', 'db/five']) expect(unreadable.join()).toContain(name);
  });

  test('show a recovery that closes while they are read as open: the careful mistake', async () => {
    const rig = new RunRig();
    const { kv } = rig.parts;
    const range = kv.range.bind(kv);
    let first = true;
    const closing: typeof range = async (prefix) => {
      const found = await range(prefix);
      if (first && prefix === KEYS.intents) {
        rig.delete(KEYS.intent(MEMBER));
        rig.put(KEYS.historyEntry(MEMBER, rig.opId), historyRecord(MEMBER, OLD));
      }
      first &&= prefix !== KEYS.intents;
      return found;
    };
    const books = await rig.clock.runUntilSettled(
      readBooks(Object.assign(Object.create(kv), { range: closing }), KEYS),
    );
    expect([...books.known.open]).toEqual([intentRecord(MEMBER, OLD).opId]);
    expect(books.entries).toHaveLength(1);
  });
});
