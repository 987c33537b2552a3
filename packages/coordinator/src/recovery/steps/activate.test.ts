import type { Cloud, InstanceState } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { activationRecord, entryOf } from '../../leader/records.fixtures.ts';
import { frozen } from '../effect.fixtures.ts';
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
  RunRig,
} from '../run.fixtures.ts';
import { activateStep, replacementOf } from './activate.ts';

const REQUEST = { instanceId: NEW };

/** The step, once a replacement is verified. */
async function stage(cloud: Partial<Cloud> = {}, how: 'stopped' | 'lease' = 'stopped') {
  const rig = new RunRig({ cloud, intent: { activationModRevision: 42, oldIncarnation: 6 } });
  putThrough(rig, 'verify-1', { fence: { result: { how } } });
  const run = await rig.run();
  const step = activateStep(run);
  const next = (over: object = {}) => rig.clock.runUntilSettled(step.next(frozen<'activate'>(REQUEST, over), null));
  return { rig, run, step, next };
}
const seen = (state: InstanceState): Partial<Cloud> => ({
  describeInstances: async () => [cloudInstance('i-other'), cloudInstance(OLD, { state })],
});

describe('the replacement', () => {
  test('is the instance the verified attempt launched', async () => {
    const { run, step } = await stage();
    expect(replacementOf(run)).toBe(NEW);
    expect(await step.prepare()).toEqual(REQUEST);
  });

  test('is nobody while the present attempt is not verified', async () => {
    const rig = new RunRig();
    const notVerified = async () => replacementOf(await rig.run());
    await expect(notVerified()).rejects.toThrow('attempt 1 is not verified');
    rig.putStep('verify-1', { state: 'failed', result: { failure: 'instance' } });
    await expect(notVerified()).rejects.toThrow('attempt 1 is not verified');
    rig.putStep('revoke-1', {
      state: 'done',
      request: REVOKE_REQUEST,
      result: { instanceTerminated: true, permitGone: true },
    });
    await expect(notVerified()).rejects.toThrow('attempt 2 is not verified');
  });
});

describe('activating', () => {
  test.each(['stopped', 'terminated'] as const)(
    'names the replacement while the old instance is %s: one write against the activation of the plan',
    async (state) => {
      const { rig, next } = await stage(seen(state));
      const record = { member: MEMBER, incarnation: 7, instanceId: NEW, opId: rig.opId };
      expect(await next()).toEqual({
        ...{ kind: 'done', result: { instanceId: NEW, incarnation: 7 } },
        alongside: { puts: [{ key: KEYS.activation(MEMBER), expect: 42, record }] },
      });
    },
  );

  test('goes on where EC2 does not show the old instance any more: it was seen fenced', async () => {
    const { next } = await stage({ describeInstances: async () => [cloudInstance('i-other')] });
    expect((await next()).kind).toBe('done');
  });

  test.each(['stopping', 'shutting-down'] as const)('waits while it is %s', async (state) => {
    expect(await (await stage(seen(state))).next()).toMatchObject({
      kind: 'wait',
      text: expect.stringContaining(state),
    });
  });

  test.each(['running', 'pending'] as const)('is for a person when it is %s again', async (state) => {
    const hold = { kind: 'hold', reason: 'FenceNotProven', text: expect.stringContaining(`${OLD} was started again`) };
    expect(await (await stage(seen(state))).next()).toMatchObject(hold);
  });

  test('does not go on where it cannot be read', async () => {
    const { next } = await stage({ describeInstances: () => Promise.reject(cloudError('CLOUD_UNAVAILABLE')) });
    await expect(next()).rejects.toMatchObject({ code: 'CLOUD_UNAVAILABLE' });
  });

  test('asks for the old instance only', async () => {
    const asked: unknown[] = [];
    const describeInstances: Cloud['describeInstances'] = async (filters) => {
      asked.push(filters);
      return [];
    };
    await (await stage({ describeInstances })).next();
    expect(asked).toEqual([{ 'instance-id': [OLD] }]);
  });
});

describe('after a lease was waited out', () => {
  test('the old instance may run, and is not looked for', async () => {
    expect((await (await stage({}, 'lease')).next()).kind).toBe('done');
  });

  test('it must not say that it serves', async () => {
    const { rig, next } = await stage({}, 'lease');
    rig.readings.set(OLD, heard({ serving: true }));
    expect(await next()).toMatchObject({ kind: 'hold', reason: 'FenceNotProven' });
  });
});

describe('another activation than that of the plan', () => {
  const conflict = async (over: object | null) => {
    const { rig, next } = await stage();
    const record = { ...activationRecord(MEMBER, NEW, 7), opId: rig.opId, ...over };
    return next({ conflict: [over === null ? null : entryOf(KEYS.activation(MEMBER), record, 50)] });
  };

  test('that is our own, with the reply lost, is the activation', async () => {
    expect(await conflict({})).toEqual({ kind: 'done', result: { instanceId: NEW, incarnation: 7 } });
  });

  test.each([
    ['of another recovery', { opId: 'op-other' }, 'the activation names i-new (incarnation 7)'],
    ['of another instance', { instanceId: 'i-third' }, 'the activation names i-third'],
    ['that is gone', null, 'is gone'],
  ])('%s is for a person', async (_name, over, text) => {
    const hold = { kind: 'hold', reason: 'ClaimAgainstActivation', text: expect.stringContaining(text) };
    expect(await conflict(over)).toMatchObject(hold);
  });

  test('that cannot be read is no activation', async () => {
    const { next } = await stage();
    const broken = entryOf(KEYS.activation(MEMBER), { ...activationRecord(MEMBER, NEW), incarnation: 0 }, 50);
    await expect(next({ conflict: [broken] })).rejects.toMatchObject({ code: 'RECORD_UNREADABLE' });
  });
});

test('after five minutes a person is told that the old instance does not stay stopped', async () => {
  const { step } = await stage();
  expect(step.limitMs).toBe(300_000);
  expect(step.onTimeout(frozen<'activate'>(REQUEST))).toMatchObject({
    kind: 'hold',
    reason: 'FenceNotProven',
    text: expect.stringContaining(OLD),
  });
});
