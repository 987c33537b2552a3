import { type LeaderTerm, monotonicMs } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { almostDone, EngineRig, LAST } from './engine.fixtures.ts';
import { cloudError, heard, KEYS, MEMBER, NEW, OLD, putThrough } from './run.fixtures.ts';
import type { RecoveryRunOutcome } from './runner.ts';

describe('a recovery', () => {
  test('is finished with the steps that are left, and shown while they run', async () => {
    const rig = almostDone();
    rig.readings.clear();
    const done = rig.begin();
    await rig.clock.advance(1_000);
    expect(rig.engine.activity(rig.opId)).toMatchObject({
      text: 'waiting to hear the replacement pass',
      captureProgressPercent: null,
      steps: [{ step: 'done', sinceWallMs: rig.intent.record.startedAtWallMs, failing: null }],
    });
    rig.readings.set(NEW, heard({ lastHeardAtMs: monotonicMs(1_000) }));
    expect(await rig.clock.runUntilSettled(done)).toBe('finished');
    expect([rig.isOpen, rig.engine.activity(rig.opId)]).toEqual([false, null]);
    expect(rig.log.linesOf('recovery.finished')).toHaveLength(1);
  });

  test('is shown as being read until a step has something to say', async () => {
    const rig = almostDone();
    rig.kv.client('c1').slowTo(1_000);
    const done = rig.begin();
    await rig.clock.advance(500);
    expect(rig.engine.activity(rig.opId)).toEqual({
      text: 'reading the journal',
      captureProgressPercent: null,
      steps: [],
    });
    expect(rig.engine.activity('op-other')).toBeNull();
    await rig.clock.runUntilSettled(done);
  });

  test('is run once in a process: an earlier run that still unwinds is left to end', async () => {
    const rig = almostDone();
    const first = rig.begin();
    expect(await rig.clock.runUntilSettled(rig.engine.run(rig.intent, rig.term().term))).toBe('parked');
    expect(await rig.clock.runUntilSettled(first)).toBe('parked');
    expect(await rig.recover()).toBe('finished');
  });

  test('shows how far its snapshots are, and every step that is at work', async () => {
    const rig = new EngineRig({ cloud: { ...LAST, createNetworkInterface: () => new Promise(() => undefined) } });
    putThrough(rig, 'fence');
    const set = {
      number: 1,
      snapshots: [{ snapshotId: 'snap-1', volumeId: 'vol-1' }],
      beside: [],
      notedAtWallMs: rig.clock.wallMs(),
    };
    rig.putStep('capture', {
      request: { instanceId: OLD, description: 'd', tags: {} },
      result: { sends: {}, noted: { set, failedSets: [] } },
    });
    const snapshot = {
      snapshotId: 'snap-1',
      volumeId: 'vol-1',
      state: 'pending',
      progressPercent: 40,
      startedAtWallMs: 0,
      tags: {},
    };
    Object.assign(rig.parts.cloud, { describeSnapshots: async () => [snapshot] });
    const { term, lose } = rig.term();
    const done = rig.begin(term);
    await rig.clock.advance(10);
    const activity = rig.engine.activity(rig.opId);
    expect(activity?.captureProgressPercent).toBe(40);
    expect(activity?.steps.map(({ step }) => step).sort()).toEqual(['capture', 'permit-1']);
    expect(activity?.text.split('; ')).toHaveLength(2);
    lose();
    expect(await rig.clock.runUntilSettled(done)).toBe('parked');
  });
});

describe('what ends a run', () => {
  test('a refusal is a hold on the member, with its reason, since now', async () => {
    const rig = almostDone({
      describeAddresses: () => Promise.reject(cloudError('CLOUD_DENIED', 'UnauthorizedOperation')),
    });
    await rig.clock.advance(5_000);
    rig.readings.set(NEW, heard({ lastHeardAtMs: monotonicMs(5_000) }));
    expect(await rig.recover()).toBe('held');
    expect(rig.hold()).toMatchObject({
      ...{ reason: 'CloudDenied', text: 'CLOUD_DENIED: UnauthorizedOperation', opId: rig.opId, untilWallMs: null },
      sinceWallMs: rig.intent.record.startedAtWallMs + 5_000,
    });
    expect([rig.isOpen, rig.engine.activity(rig.opId)]).toEqual([true, null]);
  });

  test('a journal that cannot be read is a hold', async () => {
    const rig = almostDone();
    rig.putStep('activate', { state: 'done', result: { nonsense: 1 } });
    expect(await rig.recover()).toBe('held');
    expect(rig.hold()).toMatchObject({ reason: 'RecordUnreadable', text: expect.stringContaining('activate') });
  });

  test.each([
    ['stays once its replacement serves', 'activate', 'Paused'],
    ['yields before', 'image', 'CloudDenied'],
  ] as const)('another’s hold %s', async (_name, last, reason) => {
    const denied = () => Promise.reject(cloudError('CLOUD_DENIED', 'UnauthorizedOperation'));
    const rig = new EngineRig({ cloud: { ...LAST, describeAddresses: denied, createNetworkInterface: denied } });
    putThrough(rig, last);
    rig.putHold(null);
    expect(await rig.recover()).toBe('held');
    expect(rig.hold()?.reason).toBe(reason);
  });

  test('the end of the term parks it, without a hold, whatever else went wrong', async () => {
    const rig = almostDone();
    const { term, lose } = rig.term();
    Object.assign(rig.parts.cloud, {
      describeAddresses: () => {
        lose();
        return Promise.reject(new TypeError('ours'));
      },
    });
    expect(await rig.recover(term)).toBe('parked');
    expect(rig.hold()).toBeNull();
    expect(rig.log.linesOf('recovery.parked')).toHaveLength(1);
  });

  test('a hold that comes as the term ends is not written', async () => {
    const rig = almostDone();
    const { term, lose } = rig.term();
    rig.putStep('activate', { state: 'done', result: { nonsense: 1 } });
    const get = rig.parts.kv.get.bind(rig.parts.kv);
    Object.assign(rig.parts.kv, {
      get: (key: string) => {
        lose();
        return get(key);
      },
    });
    expect(await rig.recover(term)).toBe('parked');
    expect(rig.hold()).toBeNull();
  });

  test('a store that fails as the journal is read parks it, without a hold', async () => {
    const rig = almostDone();
    rig.kv.client('c1').inject({ kind: 'refuse', operation: 'range' });
    expect(await rig.recover()).toBe('parked');
    expect([rig.hold(), rig.log.linesOf('recovery.parked').length]).toEqual([null, 1]);
  });

  test('a store that fails parks it, also while the hold is written', async () => {
    const rig = almostDone({ describeAddresses: () => Promise.reject(cloudError('CLOUD_DENIED', 'x')) });
    const { term } = rig.term();
    rig.kv.client('term-1').inject({
      kind: 'refuse',
      operation: 'txn',
      times: 99,
      matching: ({ writes }) => JSON.stringify(writes).includes('holds'),
    });
    expect(await rig.recover(term)).toBe('parked');
    expect(rig.hold()).toBeNull();
  });

  test.each(['describeAddresses', 'createTags'] as const)('a mistake of ours (%s) is thrown', async (name) => {
    const rig = almostDone({ [name]: () => Promise.reject(new TypeError('ours')) });
    await expect(rig.recover()).rejects.toThrow('ours');
    expect(rig.engine.activity(rig.opId)).toBeNull();
  });

  test('a mistake of ours while the hold is written is thrown', async () => {
    const rig = almostDone({ describeAddresses: () => Promise.reject(cloudError('CLOUD_DENIED', 'x')) });
    const { term } = rig.term();
    const commit = term.commit.bind(term);
    const broken: LeaderTerm['commit'] = (write) =>
      write.puts[0].key === KEYS.hold(MEMBER) ? Promise.reject(new TypeError('ours')) : commit(write);
    Object.assign(term, { commit: broken });
    await expect(rig.recover(term)).rejects.toThrow('ours');
  });

  test.each([
    ['with its history, it was finished by somebody', (rig: EngineRig) => history(rig, rig.opId), 'finished'],
    ['without, it was replaced by another', () => undefined, 'parked'],
  ] as const)('its intent is gone: %s', async (_name, put, outcome) => {
    const rig = almostDone();
    put(rig);
    rig.delete(KEYS.intent(MEMBER));
    expect(await rig.recover()).toBe(outcome);
    expect(rig.hold()).toBeNull();
  });

  test('its intent is gone, and its history cannot be read: it may have been finished, which is not said', async () => {
    const rig = almostDone();
    rig.put(KEYS.historyEntry(MEMBER, rig.opId), '{"broken":1}');
    rig.delete(KEYS.intent(MEMBER));
    expect(await rig.recover()).toBe('parked');
  });

  test('a journal in which nothing can be done and nothing is over is a mistake of ours', async () => {
    const rig = almostDone();
    rig.putStep('done', { state: 'done' });
    await expect(rig.recover()).rejects.toThrow('no step can run');
  });

  const history = (rig: EngineRig, opId: string) =>
    rig.put(KEYS.historyEntry(MEMBER, rig.opId), {
      ...{ opId, member: MEMBER, outcome: 'replaced', reason: 'dead', oldInstanceId: OLD, newInstanceId: NEW },
      ...{ newIncarnation: 2, startedAtWallMs: 1, endedAtWallMs: 2, lastHeardWallMs: null, leaderChanges: 0 },
      ...{ launchAttempts: 1, steps: [], leftovers: [], owed: [], ordinal: 0, oldAz: 'us-east-1a' },
      ...{ oldLaunchedAtWallMs: null, fencedBy: 'stopped' },
    });

  test('an operator who asks for something ends it at its next line, as if parked', async () => {
    const rig = almostDone();
    rig.readings.clear();
    const done = rig.begin();
    await rig.clock.advance(1_000);
    rig.engine.interrupt(rig.opId);
    rig.engine.interrupt('op-other');
    expect(await rig.clock.runUntilSettled(done)).toBe('parked');
    expect(rig.clock.monotonicMs()).toBe(1_000);
    expect(rig.log.linesOf('recovery.parked'), 'nothing was lost').toEqual([]);
  });

  test('one step ends the others, and what they have sent is waited for', async () => {
    let answer: () => void = () => undefined;
    const sent = new Promise<never>((_, reject) => (answer = () => reject(cloudError('CLOUD_OUTCOME_UNKNOWN'))));
    const rig = new EngineRig({
      cloud: {
        createNetworkInterface: () => sent,
        createSnapshots: () => Promise.reject(cloudError('CLOUD_DENIED', 'UnauthorizedOperation')),
      },
    });
    putThrough(rig, 'fence');
    let outcome: RecoveryRunOutcome | null = null;
    const done = rig.begin().then((ended) => (outcome = ended));
    await rig.clock.advance(5_000);
    expect(rig.step('permit-1')?.result).toMatchObject({ sends: expect.anything() });
    expect(outcome).toBeNull();
    answer();
    await rig.clock.runUntilSettled(done);
    expect([outcome, rig.hold()?.reason]).toEqual(['held', 'CloudDenied']);
  });
});
