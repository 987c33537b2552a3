import { type Cloud, type HoldRecord, monotonicMs } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import type { RecoveryRunOutcome } from '../contracts.ts';
import type { LeaderTerm } from '../leadership/leader-term.ts';
import { requestRecord } from '../leader/records.fixtures.ts';
import { RecoveryEngine, type RecoveryEngineOptions } from './engine.ts';
import {
  cloudError,
  cloudInstance,
  heard,
  KEYS,
  MEMBER,
  NEW,
  OLD,
  putThrough,
  REVOKE_REQUEST,
  type RigOptions,
  RunRig,
} from './run.fixtures.ts';

const PERMIT = { networkInterfaceId: 'eni-1', attachmentId: 'at-1', deviceIndex: 0, networkCardIndex: 0 };
const attached = { ...PERMIT, subnetId: 'subnet-1', privateIp: '10.0.0.9', groupIds: [], deleteOnTermination: true };

/** Everything the last step needs of EC2. */
const LAST: Partial<Cloud> = {
  createTags: async () => undefined,
  describeAddresses: async () => [],
  describeInstances: async () => [cloudInstance(NEW, { networkInterfaces: [attached] })],
};

class EngineRig extends RunRig {
  readonly engine: RecoveryEngine;

  constructor(options: RigOptions = {}, over: Partial<RecoveryEngineOptions> = {}) {
    super(options);
    this.readings.set(NEW, heard());
    this.engine = new RecoveryEngine({ ...this.parts, policyOf: () => null, settings: {}, ...over });
  }

  begin(term: LeaderTerm = this.term().term): Promise<RecoveryRunOutcome> {
    return this.engine.run(this.intent, term);
  }
  recover(term?: LeaderTerm): Promise<RecoveryRunOutcome> {
    return this.clock.runUntilSettled(this.begin(term));
  }
  hold(): HoldRecord | null {
    const [entry] = this.kv.entries(KEYS.hold(MEMBER));
    return entry ? (JSON.parse(entry.value) as HoldRecord) : null;
  }
  putHold(opId: string | null): void {
    const record = { member: MEMBER, reason: 'Paused', text: 'by hand', sinceWallMs: 1, untilWallMs: null, opId };
    this.put(KEYS.hold(MEMBER), record);
  }
  get isOpen(): boolean {
    return this.kv.entries(KEYS.intent(MEMBER)).length === 1;
  }
}

/** A recovery of which only the last step is left. */
function almostDone(cloud: Partial<Cloud> = {}, options: RigOptions = {}): EngineRig {
  const rig = new EngineRig({ ...options, cloud: { ...LAST, ...cloud } });
  putThrough(rig, 'activate');
  return rig;
}

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
      ...{ launchAttempts: 1, steps: [], leftovers: [] },
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

describe('the hold a run begins with', () => {
  test('goes with the step that ends, if it is its own', async () => {
    const rig = almostDone();
    rig.putHold(rig.opId);
    expect(await rig.recover()).toBe('finished');
    expect(rig.hold()).toBeNull();
  });

  test('stays if it is another’s', async () => {
    const rig = almostDone();
    rig.putHold(null);
    expect(await rig.recover()).toBe('finished');
    expect(rig.hold()).not.toBeNull();
  });

  test('while it stands, what was given up is not sent again; once a person has removed it, it is', async () => {
    const calls: string[] = [];
    const cloud: Partial<Cloud> = {
      createNetworkInterface: () => new Promise(() => undefined),
      createSnapshots: async () => {
        calls.push('createSnapshots');
        throw cloudError('CLOUD_DENIED', 'UnauthorizedOperation');
      },
    };
    const rig = new EngineRig({ cloud });
    putThrough(rig, 'fence');
    const error = { code: 'SnapshotLimitExceeded', text: 'given up after 9 tries' };
    const request = { instanceId: OLD, description: 'd', tags: {} };
    rig.putStep('capture', { request, result: { sends: {} }, error });
    rig.putHold(rig.opId);
    expect(await rig.recover()).toBe('held');
    expect([calls, rig.hold()?.reason]).toEqual([[], 'CaptureFailed']);
    rig.delete(KEYS.hold(MEMBER));
    expect(await rig.recover()).toBe('held');
    expect([calls, rig.hold()?.reason]).toEqual([['createSnapshots'], 'CloudDenied']);
  });

  test('another try is made at once when somebody asks for it', async () => {
    const triedAtMs: number[] = [];
    const flaky = async () => {
      triedAtMs.push(rig.clock.monotonicMs());
      throw cloudError('CLOUD_UNAVAILABLE');
    };
    const rig = almostDone({ describeAddresses: flaky }, { policy: { holdFailingAfterMs: 60_000 } });
    const { term, lose } = rig.term();
    const done = rig.begin(term);
    while (rig.hold() === null) await rig.clock.advance(100);
    await rig.clock.advance(100);
    const before = triedAtMs.length;
    rig.engine.retryNow('op-other');
    rig.engine.retryNow(rig.opId);
    await rig.clock.advance(0);
    expect(triedAtMs).toHaveLength(before + 1);
    lose();
    await rig.clock.runUntilSettled(done);
  });
});

describe('steps beside each other', () => {
  const addresses = ['a1', 'a2'].map((allocationId) => ({ allocationId, publicIp: '1.1.1.1', associationId: null }));
  const on = (allocationId: string) => ({
    ...{ allocationId, publicIp: '1.1.1.1', associationId: 'as-1', networkInterfaceId: 'eni-1', instanceId: NEW },
    ...{ privateIp: null, tags: {} },
  });

  test('are begun once each, and shown for as long as they run', async () => {
    let answer = () => undefined as void;
    const later = new Promise<void>((resolve) => (answer = resolve));
    const describeAddresses: Cloud['describeAddresses'] = async ({ 'allocation-id': [id = ''] = [] }) => {
      if (id === 'a2') await later;
      return id === '' ? [] : [on(id)];
    };
    const rig = almostDone({ describeAddresses }, { plan: { addresses } });
    const done = rig.begin();
    await rig.clock.advance(0);
    expect(rig.step('address-a1')?.state).toBe('done');
    expect(rig.engine.activity(rig.opId)?.steps.map(({ step }) => step)).toEqual(['address-a2']);
    answer();
    expect(await rig.clock.runUntilSettled(done)).toBe('finished');
    expect(rig.log.linesOf('recovery.step').map(({ fields }) => fields['step'])).toEqual([
      'address-a1',
      'address-a2',
      'done',
    ]);
  });

  test('that have nothing to say yet are not in the text', async () => {
    const rig = almostDone({ describeAddresses: () => new Promise(() => undefined) }, { plan: { addresses } });
    const { term, lose } = rig.term();
    const done = rig.begin(term);
    await rig.clock.advance(0);
    const activity = rig.engine.activity(rig.opId);
    expect([activity?.text, activity?.steps.length]).toEqual(['reading the journal', 2]);
    lose();
    await rig.clock.runUntilSettled(done);
  });
});

describe('what a run is told of before it', () => {
  const activating = (opId: (own: string) => string | null) => {
    const cloud = { ...LAST, describeInstances: async () => [cloudInstance(OLD, { state: 'stopped' as const })] };
    const rig = new EngineRig({ cloud });
    rig.readings.clear();
    putThrough(rig, 'verify-1');
    const modRevision = rig.put(KEYS.activation(MEMBER), {
      member: MEMBER,
      incarnation: 1,
      instanceId: OLD,
      opId: null,
    });
    const record = { ...rig.intent.record, activationModRevision: modRevision };
    rig.putHold(opId(rig.opId));
    return { rig, intent: { record, modRevision: rig.put(KEYS.intent(MEMBER), record) } };
  };

  test.each([
    ['its own hold goes with the next step that ends', (own: string) => own, false],
    ['another’s stays', () => null, true],
  ])('%s', async (_name, opId, stays) => {
    const { rig, intent } = activating(opId);
    const { term, lose } = rig.term();
    const done = rig.engine.run(intent, term);
    await rig.clock.advance(100);
    expect(rig.step('activate')?.state).toBe('done');
    expect(rig.hold() !== null).toBe(stays);
    lose();
    await rig.clock.runUntilSettled(done);
  });

  test.each([
    ['while the hold that ended the round stands, no other begins', true, 'held', null],
    ['once a person has removed it, another round begins', false, 'parked', 'started'],
  ] as const)('%s', async (_name, held, outcome, state) => {
    const rig = new EngineRig({
      cloud: { createNetworkInterface: () => new Promise(() => undefined) },
      policy: { maxLaunchAttempts: 1 },
    });
    putThrough(rig, 'image');
    const failed = { ...REVOKE_REQUEST, failure: 'instance', seriesLength: 0 } as const;
    rig.putStep('permit-1', { state: 'done', result: { networkInterfaceId: 'eni-1', privateIp: '10.0.0.9' } });
    rig.putStep('verify-1', { state: 'failed', result: { failure: 'instance' } });
    rig.putStep('revoke-1', { state: 'done', request: failed, result: { instanceTerminated: true, permitGone: true } });
    if (held) rig.putHold(rig.opId);
    const { term, lose } = rig.term();
    const done = rig.begin(term);
    await rig.clock.advance(1_000);
    lose();
    expect(await rig.clock.runUntilSettled(done)).toBe(outcome);
    expect(rig.step('permit-2')?.state ?? null).toBe(state);
  });
});

describe('what an operator has asked for', () => {
  const ask = (rig: EngineRig, over: object) => {
    const {
      schemaVersion: _v,
      writeId: _w,
      writtenBy: _b,
      writtenAtWallMs: _t,
      ...record
    } = requestRecord(MEMBER, rig.opId);
    rig.put(KEYS.request(MEMBER), { ...record, ...over });
  };
  const asked = (rig: EngineRig) => rig.kv.entries(KEYS.request(MEMBER)).length;

  test('is carried out before any step, and the run goes on with the intent as it is then', async () => {
    const rig = almostDone();
    ask(rig, { kind: 'retry' });
    expect(await rig.recover()).toBe('finished');
    expect(asked(rig)).toBe(0);
    const [entry] = rig.kv.entries(KEYS.historyEntry(MEMBER, rig.opId));
    expect(entry?.value).toContain('tried again at once');
  });

  test('may close it: then no step is run', async () => {
    const rig = new EngineRig();
    const activation = rig.put(KEYS.activation(MEMBER), {
      member: MEMBER,
      incarnation: 1,
      instanceId: OLD,
      opId: null,
    });
    const record = { ...rig.intent.record, activationModRevision: activation };
    const intent = { record, modRevision: rig.put(KEYS.intent(MEMBER), record) };
    ask(rig, { kind: 'abandon' });
    expect(await rig.clock.runUntilSettled(rig.engine.run(intent, rig.term().term))).toBe('finished');
    expect([rig.isOpen, rig.step('fence')]).toEqual([false, null]);
    expect(rig.log.linesOf('recovery.step')).toEqual([]);
    expect(rig.log.linesOf('recovery.finished')).toEqual([]);
  });

  test('is left to the next run when this one is to end', async () => {
    const rig = almostDone();
    ask(rig, { kind: 'retry' });
    rig.kv.client('c1').slowTo(1_000);
    const done = rig.begin();
    await rig.clock.advance(500);
    rig.engine.interrupt(rig.opId);
    expect(await rig.clock.runUntilSettled(done)).toBe('parked');
    expect(asked(rig)).toBe(1);
  });

  test('is looked at again when something has changed while it was carried out', async () => {
    const rig = almostDone();
    ask(rig, { kind: 'retry' });
    const { term } = rig.term();
    const commit = term.commit.bind(term);
    let first = true;
    const meanwhile: LeaderTerm['commit'] = (write) => {
      if (first) ask(rig, { kind: 'retry', why: 'once more' });
      first = false;
      return commit(write);
    };
    Object.assign(term, { commit: meanwhile });
    expect(await rig.recover(term)).toBe('finished');
    expect(rig.kv.entries(KEYS.historyEntry(MEMBER, rig.opId))[0]?.value).toContain('once more');
  });
});

describe('how long the intent is known', () => {
  const serveLease = { answersHoldMs: 10_000, stopWithinMs: 5_000, fenceAfterMs: 30_000 };
  const unread = () => Promise.reject(cloudError('CLOUD_UNAVAILABLE'));
  const calls = { createTags: async () => undefined, stopInstance: unread, createSnapshots: unread };
  const cloud = { ...calls, createNetworkInterface: unread, describeInstances: unread };

  test.each([
    ['is what this process says', () => monotonicMs(100_000), 145_000],
    ['begins with the run where it does not say', undefined, 160_000],
    ['begins with the run where it does not know', () => null, 160_000],
  ])('%s', async (_name, intentSeenAtMs, fencedAtMs) => {
    const options = { cloud, policy: { serveLease } as never, intent: { serveLeaseOverAfterMs: 45_000 } };
    const rig = new EngineRig(options, intentSeenAtMs ? { intentSeenAtMs } : {});
    await rig.clock.advance(115_000);
    const { term, lose } = rig.term();
    const done = rig.begin(term);
    while (rig.step('fence')?.state !== 'done') await rig.clock.advance(500);
    expect(rig.step('fence')?.result).toEqual({ how: 'lease' });
    expect(rig.clock.monotonicMs()).toBeGreaterThanOrEqual(fencedAtMs);
    expect(rig.clock.monotonicMs()).toBeLessThan(fencedAtMs + 11_000);
    lose();
    expect(await rig.clock.runUntilSettled(done)).toBe('parked');
  });
});
