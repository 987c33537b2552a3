import { type PolicyChange, joinedChanges } from '@understudy/shared/testing';
import { type CloudSnapshot, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { instanceFixture, volumeFixture } from '../core/plan.fixture.ts';
import { cloudError, OLD, RunRig } from '../run.fixtures.ts';
import type { NotedOf } from '../step-record.ts';
import { captureStep } from './capture.ts';
import { asker, LATER_MS, came, make } from './step.fixtures.ts';
import { CAPTURE } from './capture-records.ts';

const REQUEST = { instanceId: OLD, description: 'd', tags: { own: 'tag' } };
const POLICY: PolicyChange = { recover: { captureTimeoutMs: 600_000, retryRefusedForMs: 3_600_000 } };
const sent = (snapshots: number) => ({ sends: { snapshots } });
const snapshot = (set: number, volumeId = 'vol-1', state: CloudSnapshot['state'] = 'completed'): CloudSnapshot => ({
  ...{ snapshotId: `snap-${set}-${volumeId}`, volumeId, state, progressPercent: 40, startedAtWallMs: 0 },
  tags: { [TAG.snapshotSet]: String(set) },
});
const set = (number: number, notedAtWallMs = 0): NonNullable<NotedOf<typeof CAPTURE>['set']> => ({
  ...{ number, snapshots: [{ snapshotId: `snap-${number}-vol-1`, volumeId: 'vol-1' }], beside: [], notedAtWallMs },
});
const MADE = came('snapshots');
const SPACING_MS = 2_000;

interface SceneOptions {
  readonly how?: 'stopped' | 'terminated';
  readonly shown?: readonly CloudSnapshot[];
}

/** A fenced instance with one volume, and the snapshots that EC2 shows. */
async function scene({ how = 'stopped', shown = [] }: SceneOptions = {}) {
  const ec2 = { shown, volumes: [volumeFixture({ volumeId: 'vol-1' })], attached: ['vol-1'] };
  const filters: unknown[] = [];
  const rig = new RunRig({
    policy: joinedChanges(POLICY, { recover: { tags: { team: 'db' } } }),
    cloud: {
      describeSnapshots: async (asked) => {
        filters.push(asked);
        return ec2.shown;
      },
      describeVolumes: async () => ec2.volumes,
      describeInstances: async () => [
        instanceFixture({
          instanceId: OLD,
          volumes: ec2.attached.map((volumeId) => ({
            ...{ volumeId, deviceName: `/dev/${volumeId}`, status: 'attached', deleteOnTermination: false },
          })),
        }),
      ],
    },
  });
  rig.putStep('fence', { state: 'done', result: { how } });
  await rig.clock.advance(LATER_MS);
  const run = await rig.run();
  const step = captureStep(run);
  const ask = asker(rig, step, REQUEST);
  /** Makes the call that is asked for, as the n-th; EC2 answers with these. */
  const answer = async (move: Parameters<typeof make>[0], snapshots: readonly CloudSnapshot[]) =>
    make(move, { createSnapshots: async () => snapshots });
  return { rig, run, step, ec2, filters, ask, answer };
}
const textOf = (move: { readonly kind: string }): string => ('text' in move ? String(move.text) : '');

describe('the call', () => {
  test('is of the old instance, tagged as the recovery’s and as the policy wants', async () => {
    const { run, step } = await scene();
    const { opId } = run.record;
    expect(await step.prepare()).toEqual({
      ...{ instanceId: OLD, description: `understudy db/one ${opId}` },
      tags: { team: 'db', [TAG.op]: opId, 'understudy:source': OLD },
    });
    expect(step.limitMs).toBe(4_200_000);
    expect(step.givesUpAs).toBe('CaptureFailed');
  });
  test('is made at once where none was, and numbered', async () => {
    const { ask, filters } = await scene();
    const asked: unknown[] = [];
    await make(await ask(), { createSnapshots: async (request) => (asked.push(request), []) });
    expect(asked).toEqual([{ instanceId: OLD, description: 'd', tags: { own: 'tag', [TAG.snapshotSet]: '1' } }]);
    expect(filters).toEqual([]);
  });
  test('whose reply holds every volume: that set is canonical', async () => {
    const { rig, ask, answer } = await scene();
    await answer(await ask(), [snapshot(1)]);
    expect(await ask(MADE, sent(1))).toEqual({
      kind: 'note',
      noted: { set: set(1, rig.clock.wallMs()), failedSets: [] },
    });
  });
  test('whose reply lacks a volume: held, as it is not attached any more', async () => {
    const { ask, answer } = await scene();
    await answer(await ask(), [snapshot(1, 'vol-x')]);
    expect(await ask(MADE, sent(1))).toMatchObject({
      ...{ kind: 'hold', reason: 'CaptureFailed', text: expect.stringContaining('vol-1 is no longer attached') },
    });
  });
  test('whose reply holds a volume that was attached since: it is carried too', async () => {
    const { ask, answer, ec2 } = await scene();
    ec2.attached = ['vol-1', 'vol-2'];
    ec2.volumes = [volumeFixture({ volumeId: 'vol-2' })];
    await answer(await ask(), [snapshot(1), snapshot(1, 'vol-2')]);
    expect(await ask(MADE, sent(1))).toMatchObject({
      kind: 'note',
      noted: { set: { beside: [{ volumeId: 'vol-2' }] } },
    });
  });
  test('whose reply could not be noted is kept until it can be', async () => {
    const { ask, answer, ec2 } = await scene();
    await answer(await ask(), [snapshot(1), snapshot(1, 'vol-2')]);
    ec2.attached = [];
    Object.defineProperty(ec2, 'volumes', {
      get: () => {
        throw cloudError('CLOUD_UNAVAILABLE');
      },
      configurable: true,
    });
    await expect(ask(MADE, sent(1))).rejects.toMatchObject({ code: 'CLOUD_UNAVAILABLE' });
    Object.defineProperty(ec2, 'volumes', { value: [] });
    expect(await ask(MADE, sent(1))).toMatchObject({ kind: 'note', noted: { set: { number: 1 } } });
  });
});

describe('a call of which nothing is known', () => {
  const UNKNOWN = came('snapshots', cloudError('CLOUD_OUTCOME_UNKNOWN'));
  test('is looked for by its tags; a complete set is taken', async () => {
    const { run, ask, filters } = await scene({ shown: [snapshot(1)] });
    expect(await ask(null, sent(1))).toMatchObject({ kind: 'note', noted: { set: { number: 1 } } });
    expect(filters).toEqual([{ [`tag:${TAG.op}`]: [run.record.opId] }]);
  });
  test('is looked for twice more, apart, before another is paid for', async () => {
    const { ask } = await scene();
    const looking = { kind: 'wait', text: 'looking for the snapshots', forMs: SPACING_MS };
    expect(await ask(UNKNOWN, sent(1))).toEqual(looking);
    expect(await ask(null, sent(1))).toEqual(looking);
    expect(await ask(null, sent(1))).toMatchObject({ kind: 'act' });
    expect(await ask(UNKNOWN, sent(2))).toEqual(looking);
  });
  test('and whose reply comes after it was given up: looked for all the same', async () => {
    const { ask, answer } = await scene();
    await answer(await ask(), [snapshot(1)]);
    expect(await ask(UNKNOWN, sent(1))).toMatchObject({ kind: 'wait', text: 'looking for the snapshots' });
  });
  test('is not looked for where its set has failed', async () => {
    const { ask } = await scene();
    expect(await ask(null, { ...sent(1), noted: { set: null, failedSets: [1] } })).toMatchObject({ kind: 'act' });
    expect(await ask(null, { ...sent(2), noted: { set: null, failedSets: [1] } })).toMatchObject({ kind: 'wait' });
  });
  test('a set that failed is not taken again', async () => {
    const { ask } = await scene({ shown: [snapshot(1), snapshot(2)] });
    const noted = { set: null, failedSets: [1] };
    expect(await ask(null, { ...sent(2), noted })).toMatchObject({
      ...{ kind: 'note', noted: { set: { number: 2 }, failedSets: [1] } },
    });
  });
});

describe('a call that EC2 refuses', () => {
  const refused = (...args: Parameters<typeof cloudError>) => came('snapshots', cloudError(...args));
  test('because it passes: made again, without a look', async () => {
    const { ask, filters } = await scene();
    expect(await ask(refused('CLOUD_THROTTLED'), sent(1))).toMatchObject({ kind: 'act' });
    expect(await ask(null, sent(1))).toMatchObject({ kind: 'act' });
    expect(filters).toEqual([]);
  });
  test('long after the process began, because it passes: made again', async () =>
    expect(await (await scene()).ask(refused('CLOUD_THROTTLED'), sent(1))).toMatchObject({ kind: 'act' }));
  test('and then one of which nothing is known: looked for', async () => {
    const { ask, filters } = await scene();
    await ask(refused('CLOUD_THROTTLED'), sent(1));
    await ask(came('snapshots', cloudError('CLOUD_OUTCOME_UNKNOWN')), sent(2));
    expect(filters).toHaveLength(1);
  });
  test.each(['MissingParameter', 'InvalidParameterValue'])('for good (%s): held', async (code) => {
    const { ask } = await scene();
    expect(await ask(refused('CLOUD_REJECTED', code), sent(1))).toMatchObject({
      ...{ kind: 'hold', reason: 'CaptureFailed', text: expect.stringMatching(/^EC2 refuses the snapshots: /) },
    });
  });
  test('because it does not know the instance: for a minute; then held', async () => {
    const { rig, ask } = await scene();
    const gone = refused('CLOUD_NOT_FOUND', 'InvalidInstanceID.NotFound');
    expect(await ask(gone, sent(1))).toMatchObject({ kind: 'act' });
    await rig.clock.advance(60_000);
    expect(await ask(gone, sent(2))).toMatchObject({ kind: 'act' });
    await rig.clock.advance(1);
    expect(await ask(gone, sent(3))).toMatchObject({ kind: 'hold', reason: 'CaptureFailed' });
  });
  test('for another reason in between: the minute begins anew', async () => {
    const { rig, ask } = await scene();
    const gone = refused('CLOUD_NOT_FOUND', 'InvalidInstanceID.NotFound');
    await ask(gone, sent(1));
    await rig.clock.advance(60_001);
    await ask(refused('CLOUD_THROTTLED'), sent(2));
    expect(await ask(gone, sent(3))).toMatchObject({ kind: 'act' });
  });
});

describe('sets that fail', () => {
  test('after a yes: the next is asked for at once', async () => {
    const { ask, answer } = await scene();
    await answer(await ask(), [snapshot(1)]);
    await ask(MADE, sent(1));
    expect(await ask(MADE, { ...sent(1), noted: { set: null, failedSets: [1] } })).toMatchObject({ kind: 'act' });
  });
  const tried = async (failedSets: readonly number[], made: readonly number[], held = false) => {
    const all = await scene({ shown: made.map((number) => snapshot(number, 'vol-1', 'error')) });
    all.run.heldAtStart = held;
    return { ...all, move: await all.ask(null, { ...sent(20), noted: { set: null, failedSets: [...failedSets] } }) };
  };
  test('are paid for three times; then held, with how to try again', async () => {
    const { ask } = await scene();
    await ask(null, { ...sent(1), noted: { set: null, failedSets: [1, 2] } });
    const spent = await ask(null, { ...sent(3), noted: { set: null, failedSets: [1, 2, 3] } });
    expect(spent).toMatchObject({ kind: 'hold', reason: 'CaptureFailed' });
    expect(textOf(spent)).toContain('3 of the 3 snapshot sets that EC2 made have failed');
    expect(textOf(spent)).toContain('understudy retry db/one');
  });
  test('or ten sets in all, whatever became of them', async () => {
    const numbers = Array.from({ length: 10 }, (_, index) => index + 1);
    expect((await tried([1], numbers.slice(0, 9), true)).move).toMatchObject({ kind: 'wait' });
    expect((await tried([1], numbers, true)).move).toMatchObject({ kind: 'hold' });
  });
  test('are counted anew once a person has taken the hold away', async () => {
    expect((await tried([1, 2, 3], [1, 2, 3])).move).toMatchObject({ kind: 'wait' });
    expect((await tried([1, 2, 3], [1, 2, 3], true)).move).toMatchObject({ kind: 'hold' });
  });
  test('... for three more', async () => {
    const { ask } = await tried([1, 2, 3], [1, 2, 3]);
    const again = (failedSets: number[]) => ask(null, { ...sent(20), noted: { set: null, failedSets } });
    expect((await again([1, 2, 3, 4, 5])).kind).not.toBe('hold');
    expect(await again([1, 2, 3, 4, 5, 6])).toMatchObject({ kind: 'hold' });
  });
  test('... or up to ten more sets', async () => {
    const ten = Array.from({ length: 10 }, (_, index) => index + 1);
    const { ask, ec2, move } = await tried([1], ten);
    expect(move.kind).not.toBe('hold');
    const again = (count: number) => {
      ec2.shown = Array.from({ length: count }, (_, index) => snapshot(index + 1, 'vol-1', 'error'));
      return ask(null, { ...sent(30), noted: { set: null, failedSets: [1] } });
    };
    expect((await again(19)).kind).not.toBe('hold');
    expect(await again(20)).toMatchObject({ kind: 'hold' });
  });
});

describe('the canonical set', () => {
  const followed = async (state: CloudSnapshot['state'], notedAgoMs = 0) => {
    const all = await scene({ shown: [snapshot(2, 'vol-1', state)] });
    const noted = { set: set(2, all.rig.clock.wallMs() - notedAgoMs), failedSets: [1] };
    return { ...all, noted, follow: () => all.ask(null, { ...sent(2), noted }) };
  };
  test('is done when all of it is complete', async () => {
    const { follow, filters } = await followed('completed');
    const { number, snapshots, beside } = set(2);
    expect(await follow()).toEqual({ kind: 'done', result: { set: number, snapshots, beside } });
    expect(filters).toEqual([{ 'snapshot-id': ['snap-2-vol-1'] }]);
  });
  test('is waited for, with how far it is', async () =>
    expect(await (await followed('pending')).follow()).toMatchObject({ kind: 'wait', percent: 40 }));
  test('that fails is put aside for good', async () =>
    expect(await (await followed('error')).follow()).toEqual({
      kind: 'note',
      noted: { set: null, failedSets: [1, 2] },
    }));
  test('has as long as the policy says from when it was recorded; then it is held, and still followed', async () => {
    const { rig, follow } = await followed('pending', 500_000);
    expect(await follow()).toMatchObject({ kind: 'wait' });
    await rig.clock.advance(100_000);
    expect(await follow()).toMatchObject({ kind: 'wait' });
    await rig.clock.advance(1);
    const late = await follow();
    expect(late).toMatchObject({ kind: 'hold', reason: 'CaptureTimeout' });
    expect(textOf(late)).toContain('the 1 snapshots are not complete after 10 min 0 s');
  });
  test('of long ago gets half a minute from a new leader', async () => {
    const { rig, follow } = await followed('pending', 5_000_000);
    await follow();
    await rig.clock.advance(30_000);
    expect(await follow()).toMatchObject({ kind: 'wait' });
    await rig.clock.advance(1);
    expect(await follow()).toMatchObject({ kind: 'hold' });
  });
  test('that takes the place of a failed one has its own time', async () => {
    const { rig, ask, ec2, noted, follow } = await followed('pending', 500_000);
    await follow();
    ec2.shown = [snapshot(2, 'vol-1', 'error')];
    await follow();
    await rig.clock.advance(200_000);
    ec2.shown = [snapshot(3, 'vol-1', 'pending')];
    const third = { ...noted, set: set(3, rig.clock.wallMs()) };
    expect(await ask(null, { ...sent(3), noted: third })).toMatchObject({ kind: 'wait' });
  });
  test('that never came about is told from one that is not complete', async () => {
    const { step } = await scene();
    const frozen = { request: REQUEST, sends: {}, elapsedMs: 0, conflict: null };
    expect(textOf(step.onTimeout({ ...frozen, noted: null }))).toContain('no set of snapshots could be made');
    expect(textOf(step.onTimeout({ ...frozen, noted: { set: null, failedSets: [1] } }))).toContain('no set');
    expect(textOf(step.onTimeout({ ...frozen, noted: { set: set(1), failedSets: [] } }))).toContain('the 1 snapshots');
  });
});

describe('of an instance that is terminated', () => {
  test('no set can be made: held, with which volumes are left', async () => {
    const { run, ask, ec2, filters } = await scene({ how: 'terminated' });
    const [root] = run.plan.volumes;
    if (!root) throw new Error('a plan without volumes');
    run.plan.volumes.push(
      { ...root, volumeId: 'vol-2' },
      { ...root, volumeId: 'vol-3' },
      { ...root, volumeId: 'vol-4' },
    );
    ec2.volumes = [
      volumeFixture({ volumeId: 'vol-1', state: 'available' }),
      volumeFixture({ volumeId: 'vol-2', state: 'deleting' }),
      volumeFixture({ volumeId: 'vol-3', state: 'deleted' }),
    ];
    const held = await ask();
    expect(held).toMatchObject({ kind: 'hold', reason: 'CaptureFailed' });
    expect(textOf(held)).toContain('volumes deleted with it: vol-2, vol-3, vol-4; still there: vol-1');
    expect(filters).toHaveLength(1);
  });
  test('nothing is left, or everything', async () => {
    const { ask, ec2 } = await scene({ how: 'terminated' });
    expect(textOf(await ask())).toContain('deleted with it: none; still there: vol-1');
    ec2.volumes = [];
    expect(textOf(await ask())).toContain('deleted with it: vol-1; still there: none');
  });
  test('a set that a person or an earlier call made is taken', async () =>
    expect(await (await scene({ how: 'terminated', shown: [snapshot(1)] })).ask()).toMatchObject({
      ...{ kind: 'note', noted: { set: { number: 1 } } },
    }));
});
