import { describe, expect, test } from 'vitest';
import { IntentGone, type Journal } from './journal.ts';
import { KEYS, LAUNCH_REQUEST, MEMBER, RunRig } from './run.fixtures.ts';
import { ADDRESS } from './identity/elastic-ip.ts';
import { LAUNCH } from './steps/attempt-records.ts';
import { CAPTURE } from './steps/capture-records.ts';
import { DONE } from './steps/done.ts';
import { FENCE } from './steps/fence-record.ts';

const ADDRESS_REQUEST = { allocationId: 'a1', networkInterfaceId: 'eni-1', associationId: null };
const FENCE_REQUEST = { oldInstanceId: 'i-old', skipOsShutdown: true };

const journalOf = async (rig: RunRig): Promise<Journal> => (await rig.run()).journal;
const settled = <T>(rig: RunRig, work: Promise<T>): Promise<T> => rig.clock.runUntilSettled(work);

/** A hold of this recovery, as the journal knows it. */
function hold(rig: RunRig, journal: Journal): void {
  const record = {
    member: MEMBER,
    reason: 'CloudDenied',
    text: 't',
    sinceWallMs: 1,
    untilWallMs: null,
    opId: rig.opId,
  };
  journal.hold = { key: KEYS.hold(MEMBER), modRevision: rig.put(KEYS.hold(MEMBER), record) };
}
const holds = (rig: RunRig): number => rig.kv.entries(KEYS.hold(MEMBER)).length;

describe('what the journal has', () => {
  test('of a step that has begun: what was sent and noted, and no result', async () => {
    const rig = new RunRig();
    const progress = { sends: { associate: 2 }, noted: { associationId: 'as-1' } };
    rig.putStep('address-a1', { request: ADDRESS_REQUEST, result: progress, term: 4 });
    const journal = await journalOf(rig);
    const startedAtWallMs = rig.clock.wallMs();
    expect(journal.get(ADDRESS, 'a1')).toEqual({
      ...{ step: 'address-a1', state: 'started', term: 4, startedAtWallMs, endedAtWallMs: null },
      ...{ request: ADDRESS_REQUEST, ...progress, result: null, error: null },
    });
  });

  test('of a step that is over: its result', async () => {
    const rig = new RunRig();
    rig.putStep('fence', { state: 'done', request: FENCE_REQUEST, result: { how: 'stopped' } });
    const entry = (await journalOf(rig)).get(FENCE);
    expect(entry).toMatchObject({ state: 'done', sends: {}, noted: null, result: { how: 'stopped' } });
  });

  test('of a step that has begun and sent nothing: nothing', async () => {
    const rig = new RunRig();
    rig.putStep('fence');
    const journal = await journalOf(rig);
    expect(journal.get(FENCE)).toMatchObject({ request: null, sends: {}, noted: null, result: null });
    expect(journal.get(CAPTURE)).toBeNull();
    expect([journal.modRevision('fence') > 0, journal.modRevision('capture')]).toEqual([true, 0]);
  });

  test('of all steps: their states and records; of other recoveries none', async () => {
    const rig = new RunRig();
    rig.putStep('fence', { state: 'done', request: FENCE_REQUEST, result: { how: 'stopped' } });
    rig.putStep('capture');
    const other = { opId: 'op-other', step: 'image', state: 'started', term: 1, startedAtWallMs: 1 };
    rig.put(KEYS.journalStep('op-other', 'image'), { ...other, request: null, result: null, error: null });
    const journal = await journalOf(rig);
    expect([...journal.states()].sort(([one], [other]) => one.localeCompare(other))).toEqual([
      ['capture', 'started'],
      ['fence', 'done'],
    ]);
    expect(
      journal
        .records()
        .map(({ step }) => step)
        .sort(),
    ).toEqual(['capture', 'fence']);
  });

  test('is what is there now: a step that somebody has removed is forgotten when it is read again', async () => {
    const rig = new RunRig();
    rig.putStep('fence');
    const journal = await journalOf(rig);
    rig.delete(KEYS.journalStep(rig.opId, 'fence'));
    await settled(rig, journal.load());
    expect([...journal.states()]).toEqual([]);
  });

  test.each([
    ['a step nobody knows', 'nonsense-1', {}, 'journal step "nonsense-1" has no known name'],
    [
      'a request of another shape',
      'fence',
      { request: { oldInstanceId: 7, skipOsShutdown: true } },
      'journal fence: request.oldInstanceId',
    ],
    ['a result of another shape', 'fence', { state: 'done', result: { how: 'asked' } }, 'journal fence: result.how'],
    ['progress of another shape', 'fence', { result: { sends: 'two' } }, 'journal fence: result.sends'],
    [
      'a note of another shape',
      'address-a1',
      { result: { sends: {}, noted: { associationId: 1 } } },
      'journal address-a1: noted.associationId',
    ],
  ] as const)('is not begun to be read with %s in it', async (_name, step, over, text) => {
    const rig = new RunRig();
    rig.putStep('capture');
    rig.putStep(step, over);
    const reading = rig.run();
    await expect(reading).rejects.toMatchObject({ code: 'RECORD_UNREADABLE' });
    await expect(reading).rejects.toThrow(text);
  });
});

describe('a write', () => {
  test('begins a step, and ends it with the same beginning', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const { journal } = run;
    const beganAtMs = rig.clock.wallMs();
    await settled(
      rig,
      journal.write<typeof FENCE>('fence', { state: 'started', request: FENCE_REQUEST, sends: { stop: 1 } }),
    );
    const began = {
      opId: rig.opId,
      step: 'fence',
      term: run.term.number,
      startedAtWallMs: beganAtMs,
      request: FENCE_REQUEST,
    };
    expect(rig.step('fence')).toMatchObject({
      ...began,
      state: 'started',
      endedAtWallMs: null,
      result: { sends: { stop: 1 } },
      error: null,
    });
    await rig.clock.advance(5_000);
    await settled(rig, journal.write<typeof FENCE>('fence', { state: 'done', result: { how: 'stopped' } }));
    const ended = {
      ...began,
      state: 'done',
      endedAtWallMs: beganAtMs + 5_000,
      result: { how: 'stopped' },
      error: null,
    };
    expect(rig.step('fence')).toMatchObject(ended);
    expect(journal.get(FENCE)).toMatchObject({
      state: 'done',
      request: FENCE_REQUEST,
      result: { how: 'stopped' },
    });
    expect(journal.modRevision('fence')).toBe(rig.kv.entries(KEYS.journalStep(rig.opId, 'fence'))[0]?.modRevision);
  });

  test('leaves what it does not say as it was', async () => {
    const rig = new RunRig();
    const journal = await journalOf(rig);
    const write = (change: object) =>
      settled(rig, journal.write<typeof ADDRESS>('address-a1', { state: 'started', ...change }));
    await write({ request: ADDRESS_REQUEST });
    expect(rig.step('address-a1')?.result).toEqual({ sends: {} });
    await write({ noted: { associationId: 'as-1' } });
    await write({ sends: { associate: 1 } });
    expect(rig.step('address-a1')).toMatchObject({
      request: ADDRESS_REQUEST,
      result: { sends: { associate: 1 }, noted: { associationId: 'as-1' } },
    });
    await write({ noted: { associationId: 'as-2' }, error: { code: 'c', text: 't' } });
    expect(rig.step('address-a1')).toMatchObject({
      result: { sends: { associate: 1 }, noted: { associationId: 'as-2' } },
      error: { code: 'c', text: 't' },
    });
    await write({});
    expect(rig.step('address-a1')?.error).toBeNull();
  });

  test('of a step that began anew after it had failed carries nothing of its result', async () => {
    const rig = new RunRig();
    rig.putStep('launch-1', { state: 'failed', request: LAUNCH_REQUEST, result: { failure: 'unknown' } });
    const journal = await journalOf(rig);
    await settled(rig, journal.write<typeof LAUNCH>('launch-1', { state: 'started' }));
    expect(rig.step('launch-1')).toMatchObject({ state: 'started', request: LAUNCH_REQUEST, result: { sends: {} } });
  });

  test('that ends a step without a result has none', async () => {
    const rig = new RunRig();
    const journal = await journalOf(rig);
    await settled(rig, journal.write<typeof DONE>('done', { state: 'done' }));
    expect(rig.step('done')).toMatchObject({ state: 'done', request: null, result: null });
  });

  test('after the intent was finished or replaced is for nobody', async () => {
    const rig = new RunRig();
    const journal = await journalOf(rig);
    rig.delete(KEYS.intent(MEMBER));
    await expect(settled(rig, journal.write('fence', { state: 'started' }))).rejects.toThrow(IntentGone);
    rig.put(KEYS.intent(MEMBER), rig.intent.record);
    await expect(settled(rig, journal.write('fence', { state: 'started' }))).rejects.toThrow(IntentGone);
    expect(rig.step('fence')).toBeNull();
  });

  test.each([
    ['has begun', (rig: RunRig) => rig.putStep('fence', { term: 9 }), 9],
    ['has ended', (rig: RunRig) => rig.putStep('fence', { state: 'done', term: 8, result: { how: 'terminated' } }), 8],
    ['has removed', (rig: RunRig) => rig.delete(KEYS.journalStep(rig.opId, 'fence')), null],
  ] as const)(
    'to a step that somebody else %s is refused, and what is there is read',
    async (_name, meanwhile, term) => {
      const rig = new RunRig();
      if (term !== 9) rig.putStep('fence');
      const journal = await journalOf(rig);
      meanwhile(rig);
      const change = { state: 'done', result: { how: 'stopped' } } as const;
      expect(await settled(rig, journal.write<typeof FENCE>('fence', change))).toEqual({ kind: 'stale' });
      expect(journal.get(FENCE)?.term ?? null).toBe(term);
      expect(rig.step('fence')?.term ?? null).toBe(term);
      expect(await settled(rig, journal.write<typeof FENCE>('fence', change))).toEqual({ kind: 'written' });
    },
  );
});

describe('further parts of a write', () => {
  const activation = KEYS.activation(MEMBER);
  const record = { member: MEMBER, incarnation: 2, instanceId: 'i-new', opId: null, ordinal: 0 };

  test('are written and removed with it; only a step of its own is forgotten', async () => {
    const rig = new RunRig();
    const permit = rig.putStep('permit-1');
    const hold = rig.put(KEYS.hold('db/other'), record);
    const journal = await journalOf(rig);
    const deletes = [
      { key: KEYS.journalStep(rig.opId, 'permit-1'), expect: permit },
      { key: KEYS.hold('db/other'), expect: hold },
    ];
    const puts = [{ key: activation, expect: 0, record }];
    await settled(rig, journal.write('fence', { state: 'started' }, { puts, deletes }));
    expect(rig.kv.entries(activation)).toHaveLength(1);
    expect(rig.kv.entries(KEYS.hold('db/other'))).toEqual([]);
    expect(rig.step('permit-1')).toBeNull();
    expect([...journal.states().keys()]).toEqual(['fence']);
  });

  test('a key that ends like a step of ours is not that step', async () => {
    const rig = new RunRig();
    rig.putStep('fence');
    const journal = await journalOf(rig);
    const other = KEYS.journalStep('op-0000000000000000', 'fence');
    const deletes = [{ key: other, expect: rig.put(other, record) }];
    await settled(rig, journal.write('capture', { state: 'started' }, { deletes }));
    expect([...journal.states().keys()].sort()).toEqual(['capture', 'fence']);
  });

  test('that are not what the caller knew are handed back, puts first, and nothing is written', async () => {
    const rig = new RunRig();
    const journal = await journalOf(rig);
    hold(rig, journal);
    const revision = rig.put(activation, record);
    const deletes = [{ key: KEYS.hold('db/other'), expect: 3 }];
    const puts = [{ key: activation, expect: 0, record }];
    const outcome = await settled(
      rig,
      journal.write('fence', { state: 'done', result: { how: 'stopped' } }, { puts, deletes }),
    );
    expect(outcome).toMatchObject({ kind: 'conflict', entries: [{ key: activation, modRevision: revision }, null] });
    expect(rig.step('fence')).toBeNull();
    expect(journal.get(FENCE)).toBeNull();
    expect(holds(rig)).toBe(1);
    expect(journal.hold).not.toBeNull();
  });
});

describe('the hold of this recovery', () => {
  const done = { state: 'done', result: { how: 'stopped' } } as const;

  test('goes with the write that ends a step, and not before', async () => {
    const rig = new RunRig();
    const journal = await journalOf(rig);
    hold(rig, journal);
    await settled(rig, journal.write<typeof FENCE>('fence', { state: 'started' }));
    expect(holds(rig)).toBe(1);
    await settled(rig, journal.write<typeof FENCE>('fence', done));
    expect(holds(rig)).toBe(0);
    expect(journal.hold).toBeNull();
  });

  test('stays while something of the run still fails', async () => {
    const rig = new RunRig();
    const journal = await journalOf(rig);
    hold(rig, journal);
    journal.holdRule = 'keep';
    await settled(rig, journal.write<typeof FENCE>('fence', done));
    expect(holds(rig)).toBe(1);
    expect(journal.holdRule).toBe('keep');
  });

  test('goes with the next write once nothing fails any more; later holds stay until a step ends again', async () => {
    const rig = new RunRig();
    const journal = await journalOf(rig);
    hold(rig, journal);
    journal.holdRule = 'release';
    await settled(rig, journal.write<typeof FENCE>('fence', { state: 'started' }));
    expect(holds(rig)).toBe(0);
    hold(rig, journal);
    await settled(rig, journal.write<typeof FENCE>('fence', { state: 'started' }));
    expect(holds(rig)).toBe(1);
  });

  test('that somebody else has rewritten is theirs: it is not removed, and the write is made again without it', async () => {
    const rig = new RunRig();
    const journal = await journalOf(rig);
    hold(rig, journal);
    journal.holdRule = 'release';
    rig.put(KEYS.hold(MEMBER), { member: MEMBER, reason: 'Paused' });
    const puts = [{ key: KEYS.activation(MEMBER), expect: 0, record: { a: 1 } }];
    const write = () => settled(rig, journal.write<typeof FENCE>('fence', done, { puts }));
    expect(await write()).toEqual({ kind: 'stale' });
    expect([journal.hold, journal.holdRule]).toEqual([null, 'until-progress']);
    expect(await write()).toEqual({ kind: 'written' });
    expect(holds(rig)).toBe(1);
  });

  test('that a person has removed is not waited for', async () => {
    const rig = new RunRig();
    const journal = await journalOf(rig);
    hold(rig, journal);
    rig.delete(KEYS.hold(MEMBER));
    expect(await settled(rig, journal.write<typeof FENCE>('fence', done))).toEqual({ kind: 'stale' });
    expect(await settled(rig, journal.write<typeof FENCE>('fence', done))).toEqual({ kind: 'written' });
  });
});
