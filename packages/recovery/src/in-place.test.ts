import { describe, expect, test } from 'vitest';
import { closeInPlace } from './in-place.ts';
import { KEYS, MEMBER, OLD, RunRig } from './run.fixtures.ts';

const activation = { member: MEMBER, incarnation: 1, instanceId: OLD, opId: null, ordinal: 0 };
const read = (rig: RunRig, key: string): Record<string, unknown> | null =>
  rig.kv.entries(key).map((one) => JSON.parse(one.value) as Record<string, unknown>)[0] ?? null;

/** A recovery whose intent is based on the activation that is there. */
function begun(): RunRig {
  const rig = new RunRig();
  const activationModRevision = rig.put(KEYS.activation(MEMBER), activation);
  const record = { ...rig.intent.record, activationModRevision };
  const modRevision = rig.put(KEYS.intent(MEMBER), record);
  return Object.assign(rig, { intent: { record, modRevision } });
}

describe('a recovery that leaves the member with the instance it had', () => {
  test('raises the ordinal, and takes intent and journal, in one transaction', async () => {
    const rig = begun();
    rig.putStep('fence', {
      state: 'done',
      request: { oldInstanceId: OLD, skipOsShutdown: true },
      result: { how: 'stopped' },
    });
    const run = await rig.run();
    const write = await closeInPlace(run, { outcome: 'not-mended', why: 'silent' });
    expect((await run.term.commit(write)).kind).toBe('committed');
    expect(read(rig, KEYS.activation(MEMBER))).toMatchObject({ ...activation, ordinal: 1 });
    expect(read(rig, KEYS.historyEntry(MEMBER, rig.opId))).toMatchObject({
      outcome: 'not-mended',
      fencedBy: 'stopped',
    });
    expect([read(rig, KEYS.intent(MEMBER)), rig.step('fence')]).toEqual([null, null]);
    // **S** What lands late, or is repeated by a run that was paused, changes nothing.
    expect((await run.term.commit(write)).kind).toBe('conflict');
    await expect(closeInPlace(run, { outcome: 'mended', why: '' })).rejects.toThrow('closed by somebody else');
  });

  test('is not closed over an activation that is another one since', async () => {
    const rig = begun();
    const run = await rig.run();
    rig.put(KEYS.activation(MEMBER), { ...activation, instanceId: 'i-other', incarnation: 2 });
    await expect(closeInPlace(run, { outcome: 'mended', why: 'heard' })).rejects.toThrow('the activation has changed');
  });
});
