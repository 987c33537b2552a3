import { type Cloud, type LeaderTerm, monotonicMs } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { requestRecord } from '@understudy/shared/testing';
import { almostDone, EngineRig, LAST } from './engine.fixtures.ts';
import { cloudError, cloudInstance, KEYS, MEMBER, NEW, OLD, putThrough, REVOKE_REQUEST } from './run.fixtures.ts';

test('a plan by a strategy that nobody here knows is held, and nothing is sent or written for it', async () => {
  const rig = new EngineRig();
  const { policy, volumes, addresses, protection, losses } = rig.intent.record.plan;
  const gone = { primaryInterfaceId: null, oldLaunchedAtWallMs: null };
  const base = { policy, volumes, addresses, protection, losses, ...gone };
  const record = { ...rig.intent.record, plan: { ...base, strategy: 'levitate', graceMs: 5 } };
  const modRevision = rig.put(KEYS.intent(MEMBER), record);
  const outcome = rig.engine.run({ record, modRevision }, rig.term().term);
  expect(await rig.clock.runUntilSettled(outcome)).toBe('held');
  expect(rig.hold()).toMatchObject({ reason: 'RecordUnreadable', text: expect.stringContaining('strategy levitate') });
  expect([rig.isOpen, rig.kv.entries(KEYS.journal)]).toEqual([true, []]);
});

test('a plan that nobody here knows is parked when the term is over before its hold is written', async () => {
  const rig = new EngineRig();
  const record = { ...rig.intent.record, plan: { ...rig.intent.record.plan, strategy: 'levitate' } };
  const modRevision = rig.put(KEYS.intent(MEMBER), record);
  const { term, lose } = rig.term();
  lose();
  expect(await rig.clock.runUntilSettled(rig.engine.run({ record, modRevision }, term))).toBe('parked');
  expect([rig.hold(), rig.isOpen]).toEqual([null, true]);
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
    const rig = almostDone({ describeAddresses: flaky }, { policy: { recover: { holdFailingAfterMs: 60_000 } } });
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
      ordinal: 0,
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
      policy: { recover: { maxLaunchAttempts: 1 } },
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
      ordinal: 0,
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
  const serveLease = { requireWatchdog: true, stopWithinMs: 5_000, fenceAfterMs: 30_000 };
  const unread = () => Promise.reject(cloudError('CLOUD_UNAVAILABLE'));
  const calls = { createTags: async () => undefined, stopInstance: unread, createSnapshots: unread };
  const cloud = { ...calls, createNetworkInterface: unread, describeInstances: unread };

  test.each([
    ['is what this process says', () => monotonicMs(100_000), 145_000],
    ['begins with the run where it does not say', undefined, 160_000],
    ['begins with the run where it does not know', () => null, 160_000],
  ])('%s', async (_name, intentSeenAtMs, fencedAtMs) => {
    const options = { cloud, policy: { recover: { serveLease } }, intent: { serveLeaseOverAfterMs: 45_000 } };
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
