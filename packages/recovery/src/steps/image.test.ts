import type { CloudImage } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { cloudError, RunRig } from '../run.fixtures.ts';
import { imageStep } from './image.ts';
import { asker, came, make } from './step.fixtures.ts';

const NAME = 'understudy-op';
const image = (part: Partial<CloudImage> = {}): CloudImage =>
  ({ imageId: 'ami-1', name: NAME, state: 'available', rootSnapshotId: 'snap-1', ...part }) as CloudImage;
const SENT = { sends: { register: 1 } };

async function scene(images: readonly CloudImage[] = []) {
  const shown = { images };
  const looks: unknown[] = [];
  const rig = new RunRig({
    policy: { recover: { launchTimeoutMs: 300_000 } },
    cloud: {
      describeImages: async (filters) => {
        looks.push(filters);
        return shown.images;
      },
    },
  });
  const snapshots = ['1', '2'].map((n) => ({ snapshotId: `snap-${n}`, volumeId: `vol-${n}` }));
  rig.putStep('capture', { state: 'done', result: { set: 1, snapshots, beside: [] } });
  const run = await rig.run();
  const step = imageStep(run);
  const request = { ...(await step.prepare()), name: NAME };
  return { rig, run, step, shown, looks, request, ask: asker(rig, step, request) };
}

describe('the image of a recovery', () => {
  test('is made of the snapshot of the root volume, whichever place that has', async () => {
    const { run, step } = await scene();
    expect(await step.prepare()).toMatchObject({ name: `understudy-${run.record.opId}`, rootSnapshotId: 'snap-1' });
    const [root] = run.plan.volumes;
    if (!root) throw new Error('a plan without volumes');
    run.plan.volumes.splice(0, 1, { ...root, isRoot: false }, { ...root, volumeId: 'vol-2' });
    expect(await step.prepare()).toMatchObject({ rootSnapshotId: 'snap-2' });
  });
  test('is none without a snapshot of the root volume', async () => {
    const { run, step } = await scene();
    run.plan.volumes.splice(0, 1);
    await expect(step.prepare()).rejects.toThrow('no snapshot of the root volume');
    const rig = new RunRig();
    await expect(imageStep(await rig.run()).prepare()).rejects.toThrow('no snapshot of the root volume');
    rig.putStep('capture');
    await expect(imageStep(await rig.run()).prepare()).rejects.toThrow('no snapshot of the root volume');
  });
  test('is registered at once where it never was, without a look, as recorded', async () => {
    const { ask, looks, request } = await scene();
    const sent: unknown[] = [];
    await make(await ask(), { registerImage: async (asked) => (sent.push(asked), { imageId: 'ami-1' }) });
    expect(sent).toEqual([request]);
    expect(looks).toEqual([]);
  });
  test('is found by its name, and by no other', async () => {
    const { ask, shown, looks } = await scene([image({ name: 'another', imageId: 'ami-x' })]);
    expect(await ask(null, SENT)).toMatchObject({ kind: 'act' });
    shown.images = [image({ name: 'another', imageId: 'ami-x' }), image()];
    expect(await ask(null, SENT)).toEqual({ kind: 'done', result: { imageId: 'ami-1' } });
    expect(looks).toContainEqual({ name: [NAME] });
  });
  test.each<[string, Partial<CloudImage>, object]>([
    ['pending: waited for', { state: 'pending' }, { kind: 'wait', text: 'image ami-1 is pending' }],
    ['failed: held', { state: 'failed' }, { kind: 'hold', reason: 'CloudRejected', text: 'image ami-1 is failed' }],
    ['of an unknown snapshot: it has our name', { rootSnapshotId: null }, { kind: 'done' }],
    ['of another snapshot: never', { rootSnapshotId: 'snap-9' }, { kind: 'hold', reason: 'CloudRejected' }],
  ])('that is shown %s', async (_, part, want) => {
    const { ask } = await scene([image(part)]);
    expect(await ask(null, SENT)).toMatchObject(want);
  });
  test('has as long as a launch may take', async () => {
    const { step, request } = await scene();
    expect(step.limitMs).toBe(300_000);
    const frozen = { request, sends: {}, noted: null, elapsedMs: 300_001, conflict: null };
    expect(step.onTimeout(frozen)).toMatchObject({ kind: 'hold', reason: 'CloudUnavailable' });
  });
});

describe('an image that is not shown', () => {
  const after = async (...args: Parameters<typeof cloudError>) =>
    (await scene()).ask(came('register', cloudError(...args)), SENT);
  test('after a yes, or when the name is taken: waited for, also at the looks after that', async () => {
    for (const last of [came('register'), came('register', cloudError('CLOUD_CONFLICT', 'InvalidAMIName.Duplicate'))]) {
      const { ask } = await scene();
      expect(await ask(last, SENT)).toMatchObject({ kind: 'wait', text: 'waiting for the image to show' });
      expect(await ask(null, SENT)).toMatchObject({ kind: 'wait' });
    }
  });
  test('where EC2 calls a taken name a plain refusal: waited for too', async () =>
    expect(await after('CLOUD_REJECTED', 'InvalidAMIName.Duplicate')).toMatchObject({ kind: 'wait' }));
  test('and nothing tells what became of the call: registered again', async () =>
    expect(await after('CLOUD_OUTCOME_UNKNOWN')).toMatchObject({ kind: 'act' }));
  test('because the snapshot is too new: registered again', async () =>
    expect(await after('CLOUD_NOT_FOUND', 'InvalidSnapshot.NotFound')).toMatchObject({ kind: 'act' }));
  test('because EC2 refuses the request: held, as no placement changes it', async () => {
    const held = { kind: 'hold', reason: 'CloudRejected', text: expect.stringMatching(/^EC2 refuses the image: /) };
    expect(await after('CLOUD_REJECTED', 'MissingParameter')).toMatchObject(held);
    expect(await after('CLOUD_REJECTED', 'InvalidParameterValue')).toMatchObject(held);
  });
});
