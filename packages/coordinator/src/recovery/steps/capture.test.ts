import type { Cloud, CloudSnapshot } from '@understudy/shared';
import { TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import type { Attempt, Move } from '../effect.ts';
import { answered, frozen } from '../effect.fixtures.ts';
import { cloudError, cloudVolume, MEMBER, OLD, putThrough, type RigOptions, RunRig } from '../run.fixtures.ts';
import type { NotedOf } from '../step-shapes.ts';
import { captureStep } from './capture.ts';

const REQUEST = { instanceId: OLD, description: 'd', tags: { a: 'b' } };
type Noted = NotedOf<'capture'>;

const snapshot = (number: number, over: Partial<CloudSnapshot> = {}): CloudSnapshot => ({
  ...{ snapshotId: `snap-${number}`, volumeId: 'vol-1', state: 'pending', progressPercent: 30, startedAtWallMs: 0 },
  tags: { [TAG.snapshotSet]: String(number) },
  ...over,
});

/** The step, once the old instance is fenced; `shown`: the snapshots EC2 shows. */
async function stage(options: RigOptions & { readonly how?: string; readonly heldAtStart?: boolean } = {}) {
  const cloud = { shown: [] as CloudSnapshot[], asked: [] as unknown[], volumes: [cloudVolume('vol-1')] };
  const describeSnapshots: Cloud['describeSnapshots'] = async (filters) => {
    cloud.asked.push(filters);
    const ids = filters['snapshot-id'];
    return ids ? cloud.shown.filter(({ snapshotId }) => ids.includes(snapshotId)) : cloud.shown;
  };
  const describeVolumes = async () => cloud.volumes;
  const rig = new RunRig({ ...options, cloud: { describeSnapshots, describeVolumes } });
  putThrough(rig, 'fence', { fence: { result: { how: options.how ?? 'stopped' } } });
  const run = await rig.run();
  run.heldAtStart = options.heldAtStart ?? false;
  const step = captureStep(run);
  const next = (sent: number, last: Attempt | null = null, noted: Noted | null = null): Promise<Move<'capture'>> =>
    rig.clock.runUntilSettled(
      step.next(frozen<'capture'>(REQUEST, { sends: sent === 0 ? {} : { snapshots: sent }, noted }), last),
    );
  return { rig, run, step, next, cloud };
}
type Stage = Awaited<ReturnType<typeof stage>>;

/** Sends what the move asks for; EC2 answers with these, or fails. */
async function send(move: Move<'capture'>, number: number, reply: CloudSnapshot[] | Error): Promise<unknown[]> {
  const sent: unknown[] = [];
  const createSnapshots: Cloud['createSnapshots'] = async (request) => {
    sent.push(request);
    if (reply instanceof Error) throw reply;
    return reply;
  };
  if (move.kind !== 'act') throw new Error(`no act: ${JSON.stringify(move)}`);
  await move.calls[0].run({ createSnapshots } as Cloud, {}, number).catch(() => undefined);
  return sent;
}
const canonical = (number: number, notedAtWallMs: number): Noted => ({
  set: { number, snapshots: [{ snapshotId: `snap-${number}`, volumeId: 'vol-1' }], beside: [], notedAtWallMs },
  failedSets: [],
});
const failed = (...failedSets: number[]): Noted => ({ set: null, failedSets });
const UNKNOWN = answered('snapshots', cloudError('CLOUD_OUTCOME_UNKNOWN'));
const CAPTURE_FAILED = { kind: 'hold', reason: 'CaptureFailed' };

describe('a set of snapshots', () => {
  test('is asked for in one call that carries its own number, and tags that lead back to its recovery', async () => {
    const { rig, step, next } = await stage({ policy: { tags: { team: 'x' } } });
    expect(await step.prepare()).toEqual({
      ...{ instanceId: OLD, description: `understudy ${MEMBER} ${rig.opId}` },
      tags: { team: 'x', [TAG.op]: rig.opId, 'understudy:source': OLD },
    });
    const tags = { a: 'b', [TAG.snapshotSet]: '3' };
    expect(await send(await next(0), 3, [])).toEqual([{ instanceId: OLD, description: 'd', tags }]);
  });

  test('that EC2’s answer shows whole becomes canonical, with the time it did', async () => {
    const one = await stage();
    await send(await one.next(0), 1, [snapshot(1)]);
    const set = { ...canonical(1, one.rig.clock.wallMs()).set };
    expect(await one.next(1, answered('snapshots'))).toEqual({ kind: 'note', noted: { set, failedSets: [] } });
  });

  test('without a volume of the plan is none', async () => {
    const one = await stage();
    await send(await one.next(0), 1, [snapshot(1, { volumeId: 'vol-9' })]);
    const hold = { ...CAPTURE_FAILED, text: expect.stringContaining('vol-1 is no longer attached') };
    expect(await one.next(1, answered('snapshots'))).toMatchObject(hold);
  });

  test('that an earlier leader’s call made is found by its tags', async () => {
    const one = await stage();
    one.cloud.shown = [snapshot(2)];
    expect(await one.next(2)).toMatchObject({ kind: 'note', noted: { set: { number: 2 }, failedSets: [] } });
    expect(one.cloud.asked).toEqual([{ [`tag:${TAG.op}`]: [one.rig.opId] }]);
  });

  test('may exist though the answer was lost: it is looked for three times before another is paid for', async () => {
    const one = await stage();
    const wait = { kind: 'wait', forMs: 2_000 };
    expect(await one.next(1, UNKNOWN)).toMatchObject(wait);
    expect(await one.next(1)).toMatchObject(wait);
    expect((await one.next(1)).kind).toBe('act');
    expect(await one.next(2, UNKNOWN), 'each call by itself').toMatchObject(wait);
    expect(await one.next(2)).toMatchObject(wait);
  });

  test('that was certainly refused is asked for again without a look', async () => {
    const one = await stage();
    expect((await one.next(1, answered('snapshots', cloudError('CLOUD_THROTTLED', 'RequestLimitExceeded')))).kind).toBe(
      'act',
    );
    expect(one.cloud.asked).toEqual([]);
    expect((await one.next(1, UNKNOWN)).kind).toBe('wait');
  });

  test('whose newest number is known to have failed is asked for at once', async () => {
    const one = await stage();
    expect((await one.next(2, null, failed(2))).kind).toBe('act');
    expect((await one.next(2, null, failed(1))).kind).toBe('wait');
  });

  test('that failed is not taken again, whatever EC2 shows of it', async () => {
    const one = await stage();
    one.cloud.shown = [snapshot(1, { state: 'completed' }), snapshot(2)];
    expect(await one.next(2, null, failed(1))).toMatchObject({
      kind: 'note',
      noted: { set: { number: 2 }, failedSets: [1] },
    });
  });
});

describe('a refusal', () => {
  test.each(['MissingParameter', 'InvalidParameterValue'])('for good (%s) is for a person', async (code) => {
    const one = await stage();
    expect(await one.next(1, answered('snapshots', cloudError('CLOUD_REJECTED', code)))).toMatchObject({
      ...{ ...CAPTURE_FAILED, text: expect.stringContaining(code) },
    });
  });

  test('because EC2 does not know the instance is believed after a minute, without a break', async () => {
    const unknown = answered('snapshots', cloudError('CLOUD_NOT_FOUND', 'InvalidInstanceID.NotFound'));
    const one = await stage();
    await one.rig.clock.advance(100_000);
    expect((await one.next(1, unknown)).kind).toBe('act');
    await one.rig.clock.advance(60_000);
    expect((await one.next(1, unknown)).kind).toBe('act');
    await one.rig.clock.advance(1);
    expect(await one.next(1, unknown)).toMatchObject(CAPTURE_FAILED);
    const other = await stage();
    await other.next(1, unknown);
    await other.rig.clock.advance(60_001);
    await other.next(1, answered('snapshots', cloudError('CLOUD_THROTTLED', 'RequestLimitExceeded')));
    expect((await other.next(1, unknown)).kind).toBe('act');
  });

  test('for a key is for a person, and goes on by itself', async () => {
    const one = await stage();
    const refused = answered('snapshots', cloudError('CLOUD_REJECTED', 'InvalidKMSKey.InvalidState'));
    expect(await one.next(1, refused)).toMatchObject({ kind: 'hold', reason: 'KmsKeyUnusable' });
  });
});

describe('the canonical set', () => {
  const follow = (one: Stage, notedAtWallMs = one.rig.clock.wallMs()) => one.next(1, null, canonical(1, notedAtWallMs));

  test('is waited for, and shown', async () => {
    const one = await stage();
    one.cloud.shown = [snapshot(1)];
    expect(await follow(one)).toMatchObject({ kind: 'wait', percent: 30, text: expect.stringContaining('30 %') });
    expect(one.cloud.asked).toEqual([{ 'snapshot-id': ['snap-1'] }]);
  });

  test('is the capture once it is complete', async () => {
    const one = await stage();
    one.cloud.shown = [snapshot(1, { state: 'completed' })];
    const snapshots = [{ snapshotId: 'snap-1', volumeId: 'vol-1' }];
    expect(await follow(one)).toEqual({ kind: 'done', result: { set: 1, snapshots, beside: [] } });
  });

  test('that fails is put aside for good; the next one has the whole time', async () => {
    const one = await stage({ policy: { captureTimeoutMs: 600_000 } });
    one.cloud.shown = [snapshot(1, { state: 'error' })];
    expect(await follow(one)).toEqual({ kind: 'note', noted: { set: null, failedSets: [1] } });
    await one.rig.clock.advance(700_000);
    one.cloud.shown = [snapshot(2)];
    expect((await one.next(2, null, { ...canonical(2, one.rig.clock.wallMs()), failedSets: [1] })).kind).toBe('wait');
    one.cloud.shown = [snapshot(2, { state: 'error' })];
    const noted = { ...canonical(2, one.rig.clock.wallMs()), failedSets: [1] };
    expect(await one.next(2, null, noted)).toMatchObject({ noted: { failedSets: [1, 2] } });
  });

  test('has as long as the policy says from when it was recorded; then a person is told', async () => {
    const one = await stage({ policy: { captureTimeoutMs: 600_000 } });
    const notedAtWallMs = one.rig.clock.wallMs();
    one.cloud.shown = [snapshot(1)];
    await one.rig.clock.advance(200_000);
    expect((await follow(one, notedAtWallMs)).kind).toBe('wait');
    await one.rig.clock.advance(400_000);
    expect((await follow(one, notedAtWallMs)).kind).toBe('wait');
    await one.rig.clock.advance(1);
    expect(await follow(one, notedAtWallMs)).toMatchObject({
      kind: 'hold',
      reason: 'CaptureTimeout',
      text: expect.stringContaining('the 1 snapshots are not complete after 600000 ms'),
    });
  });

  test('a successor always has its floor', async () => {
    const one = await stage({ policy: { captureTimeoutMs: 600_000 } });
    const notedAtWallMs = one.rig.clock.wallMs();
    one.cloud.shown = [snapshot(1)];
    await one.rig.clock.advance(3_600_000);
    expect((await follow(one, notedAtWallMs)).kind).toBe('wait');
    await one.rig.clock.advance(30_001);
    expect((await follow(one, notedAtWallMs)).kind).toBe('hold');
  });
});

describe('what EC2 made and what failed', () => {
  const settings = { maxFailedSets: 3, maxSnapshotCalls: 10 };
  const broken = (count: number) =>
    Array.from({ length: count }, (_, index) => snapshot(index + 1, { state: 'error' }));

  test('after three failed sets is for a person, with how to try again', async () => {
    const one = await stage({ settings, heldAtStart: true });
    expect((await one.next(2, null, failed(1, 2))).kind).toBe('act');
    const hold = await one.next(3, null, failed(1, 2, 3));
    expect(hold).toMatchObject({ ...CAPTURE_FAILED, text: expect.stringContaining('3 of the 3 snapshot sets') });
    expect(hold).toMatchObject({ text: expect.stringContaining(`understudy retry ${MEMBER}`) });
  });

  test('after ten sets that were made and paid for is for a person; those that failed are counted once', async () => {
    const one = await stage({ settings: { ...settings, maxFailedSets: 99 }, heldAtStart: true });
    one.cloud.shown = broken(9);
    expect((await one.next(9, null, failed(1, 2, 9))).kind).toBe('act');
    one.cloud.shown = broken(10);
    expect(await one.next(10, null, failed(1))).toMatchObject(CAPTURE_FAILED);
  });

  test('before a person has removed the hold does not count', async () => {
    const one = await stage({ settings });
    expect((await one.next(3, null, failed(1, 2, 3))).kind).toBe('act');
    expect((await one.next(5, null, failed(1, 2, 3, 4, 5))).kind).toBe('act');
    expect(await one.next(6, null, failed(1, 2, 3, 4, 5, 6))).toMatchObject(CAPTURE_FAILED);
  });

  test('counts from the beginning where the limit was not reached before', async () => {
    const one = await stage({ settings });
    expect((await one.next(2, null, failed(1, 2))).kind).toBe('act');
    expect(await one.next(3, null, failed(1, 2, 3))).toMatchObject(CAPTURE_FAILED);
  });

  test('for a key that cannot be used is no fault of the capture', async () => {
    const one = await stage({ settings, heldAtStart: true });
    expect((await one.next(3, null, { ...failed(1, 2, 3), lockedSets: [1] })).kind).toBe('act');
  });
});

describe('of an old instance that is terminated', () => {
  test('no snapshots are asked for; a whole set that is there already is used', async () => {
    const one = await stage({ how: 'terminated' });
    one.cloud.shown = [snapshot(1)];
    expect(await one.next(0)).toMatchObject({ kind: 'note', noted: { set: { number: 1 } } });
  });

  test('without one a person is told which volumes are still there', async () => {
    const plain = new RunRig().intent.record.plan.volumes;
    const volumes = ['vol-1', 'vol-2', 'vol-3'].flatMap((volumeId) => plain.map((one) => ({ ...one, volumeId })));
    const one = await stage({ how: 'terminated', plan: { volumes } });
    one.cloud.volumes = [
      cloudVolume('vol-1'),
      cloudVolume('vol-2', { state: 'deleting' }),
      cloudVolume('vol-3', { state: 'deleted' }),
    ];
    expect(await one.next(0)).toMatchObject({
      ...{
        ...CAPTURE_FAILED,
        text: expect.stringContaining('volumes deleted with it: vol-2, vol-3; still there: vol-1'),
      },
    });
    one.cloud.volumes = [];
    expect(await one.next(0)).toMatchObject({ text: expect.stringContaining('still there: none') });
    one.cloud.volumes = volumes.map(({ volumeId }) => cloudVolume(volumeId));
    expect(await one.next(0)).toMatchObject({ text: expect.stringContaining('deleted with it: none') });
  });
});

test('a step without a set in all that time says what was not made, and one with a set how much is not complete', async () => {
  const { rig, step } = await stage();
  const { captureTimeoutMs, retryRefusedForMs } = rig.intent.record.plan.policy;
  expect([step.limitMs, step.givesUpAs]).toEqual([captureTimeoutMs + retryRefusedForMs, 'CaptureFailed']);
  const end = (noted: Noted | null) => step.onTimeout(frozen<'capture'>(REQUEST, { noted }));
  for (const noted of [null, failed(1)])
    expect(end(noted)).toMatchObject({
      kind: 'hold',
      reason: 'CaptureTimeout',
      text: expect.stringContaining('no set of snapshots could be made'),
    });
  expect(end(canonical(1, 0))).toMatchObject({ text: expect.stringContaining('the 1 snapshots are not complete') });
});
