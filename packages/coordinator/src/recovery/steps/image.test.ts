import type { Cloud, CloudImage, RegisterImageRequest } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import type { Attempt } from '../effect.ts';
import { answered, frozen } from '../effect.fixtures.ts';
import { cloudError, putThrough, RunRig } from '../run.fixtures.ts';
import type { RequestOf } from '../step-shapes.ts';
import { imageStep } from './image.ts';

const DUPLICATE = cloudError('CLOUD_CONFLICT', 'InvalidAMIName.Duplicate');

/** The step with its own request, and an image of its name as EC2 shows it. */
async function stage(shown: Partial<CloudImage> | null = null) {
  const cloud: { shown: Partial<CloudImage> | null; asked: unknown[] } = { shown, asked: [] };
  let name = '';
  const describeImages: Cloud['describeImages'] = async (filters) => {
    cloud.asked.push(filters);
    const other = { imageId: 'ami-x', name: 'other', state: 'available', rootSnapshotId: 'snap-1' };
    const own = { imageId: 'ami-1', name, state: 'available', rootSnapshotId: 'snap-1', ...cloud.shown };
    return (cloud.shown ? [other, own] : [other]) as CloudImage[];
  };
  const rig = new RunRig({ cloud: { describeImages } });
  putThrough(rig, 'capture');
  const run = await rig.run();
  const step = imageStep(run);
  const request: RequestOf<'image'> = await step.prepare();
  name = request.name;
  const next = (last: Attempt | null = null, sends: Record<string, number> = { register: 1 }) =>
    rig.clock.runUntilSettled(step.next(frozen<'image'>(request, { sends }), last));
  return { rig, step, request, next, cloud };
}

describe('the image of the root snapshot', () => {
  test('is registered once, of the root volume’s snapshot in the canonical set, under a name of this recovery', async () => {
    const { rig, request, next, cloud } = await stage();
    expect(request).toMatchObject({ rootSnapshotId: 'snap-1', name: expect.stringContaining(rig.opId) });
    const move = await next(null, {});
    expect(cloud.asked, 'nothing is looked for before').toEqual([]);
    const sent: RegisterImageRequest[] = [];
    const registerImage: Cloud['registerImage'] = async (given) => {
      sent.push(given);
      return { imageId: 'ami-1' };
    };
    if (move.kind === 'act') await move.calls[0].run({ registerImage } as Cloud, {}, 1);
    expect(sent).toEqual([request]);
  });

  test('cannot be asked for without a snapshot of the root volume', async () => {
    const rig = new RunRig();
    putThrough(rig, 'capture', {
      capture: { result: { set: 1, snapshots: [{ snapshotId: 's', volumeId: 'vol-9' }], beside: [] } },
    });
    await expect(imageStep(await rig.run()).prepare()).rejects.toThrow('no snapshot of the root volume vol-1');
    const bare = new RunRig();
    await expect(imageStep(await bare.run()).prepare()).rejects.toThrow('no snapshot of the root volume vol-1');
    bare.putStep('capture');
    await expect(imageStep(await bare.run()).prepare()).rejects.toThrow('no snapshot of the root volume vol-1');
  });

  test('of a plan with several volumes is that of the root', async () => {
    const plain = new RunRig().intent.record.plan.volumes;
    const data = plain.map((one) => ({ ...one, volumeId: 'vol-0', isRoot: false }));
    const rig = new RunRig({ plan: { volumes: [...data, ...plain] } });
    const snapshots = [
      { snapshotId: 'snap-0', volumeId: 'vol-0' },
      { snapshotId: 'snap-1', volumeId: 'vol-1' },
    ];
    putThrough(rig, 'capture', { capture: { result: { set: 1, snapshots, beside: [] } } });
    expect(await imageStep(await rig.run()).prepare()).toMatchObject({ rootSnapshotId: 'snap-1' });
  });
});

describe('an image of that name', () => {
  test.each([
    ['that is available', {}, { kind: 'done', result: { imageId: 'ami-1' } }],
    ['whose snapshot EC2 does not say', { rootSnapshotId: null }, { kind: 'done', result: { imageId: 'ami-1' } }],
    ['that is pending', { state: 'pending' }, { kind: 'wait', text: 'image ami-1 is pending' }],
    ['that has failed', { state: 'failed' }, { kind: 'hold', reason: 'CloudRejected', text: 'image ami-1 is failed' }],
    [
      'of another snapshot',
      { rootSnapshotId: 'snap-x' },
      {
        kind: 'hold',
        reason: 'CloudRejected',
        text: 'image ami-1 has our name but was made from snap-x, not from snap-1',
      },
    ],
  ])('%s', async (_name, shown, expected) => {
    const { next, request, cloud } = await stage(shown);
    expect(await next()).toEqual(expected);
    expect(cloud.asked).toEqual([{ name: [request.name] }]);
  });
});

describe('no image of that name', () => {
  test('is asked for again by a successor, and after an outcome that is unknown', async () => {
    const { next } = await stage();
    expect((await next()).kind).toBe('act');
    expect((await next(answered('register', cloudError('CLOUD_OUTCOME_UNKNOWN')))).kind).toBe('act');
  });

  test.each([
    ['a yes', null],
    ['a duplicate', DUPLICATE],
    ['a duplicate that EC2 calls a refusal', cloudError('CLOUD_REJECTED', 'InvalidAMIName.Duplicate')],
  ])('after %s needs time to show, and is not asked for again', async (_name, error) => {
    const { next } = await stage();
    expect(await next(answered('register', error))).toMatchObject({ kind: 'wait' });
    expect(await next()).toMatchObject({ kind: 'wait' });
  });

  test.each(['InvalidParameterValue', 'InvalidBlockDeviceMapping'])('after %s is for a person', async (code) => {
    const { next } = await stage();
    const hold = { kind: 'hold', reason: 'CloudRejected', text: expect.stringContaining(code) };
    expect(await next(answered('register', cloudError('CLOUD_REJECTED', code)))).toMatchObject(hold);
  });

  test('that EC2 refuses for a key is for a person, and goes on by itself', async () => {
    const { next } = await stage();
    const move = await next(answered('register', cloudError('CLOUD_REJECTED', 'InvalidKMSKey.InvalidState')));
    expect(move).toMatchObject({
      kind: 'hold',
      reason: 'KmsKeyUnusable',
      text: expect.stringContaining('EC2 refuses the image'),
    });
  });

  test('within the time a launch may take is for a person', async () => {
    const { rig, step, request } = await stage();
    expect(step.limitMs).toBe(rig.intent.record.plan.policy.launchTimeoutMs);
    expect(step.onTimeout(frozen<'image'>(request))).toMatchObject({ kind: 'hold', reason: 'CloudUnavailable' });
  });
});
