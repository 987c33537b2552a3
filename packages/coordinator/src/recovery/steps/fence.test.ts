import type { Cloud, CloudInstance, GroupPolicy } from '@understudy/shared';
import { OperationError, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import type { Attempt, Move } from '../effect.ts';
import { answered, frozen } from '../effect.fixtures.ts';
import { cloudError, cloudInstance, cloudVolume, heard, OLD, type RigOptions, RunRig } from '../run.fixtures.ts';
import { fenceStep } from './fence.ts';

const REQUEST = { oldInstanceId: OLD, skipOsShutdown: true };
const SENT = { mark: 1, stop: 1 };
const serveLease = { answersHoldMs: 10_000, stopWithinMs: 5_000, fenceAfterMs: 30_000 };

/** The step, and the old instance as EC2 shows it; an error: it does not answer. */
async function stage(options: RigOptions & { readonly lease?: number } = {}) {
  const cloud: { state: CloudInstance['state'] | null | Error; attached: string; asked: unknown[] } = {
    ...{ state: 'running', attached: 'attached', asked: [] },
  };
  const describeInstances: Cloud['describeInstances'] = async (filters) => {
    cloud.asked.push(filters);
    if (cloud.state instanceof Error) throw cloud.state;
    const other = cloudInstance('i-other', { state: 'terminated' });
    return cloud.state === null ? [other] : [other, cloudInstance(OLD, { state: cloud.state })];
  };
  const describeVolumes: Cloud['describeVolumes'] = async ({ 'volume-id': ids = [] }) =>
    ids.map((id) =>
      cloudVolume(id, { attachments: [{ instanceId: OLD, deviceName: '/dev/xvda', state: cloud.attached }] }),
    );
  const { lease } = options;
  const policy = lease === undefined ? options.policy : ({ ...options.policy, serveLease } as unknown as GroupPolicy);
  const rig = new RunRig({
    ...options,
    cloud: { describeInstances, describeVolumes, ...options.cloud },
    ...(policy ? { policy } : {}),
    ...(lease === undefined ? {} : { intent: { serveLeaseOverAfterMs: lease } }),
  });
  const run = await rig.run();
  const step = fenceStep(run);
  const next = (last: Attempt | null = null, sends: Record<string, number> = SENT, skipOsShutdown = true) =>
    rig.clock.runUntilSettled(step.next(frozen<'fence'>({ ...REQUEST, skipOsShutdown }, { sends }), last));
  return { rig, run, step, next, cloud };
}
type Stage = Awaited<ReturnType<typeof stage>>;

/** What the calls of a move ask of EC2. */
async function callsOf(move: Move<'fence'>): Promise<unknown[]> {
  const calls: unknown[] = [];
  const record =
    (name: string) =>
    async (...args: unknown[]) =>
      void calls.push([name, ...args.slice(0, 2)]);
  const cloud = new Proxy({} as Cloud, { get: (_, name) => record(String(name)) });
  if (move.kind === 'act') for (const call of move.calls) await call.run(cloud, {}, 1);
  return calls;
}
const STOP = (force = true, skipOsShutdown = true) => [['stopInstance', OLD, { force, skipOsShutdown }]];
const UNPROTECT = [['setProtection', OLD, { stop: false }]];
const REJECTED = cloudError('CLOUD_REJECTED', 'UnsupportedOperation');

describe('before the first stop', () => {
  test('the instance is marked as about to be stopped by us, once', async () => {
    const oldLaunchedAtWallMs = Date.UTC(2025, 11, 1);
    const { rig, step, next } = await stage({ plan: { oldLaunchedAtWallMs } });
    expect(await step.prepare()).toEqual(REQUEST);
    const move = await next(null, {});
    expect(await callsOf(move)).toEqual([
      ['createTags', [OLD], { [TAG.fencedBy]: rig.opId, [TAG.fencedRun]: '2025-12-01T00:00:00.000Z' }],
    ]);
    expect(move).toMatchObject({ kind: 'act', calls: [{ name: 'mark', optional: true }] });
    expect(await callsOf(await next(answered('mark'), { mark: 1 }))).toEqual(STOP());
  });

  test('the mark names no run of the instance where the plan does not know it', async () => {
    const { rig, next } = await stage();
    expect(await callsOf(await next(null, {}))).toEqual([['createTags', [OLD], { [TAG.fencedBy]: rig.opId }]]);
  });

  test('a mark that fails, or takes long, stops nothing', async () => {
    const { rig, next } = await stage();
    const move = await next(null, {});
    if (move.kind !== 'act') throw new Error('no act');
    const mark = (createTags: Cloud['createTags']) => move.calls[0].run({ createTags } as Cloud, {}, 1);
    await rig.clock.runUntilSettled(mark(() => Promise.reject(cloudError('CLOUD_DENIED', 'UnauthorizedOperation'))));
    expect(rig.log.linesOf('recovery.fence.unmarked')).toHaveLength(1);
    expect(rig.clock.monotonicMs()).toBe(0);
    await rig.clock.runUntilSettled(mark(() => new Promise(() => undefined)));
    expect(rig.clock.monotonicMs()).toBe(2_000);
    await rig.clock.runUntilSettled(mark(async () => undefined));
    expect([rig.clock.monotonicMs(), rig.clock.pendingCount]).toEqual([2_000, 0]);
  });

  test('an older leader’s stop is not marked afterwards', async () => {
    const { next } = await stage();
    expect(await callsOf(await next(null, { stop: 1 }))).toEqual(STOP());
  });

  test('a stop protection in the plan is cleared first, once', async () => {
    const { next } = await stage({ plan: { protection: { stop: true, termination: false } } });
    expect(await callsOf(await next(answered('mark'), { mark: 1 }))).toEqual(UNPROTECT);
    expect(await callsOf(await next(answered('unprotect'), { mark: 1, unprotect: 1 }))).toEqual(STOP());
  });

  test('a protection that could not be cleared is found out by the stop', async () => {
    const { next } = await stage();
    const failed = answered('unprotect', cloudError('CLOUD_UNAVAILABLE'));
    expect(await callsOf(await next(failed, { mark: 1, unprotect: 1 }))).toEqual(STOP());
  });
});

describe('what EC2 answers to a stop', () => {
  test('because of a protection: it is cleared, then asked again', async () => {
    const { next } = await stage();
    const refused = answered('stop', cloudError('CLOUD_CONFLICT', 'OperationNotPermitted'));
    expect(await callsOf(await next(refused))).toEqual(UNPROTECT);
    expect(await callsOf(await next(answered('unprotect'), { ...SENT, unprotect: 1 }))).toEqual(STOP());
  });

  test.each(['CLOUD_THROTTLED', 'CLOUD_UNAVAILABLE'] as const)('%s: it is asked again', async (code) => {
    const { next } = await stage();
    expect(await callsOf(await next(answered('stop', cloudError(code))))).toEqual(STOP());
  });

  test('that this manner cannot be: the next plainer one is asked for', async () => {
    const { next } = await stage();
    expect(await callsOf(await next(answered('stop', REJECTED)))).toEqual(STOP(true, false));
    expect(await callsOf(await next(answered('stop', REJECTED)))).toEqual(STOP(false, false));
    const group = await stage();
    expect(await callsOf(await group.next(answered('mark'), { mark: 1 }, false))).toEqual(STOP(true, false));
  });

  test('that no manner can be: a person is told why, unless it is seen terminated', async () => {
    const { next, cloud } = await stage();
    for (let mode = 0; mode < 2; mode += 1) await next(answered('stop', REJECTED));
    const hold = { kind: 'hold', reason: 'FenceNotProven', text: expect.stringContaining('UnsupportedOperation') };
    expect(await next(answered('stop', REJECTED))).toMatchObject(hold);
    expect(await next(), 'the reason is kept').toMatchObject(hold);
    cloud.state = cloudError('CLOUD_UNAVAILABLE');
    expect(await next()).toMatchObject(hold);
    cloud.state = 'terminated';
    expect(await next()).toEqual({ kind: 'done', result: { how: 'terminated' } });
  });

  test('of another call says nothing of the stop', async () => {
    const { next } = await stage();
    expect((await next(answered('mark', REJECTED), SENT)).kind).toBe('act');
    expect(await callsOf(await next(answered('mark', REJECTED), SENT))).toEqual(STOP());
  });
});

const asked = async (one: Stage, error: OperationError | null = null) => one.next(answered('stop', error));

describe('the proof', () => {
  test('is `terminated`, whenever it is seen', async () => {
    const one = await stage();
    one.cloud.state = 'terminated';
    expect(await one.next()).toEqual({ kind: 'done', result: { how: 'terminated' } });
    expect(one.cloud.asked).toEqual([{ 'instance-id': [OLD] }]);
  });

  test('is `stopped` after our stop, where it was seen in motion before', async () => {
    const one = await stage();
    await one.rig.clock.advance(100_000);
    expect(await asked(one)).toMatchObject({ kind: 'wait' });
    one.cloud.state = 'stopped';
    expect(await one.next()).toEqual({ kind: 'done', result: { how: 'stopped' } });
  });

  test('is `stopped` twice, two seconds apart, where it was never seen in motion', async () => {
    const one = await stage();
    await one.rig.clock.advance(100_000);
    one.cloud.state = 'stopped';
    expect(await one.next(), 'before our own stop it proves nothing').toMatchObject({ kind: 'act' });
    expect(await asked(one)).toMatchObject({ kind: 'wait', forMs: 2_000 });
    await one.rig.clock.advance(1_999);
    expect((await one.next()).kind).toBe('wait');
    await one.rig.clock.advance(1);
    expect((await one.next()).kind).toBe('done');
  });

  test('begins anew with another stop, and with a look that did not show it', async () => {
    const one = await stage();
    one.cloud.state = 'stopped';
    await asked(one);
    await one.rig.clock.advance(2_000);
    expect((await asked(one)).kind).toBe('wait');
    one.cloud.state = null;
    await one.rig.clock.advance(1_000);
    await one.next();
    one.cloud.state = 'stopped';
    await one.rig.clock.advance(1_000);
    expect((await one.next()).kind, 'not shown is no motion').toBe('wait');
  });

  test('is nothing that EC2 does not show, and no good answer', async () => {
    const one = await stage();
    one.cloud.state = null;
    expect(await asked(one)).toMatchObject({ kind: 'wait', text: expect.stringContaining('not shown') });
  });

  test('waits for volumes that are in motion', async () => {
    const one = await stage();
    await asked(one);
    Object.assign(one.cloud, { state: 'stopped', attached: 'busy' });
    expect(await one.next()).toMatchObject({
      kind: 'wait',
      text: 'stopped; waiting for vol-1 (/dev/xvda, busy) to come to rest',
    });
    one.cloud.attached = 'attached';
    expect(await one.next()).toEqual({ kind: 'done', result: { how: 'stopped' } });
  });
});

describe('a stop without effect is sent again', () => {
  test('after a minute', async () => {
    const one = await stage();
    await asked(one);
    await one.rig.clock.advance(59_999);
    expect((await one.next()).kind).toBe('wait');
    await one.rig.clock.advance(1);
    expect(await callsOf(await one.next())).toEqual(STOP());
  });

  test('after two seconds, if it may never have arrived and the instance runs on', async () => {
    const one = await stage();
    await asked(one, cloudError('CLOUD_OUTCOME_UNKNOWN'));
    await one.rig.clock.advance(2_000);
    one.cloud.state = 'stopping';
    expect((await one.next()).kind).toBe('wait');
    one.cloud.state = 'running';
    expect(await callsOf(await one.next())).toEqual(STOP());
  });
});

describe('a serve lease', () => {
  const unread = cloudError('CLOUD_UNAVAILABLE');

  test('that is over is the fence, once EC2 was asked to stop it and has not been seen to', async () => {
    const one = await stage({ lease: 45_000 });
    one.cloud.state = unread;
    await one.rig.clock.advance(45_000);
    expect((await one.next(null, { mark: 1 })).kind, 'EC2 is asked first').toBe('act');
    expect(await one.next()).toEqual({ kind: 'done', result: { how: 'lease' } });
    expect(one.rig.log.linesOf('recovery.fence.by_lease')).toHaveLength(1);
    one.cloud.state = null;
    expect(await one.next()).toMatchObject({ result: { how: 'lease' } });
  });

  test('that still runs is waited out', async () => {
    const one = await stage({ lease: 45_000 });
    await asked(one);
    await one.rig.clock.advance(44_999);
    expect((await one.next()).kind).toBe('wait');
  });

  test('counts for less than what is observed', async () => {
    const one = await stage({ lease: 45_000 });
    await one.rig.clock.advance(45_000);
    one.cloud.state = 'terminated';
    expect(await one.next()).toMatchObject({ result: { how: 'terminated' } });
    one.cloud.state = 'stopped';
    await asked(one);
    await one.rig.clock.advance(2_000);
    expect(await one.next()).toMatchObject({ result: { how: 'stopped' } });
  });

  test('that is broken before our eyes is none', async () => {
    const one = await stage({ lease: 45_000 });
    one.cloud.state = unread;
    await one.rig.clock.advance(45_000);
    one.rig.readings.set(OLD, heard({ serving: true, lastHeardAtMs: one.rig.clock.monotonicMs() }));
    expect(await one.next()).toMatchObject({ kind: 'hold', reason: 'FenceNotProven' });
  });

  test('is waited for where EC2 refuses to stop it in any manner', async () => {
    const one = await stage({ lease: 45_000 });
    await one.rig.clock.advance(5_500);
    for (let mode = 0; mode < 2; mode += 1) await asked(one, REJECTED);
    expect(await asked(one, REJECTED)).toMatchObject({ kind: 'wait', text: expect.stringContaining('40 s') });
  });

  test('is no reason to overlook a mistake of ours, or a denial', async () => {
    const one = await stage({ lease: 45_000 });
    one.cloud.state = cloudError('CLOUD_DENIED', 'UnauthorizedOperation');
    await one.rig.clock.advance(45_000);
    await expect(one.next()).rejects.toMatchObject({ code: 'CLOUD_DENIED' });
  });
});

describe('after the limit a person is told', () => {
  const end = ({ step }: Stage) => step.onTimeout(frozen<'fence'>(REQUEST, { sends: SENT }));

  test('what was seen last', async () => {
    const one = await stage({ policy: { fenceTimeoutMs: 240_000 } });
    expect(one.step.limitMs).toBe(240_000);
    expect(end(one)).toMatchObject({ text: expect.stringContaining('EC2 has not taken the request to stop') });
    one.cloud.state = new OperationError('CLOUD_UNAVAILABLE', 'x');
    await asked(one).catch(() => undefined);
    expect(end(one)).toMatchObject({ text: expect.stringContaining('EC2 could not be asked') });
    one.cloud.state = null;
    await one.next();
    expect(end(one)).toMatchObject({ text: expect.stringContaining('EC2 does not show') });
    one.cloud.state = 'stopping';
    await one.next();
    expect(end(one)).toMatchObject({
      kind: 'hold',
      reason: 'FenceNotProven',
      text: expect.stringContaining('still stopping after 240 s'),
    });
  });

  test('which volumes are in motion', async () => {
    const one = await stage();
    await asked(one);
    Object.assign(one.cloud, { state: 'stopped', attached: 'busy' });
    await one.next();
    expect(end(one)).toMatchObject({ text: expect.stringContaining('vol-1 (/dev/xvda) is still busy') });
    one.cloud.state = 'running';
    await one.next();
    expect(end(one)).toMatchObject({ text: expect.stringContaining('still running') });
  });
});
