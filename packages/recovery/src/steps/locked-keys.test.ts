import { type CloudInstance, type CloudSnapshot, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { instanceFixture } from '../core/plan.fixture.ts';
import type { KeyStanding } from '../core/volume-keys.ts';
import { intentRecord } from '@understudy/shared/testing';
import type { Move } from '../effect.ts';
import { cloudError, KEYS, MEMBER, OLD, RunRig } from '../run.fixtures.ts';
import { captureStep } from './capture.ts';
import { imageStep } from './image.ts';
import { launchStep } from './launch.ts';
import { permitStep } from './permit.ts';
import { asker, came } from './step.fixtures.ts';
import { verifyStep } from './verify.ts';
import { LAUNCH } from './attempt-records.ts';
import { CAPTURE } from './capture-records.ts';

/** What the steps do about the KMS key of a volume. */

const UNUSABLE: KeyStanding = { kind: 'unusable', what: 'disabled', remedy: 'Enable it' };
const USABLE: KeyStanding = { kind: 'usable', manager: 'CUSTOMER' };
const HELD = { kind: 'hold', reason: 'KmsKeyUnusable' };
const REFUSED = cloudError('CLOUD_REJECTED', 'InvalidKMSKey.InvalidState');
const [ROOT] = intentRecord(MEMBER, OLD).plan.volumes;
if (!ROOT) throw new Error('a plan without volumes');

/** A member whose volume is under a key of which KMS says what the test says. */
async function scene(standing: KeyStanding = UNUSABLE) {
  const kms = { standing, looks: 0 };
  const ec2 = { instances: [] as readonly CloudInstance[], snapshots: [] as readonly CloudSnapshot[] };
  const rig = new RunRig({
    policy: { recover: { holdFailingAfterMs: 60_000 } },
    plan: {
      volumes: [{ ...ROOT, encrypted: true, kmsKeyId: 'key-1' } as never],
      candidates: ['a', 'b'].map((zone) => ({ subnetId: `subnet-${zone}`, az: zone, instanceType: 'm7i.large' })),
    },
    cloud: {
      describeInstances: async () => ec2.instances,
      describeNetworkInterfaces: async () => [],
      describeSnapshots: async () => ec2.snapshots,
      describeImages: async () => [],
    },
  });
  Object.assign(rig.parts, { keyLooks: { look: async () => (kms.looks++, new Map([['key-1', kms.standing]])) } });
  rig.putStep('fence', { state: 'done', result: { how: 'stopped' } });
  const snapshots = [{ snapshotId: 'snap-1', volumeId: 'vol-1' }];
  rig.putStep('capture', { state: 'done', result: { set: 1, snapshots, beside: [] } });
  rig.putStep('launch-1', { state: 'done', result: { instanceId: 'i-new', foundBy: 'reply' } });
  const run = await rig.run();
  return { rig, run, kms, ec2 };
}
const textOf = (move: Move<typeof CAPTURE> | Move<typeof LAUNCH>): string => (move.kind === 'hold' ? move.text : '');

describe('snapshots', () => {
  const REQUEST = { instanceId: OLD, description: 'd', tags: {} };
  const capture = async (standing?: KeyStanding) => {
    const all = await scene(standing);
    return { ...all, ask: asker(all.rig, captureStep(all.run), REQUEST) };
  };
  const sent = (snapshots: number) => ({ sends: { snapshots } });
  test('are not asked for while the key is known to be unusable: held, with what to do; and then they are', async () => {
    const { ask, kms } = await capture();
    const held = await ask();
    expect(held).toMatchObject(HELD);
    expect(textOf(held)).toContain('KMS key key-1 of vol-1 is disabled');
    expect(textOf(held)).toContain('it goes on by itself once the key can be used');
    kms.standing = USABLE;
    expect(await ask()).toMatchObject({ kind: 'act' });
  });
  test('nor again, after a refusal or looks in vain', async () => {
    const { ask } = await capture();
    expect(await ask(came('snapshots', cloudError('CLOUD_THROTTLED')), sent(1))).toMatchObject(HELD);
    const failed = { set: null, failedSets: [1] };
    expect(
      await ask(came('snapshots', cloudError('CLOUD_OUTCOME_UNKNOWN')), { ...sent(1), noted: failed }),
    ).toMatchObject(HELD);
  });
  test('that EC2 refuses for the key are held for, also where KMS knows nothing of it', async () => {
    const { ask } = await capture(USABLE);
    const held = await ask(came('snapshots', REFUSED), sent(1));
    expect(held).toMatchObject(HELD);
    expect(textOf(held)).toMatch(/^EC2 refuses the snapshots: .*It goes on by itself once that works$/);
  });
  const failing = (set: number, lockedSets?: number[]) => ({
    ...sent(set),
    noted: {
      set: { number: set, snapshots: [{ snapshotId: 's', volumeId: 'vol-1' }], beside: [], notedAtWallMs: 0 },
      ...{ failedSets: [1], ...(lockedSets && { lockedSets }) },
    },
  });
  const shown = (snapshotId: string, set: number) =>
    ({
      snapshotId,
      volumeId: 'vol-1',
      state: 'error',
      progressPercent: 0,
      tags: { [TAG.snapshotSet]: String(set) },
    }) as never;
  test('that fail while the key is unusable are marked so; others are not', async () => {
    const locked = await capture();
    locked.ec2.snapshots = [shown('s', 2)];
    expect(await locked.ask(null, failing(2))).toEqual({
      kind: 'note',
      noted: { set: null, failedSets: [1, 2], lockedSets: [2] },
    });
    const open = await capture(USABLE);
    open.ec2.snapshots = [shown('s', 2)];
    expect(await open.ask(null, failing(2))).toEqual({ kind: 'note', noted: { set: null, failedSets: [1, 2] } });
    expect(await open.ask(null, failing(2, [1]))).toMatchObject({ noted: { lockedSets: [1] } });
  });
  test('that failed for the key are not counted: they are taken again once it works, however often that was', async () => {
    const { run, ask, ec2 } = await capture(USABLE);
    run.heldAtStart = true;
    ec2.snapshots = [1, 2, 3, 4].map((set) => shown(`s${set}`, set));
    const noted = { set: null, failedSets: [1, 2, 3, 4], lockedSets: [2, 3] };
    expect(await ask(null, { ...sent(4), noted })).toMatchObject({ kind: 'act' });
    expect(await ask(null, { ...sent(4), noted: { ...noted, lockedSets: [2] } })).toMatchObject({
      reason: 'CaptureFailed',
    });
    ec2.snapshots = Array.from({ length: 10 }, (_, index) => shown(`s${index + 1}`, index + 1));
    const many = { ...sent(10), noted: { set: null, failedSets: [1, 10], lockedSets: [10] } };
    expect(await ask(null, many)).toMatchObject({ kind: 'act' });
    expect(await ask(null, { ...many, noted: { set: null, failedSets: [1, 10] } })).toMatchObject({ kind: 'hold' });
  });
});

test('an image that EC2 refuses for the key is held for', async () => {
  const { rig, run } = await scene();
  const step = imageStep(run);
  const ask = asker(rig, step, await step.prepare());
  const held = await ask(came('register', REFUSED), { sends: { register: 1 } });
  expect(held).toMatchObject({ ...HELD, text: expect.stringMatching(/^EC2 refuses the image: /) });
});

describe('a launch', () => {
  const launch = async (standing?: KeyStanding) => {
    const all = await scene(standing);
    const request = { networkInterfaceId: 'eni-1', run: { ClientToken: 't' } };
    return { ...all, ask: asker(all.rig, launchStep(all.run, 1), request) };
  };
  const SENT = { sends: { run: 1 } };
  test('is not sent while the key is known to be unusable, neither for the first time nor after a look', async () => {
    const { ask, kms } = await launch();
    expect(await ask()).toMatchObject(HELD);
    expect(await ask(null, SENT)).toMatchObject(HELD);
    kms.standing = USABLE;
    expect(await ask()).toMatchObject({ kind: 'act' });
  });
  test('that an earlier leader sent is adopted all the same', async () => {
    const { ask, ec2 } = await launch();
    ec2.instances = [instanceFixture({ instanceId: 'i-new' })];
    expect(await ask(null, SENT)).toMatchObject({ kind: 'done', result: { foundBy: 'observation' } });
  });
  test('that EC2 refuses for the key is held for', async () => {
    const { ask } = await launch(USABLE);
    const held = await ask(came('run', REFUSED), SENT);
    expect(held).toMatchObject({
      ...HELD,
      text: expect.stringMatching(/^EC2 refuses the launch: .*It goes on by itself once that works$/),
    });
  });
});

describe('when nothing could be launched for the key', () => {
  const short = async (failure: 'key' | 'capacity') => {
    const { rig } = await scene();
    const ended = (number: number) =>
      rig.putStep(`revoke-${number}`, {
        state: 'done',
        request: {
          ...{ round: 1, candidateIndex: number - 1, failure, text: 'why', instanceId: null, networkInterfaceId: null },
          ...{ seriesLength: number, seriesSinceWallMs: rig.clock.wallMs() - 60_000 },
        },
        result: { instanceTerminated: false, permitGone: true },
      });
    ended(1);
    ended(2);
    const run = await rig.run();
    await rig.clock.runUntilSettled(permitStep(run, 3).prepare());
    const [hold] = rig.kv.entries(KEYS.hold(MEMBER));
    return { hold: JSON.parse(hold?.value ?? '{}') as object, said: run.activities.get('permit-3')?.text };
  };
  test('it is held as that, with what to do about the key', async () => {
    const { hold, said } = await short('key');
    expect(hold).toMatchObject({ reason: 'KmsKeyUnusable', text: expect.stringContaining('KMS key key-1 of vol-1') });
    expect(said).toMatch(/^the key of a volume cannot be used: asking again in 60 s/);
  });
  test('and for want of room as that, without a word of the key', async () => {
    const { hold, said } = await short('capacity');
    expect(hold).toMatchObject({ reason: 'NoCapacity', text: expect.not.stringContaining('KMS') });
    expect(said).toMatch(/^no placement has room/);
  });
});

test('KMS is not asked about a replacement that ended for something else', async () => {
  const { rig, run, ec2, kms } = await scene();
  const reason = { stateReasonCode: 'Server.InternalError', stateReasonText: null };
  ec2.instances = [instanceFixture({ instanceId: 'i-new', state: 'terminated', ...reason })];
  await asker(rig, verifyStep(run, 1), { instanceId: 'i-new' })();
  expect(kms.looks).toBe(0);
});

describe('a replacement that EC2 ended', () => {
  const ended = async (part: Partial<CloudInstance>, standing?: KeyStanding) => {
    const { rig, run, ec2 } = await scene(standing);
    ec2.instances = [instanceFixture({ instanceId: 'i-new', state: 'terminated', ...part })];
    return asker(rig, verifyStep(run, 1), { instanceId: 'i-new' })();
  };
  const LOCKED = { stateReasonCode: 'Client.InvalidKMSKey.InvalidState', stateReasonText: 'the KMS key is disabled' };
  const VAGUE = { stateReasonCode: 'Client.InternalError', stateReasonText: null };
  test('for the key failed for that, with EC2’s words', async () =>
    expect(await ended(LOCKED)).toEqual({
      ...{ kind: 'failed', failure: 'key', code: LOCKED.stateReasonCode },
      text: 'the replacement i-new was ended by EC2, which could not use the key of a volume (the KMS key is disabled)',
    }));
  test('by the code alone, or the words alone', async () => {
    expect(await ended({ ...LOCKED, stateReasonText: null })).toMatchObject({
      ...{ failure: 'key', text: expect.stringContaining(`(${LOCKED.stateReasonCode})`) },
    });
    expect(await ended({ ...LOCKED, stateReasonCode: null })).toMatchObject({ failure: 'key', code: 'KmsKeyUnusable' });
  });
  test.each(['shutting-down', 'terminated'] as const)('and is %s: seen while it goes', async (state) =>
    expect(await ended({ ...LOCKED, state })).toMatchObject({ failure: 'key' }),
  );
  test('without a reason: the key, where it could have been; not one that AWS manages and that works', async () => {
    expect(await ended(VAGUE)).toMatchObject({ failure: 'key' });
    expect(await ended(VAGUE, { kind: 'usable', manager: 'AWS' })).toMatchObject({ failure: 'instance' });
  });
  test('for something else, or that was only stopped, failed for a fault of its own', async () => {
    const other = { stateReasonCode: 'Server.InsufficientInstanceCapacity', stateReasonText: null };
    expect(await ended(other)).toMatchObject({ failure: 'instance' });
    expect(await ended({ ...LOCKED, state: 'stopped' })).toMatchObject({ failure: 'instance' });
  });
});
