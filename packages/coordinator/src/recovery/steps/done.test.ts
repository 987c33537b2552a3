import { type Cloud, type CloudInstance, type HistoryRecord, monotonicMs, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import type { Attempt, Move } from '../effect.ts';
import { answered, frozen } from '../effect.fixtures.ts';
import {
  cloudError,
  cloudInstance,
  heard,
  KEYS,
  MEMBER,
  NEW,
  OLD,
  putThrough,
  type RigOptions,
  RunRig,
} from '../run.fixtures.ts';
import { doneStep } from './done.ts';

const REQUEST = { instanceId: NEW };
const PERMIT = { networkInterfaceId: 'eni-1', attachmentId: 'at-1', deviceIndex: 0, networkCardIndex: 0 };
const attachment = { ...PERMIT, subnetId: 'subnet-1', privateIp: '10.0.0.9', groupIds: [] };
const replacement = (bound: boolean): CloudInstance =>
  cloudInstance(NEW, { networkInterfaces: [{ ...attachment, deleteOnTermination: bound }] });
const stray = (allocationId: string, instanceId = OLD) => ({
  ...{ allocationId, publicIp: '1.2.3.4', associationId: 'as-1', networkInterfaceId: 'eni-old', instanceId },
  ...{ privateIp: null, tags: {} },
});

/** The step once the replacement is activated; what is in place on it, and which addresses are on the old instance. */
async function stage(options: RigOptions & { readonly how?: string } = {}) {
  const cloud = {
    shown: [replacement(false)],
    addresses: [] as ReturnType<typeof stray>[],
    error: null as Error | null,
  };
  const describeInstances: Cloud['describeInstances'] = async () => {
    if (cloud.error) throw cloud.error;
    return [cloudInstance('i-other'), ...cloud.shown];
  };
  const rig = new RunRig({ ...options, cloud: { describeInstances, describeAddresses: async () => cloud.addresses } });
  putThrough(rig, 'activate', { fence: { result: { how: options.how ?? 'stopped' } } });
  const run = await rig.run();
  await rig.clock.advance(100_000);
  rig.readings.set(NEW, heard({ lastHeardAtMs: monotonicMs(1e12) }));
  const step = doneStep(run);
  const next = (last: Attempt | null = null): Promise<Move<'done'>> =>
    rig.clock.runUntilSettled(step.next(frozen<'done'>(REQUEST), last));
  return { rig, run, step, next, cloud };
}
type Stage = Awaited<ReturnType<typeof stage>>;

async function callsOf(move: Move<'done'>): Promise<unknown[]> {
  const calls: unknown[] = [];
  const record =
    (name: string) =>
    async (...args: unknown[]) =>
      void calls.push([name, ...args.slice(0, 2)]);
  const cloud = new Proxy({} as Cloud, { get: (_, name) => record(String(name)) });
  if (move.kind === 'act') for (const call of move.calls) await call.run(cloud, {}, 1);
  return calls;
}
const outcomes = (...all: [string, Error | null][]): Attempt =>
  ({ ...answered('retire'), outcomes: all.map(([name, error]) => ({ name, error })) }) as Attempt;
/** Everything that is asked is answered with a yes. */
const allDone = ({ next }: Stage) => next(outcomes(['retire', null], ['bind-eni-1', null], ['unprotect', null]));
const written = (move: Move<'done'>): HistoryRecord => {
  if (move.kind !== 'close') throw new Error(`it does not close: ${JSON.stringify(move)}`);
  return move.write.puts[0].record as HistoryRecord;
};

describe('the last chores', () => {
  test('are asked for together: marks on the old instance, and what the replacement lacks', async () => {
    const { rig, step, next } = await stage({ policy: { retainForMs: 86_400_000 } });
    expect(await step.prepare()).toEqual(REQUEST);
    const move = await next();
    const marks = { [TAG.retiredBy]: rig.opId, [TAG.retainUntil]: '2026-01-02T00:00:00.000Z' };
    expect(await callsOf(move)).toEqual([
      ['createTags', [OLD], marks],
      ['setNetworkInterfaceAttributes', 'eni-1', { deleteOnTermination: { attachmentId: 'at-1', value: true } }],
    ]);
    expect(move.kind === 'act' && move.calls.every(({ optional }) => optional === true)).toBe(true);
  });

  test.each([
    ['the termination protection of the stopped old instance is cleared', 'stopped', true, true],
    ['not where it had none', 'stopped', false, false],
    ['not where it is terminated', 'terminated', true, false],
    ['not where nobody saw it stop', 'lease', true, false],
  ])('%s', async (_name, how, termination, cleared) => {
    const { next } = await stage({ how, plan: { protection: { stop: false, termination } } });
    const calls = await callsOf(await next());
    expect(
      calls.some((one) => JSON.stringify(one) === JSON.stringify(['setProtection', OLD, { termination: false }])),
    ).toBe(cleared);
  });

  test('that are done are not asked for again', async () => {
    const one = await stage();
    const again = await one.next(outcomes(['retire', null]));
    expect((await callsOf(again)).map((call) => (call as string[])[0])).toEqual(['setNetworkInterfaceAttributes']);
    const first = await stage();
    const other = await first.next(outcomes(['bind-eni-1', null]));
    expect((await callsOf(other)).map((call) => (call as string[])[0])).toEqual(['createTags']);
  });

  test.each([
    ['CLOUD_REJECTED', 'stopped', false],
    ['CLOUD_DENIED', 'stopped', false],
    ['CLOUD_THROTTLED', 'stopped', true],
    ['CLOUD_NOT_FOUND', 'stopped', true],
    ['CLOUD_NOT_FOUND', 'terminated', false],
  ] as const)('a mark answered with %s, on an instance that is %s, is tried again: %s', async (code, how, again) => {
    const { next } = await stage({ how });
    const move = await next(outcomes(['retire', cloudError(code)], ['bind-eni-1', null]));
    expect(move.kind).toBe(again ? 'act' : 'close');
  });

  test('wait for what EC2 does not show yet, or does not answer', async () => {
    const one = await stage();
    one.cloud.shown = [];
    const wait = { kind: 'wait', forMs: 2_000 };
    expect(await one.next(outcomes(['retire', null]))).toMatchObject(wait);
    one.cloud.error = cloudError('CLOUD_UNAVAILABLE');
    expect(await one.next()).toMatchObject(wait);
    one.cloud.error = cloudError('CLOUD_DENIED', 'UnauthorizedOperation');
    await expect(one.next()).rejects.toMatchObject({ code: 'CLOUD_DENIED' });
  });

  test('end with the run, not with a look that failed because of that', async () => {
    const one = await stage();
    one.cloud.error = cloudError('CLOUD_UNAVAILABLE');
    one.run.stop(new Error('the run ends'));
    await expect(one.next()).rejects.toThrow('the run ends');
  });

  test('that are in place already need no call', async () => {
    const one = await stage();
    one.cloud.shown = [replacement(true)];
    expect((await one.next(outcomes(['retire', null]))).kind).toBe('close');
  });

  test('that were refused are owed at once, with the reason', async () => {
    const one = await stage();
    const refused = cloudError('CLOUD_DENIED', 'UnauthorizedOperation');
    const history = written(await one.next(outcomes(['retire', null], ['bind-eni-1', refused])));
    expect(history.owed).toMatchObject([
      { chore: { kind: 'bind-interface' }, obstacle: { code: 'UnauthorizedOperation' } },
    ]);
    expect(one.rig.log.linesOf('recovery.chores_owed')).toHaveLength(1);
  });

  test('that cannot be done for two minutes are owed, and the recovery closes', async () => {
    const one = await stage({ settings: { choresPatienceMs: 120_000 } });
    one.cloud.shown = [];
    await one.next(outcomes(['retire', null]));
    await one.rig.clock.advance(119_999);
    expect((await one.next()).kind).toBe('wait');
    await one.rig.clock.advance(1);
    const { owed } = written(await one.next());
    expect(owed).toMatchObject([
      { chore: { kind: 'bind-interface' }, obstacle: { sinceWallMs: one.rig.clock.wallMs() } },
    ]);
  });
});

describe('closing', () => {
  test('puts the history in, and takes intent, journal, hold and request out, in one transaction', async () => {
    const one = await stage();
    const record = {
      member: MEMBER,
      reason: 'CloudDenied',
      text: 't',
      sinceWallMs: 1,
      untilWallMs: null,
      opId: one.rig.opId,
    };
    const hold = one.rig.put(KEYS.hold(MEMBER), record);
    const move = await allDone(one);
    expect(written(move)).toMatchObject({ newInstanceId: NEW, reason: 'dead', owed: [] });
    expect(move).toMatchObject({
      write: {
        puts: [{ key: KEYS.historyEntry(MEMBER, one.rig.opId), expect: 0 }],
        deletes: [
          { key: KEYS.intent(MEMBER), expect: one.rig.intent.modRevision },
          { key: KEYS.hold(MEMBER), expect: hold },
        ],
        deletePrefixes: [KEYS.journalOf(one.rig.opId)],
      },
    });
    expect(one.rig.log.linesOf('recovery.chores_owed')).toEqual([]);
    expect(one.rig.log.linesOf('recovery.services_not_passing')).toEqual([]);
  });

  test.each([
    ['closed', (rig: RunRig) => rig.delete(KEYS.intent(MEMBER))],
    ['changed', (rig: RunRig) => rig.put(KEYS.intent(MEMBER), rig.intent.record)],
  ] as const)('what somebody else has %s is not done again', async (_name, change) => {
    const one = await stage();
    change(one.rig);
    await expect(allDone(one)).rejects.toMatchObject({ name: 'IntentGone' });
  });

  test.each([
    ['is not heard', null],
    ['does not pass its checks', heard({ lastHeardAtMs: monotonicMs(1e12), passingSinceMs: null })],
    ['has fallen silent', heard({ lastHeardAtMs: monotonicMs(0) })],
  ] as const)('waits a minute for a replacement that %s; then it is in the history', async (_name, reading) => {
    const one = await stage({ settings: { closingPatienceMs: 60_000 } });
    if (reading) one.rig.readings.set(NEW, reading);
    else one.rig.readings.clear();
    expect(await allDone(one)).toMatchObject({
      kind: 'wait',
      text: 'waiting to hear the replacement pass',
      forMs: 250,
    });
    await one.rig.clock.advance(59_999);
    expect((await one.next()).kind).toBe('wait');
    await one.rig.clock.advance(1);
    expect(written(await one.next()).reason).toContain('the replacement was silent');
  });

  test('a replacement counts as heard until it is suspect', async () => {
    const one = await stage();
    const { suspectAfterMs } = one.run.policy;
    const nowMs = one.rig.clock.monotonicMs();
    one.rig.readings.set(NEW, heard({ lastHeardAtMs: monotonicMs(nowMs - suspectAfterMs) }));
    expect((await allDone(one)).kind).toBe('wait');
    one.rig.readings.set(NEW, heard({ lastHeardAtMs: monotonicMs(nowMs - suspectAfterMs + 1) }));
    expect((await one.next()).kind).toBe('close');
  });
});

describe('an address that came to the old instance after the plan was made', () => {
  test('is looked at twice, and then it is for a person; with the way out', async () => {
    const one = await stage();
    one.cloud.addresses = [stray('a-theirs', 'i-x'), stray('a-late')];
    expect(await allDone(one)).toMatchObject({ kind: 'wait', text: expect.stringContaining('1.2.3.4'), forMs: 2_000 });
    await one.rig.clock.advance(1_999);
    expect((await one.next()).kind).toBe('wait');
    await one.rig.clock.advance(1);
    expect(await one.next()).toMatchObject({
      ...{ kind: 'hold', reason: 'AddressHeldElsewhere' },
      text: expect.stringMatching(new RegExp(`a-late.*${OLD}.*${NEW}.*accept-loss ${MEMBER} address:a-late`)),
    });
  });

  test('counts anew after a look that did not show it there', async () => {
    const one = await stage();
    one.rig.readings.clear();
    one.cloud.addresses = [stray('a-late')];
    await allDone(one);
    one.cloud.addresses = [];
    await one.next();
    one.cloud.addresses = [stray('a-late')];
    await one.rig.clock.advance(2_000);
    expect(await one.next()).toMatchObject({ kind: 'wait', text: expect.stringContaining('once more') });
  });

  test.each<[string, RigOptions]>([
    ['of the plan', { plan: { addresses: [{ allocationId: 'a-late', publicIp: '1.2.3.4', associationId: null }] } }],
    ['that was given up', { intent: { acceptedLosses: ['address:a-late'] } }],
  ])('is nobody’s matter where it is one %s', async (_name, options) => {
    const one = await stage(options);
    one.cloud.addresses = [stray('a-late')];
    expect((await allDone(one)).kind).toBe('close');
  });
});

test('after ten minutes a person is told what could not be read', async () => {
  const { step } = await stage();
  expect(step.limitMs).toBe(600_000);
  expect(step.onTimeout(frozen<'done'>(REQUEST))).toMatchObject({
    kind: 'hold',
    reason: 'CloudUnavailable',
    text: expect.stringContaining(OLD),
  });
});
