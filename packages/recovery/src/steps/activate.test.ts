import { type ActivationRecord, type InstanceState, type KvEntry, serializeRecord } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { instanceFixture } from '../core/plan.fixture.ts';
import { activationRecord } from '@understudy/shared/testing';
import { heard, KEYS, MEMBER, OLD, RunRig } from '../run.fixtures.ts';
import { activateStep, replacementOf } from './activate.ts';
import { askedFor, asker } from './step.fixtures.ts';

const REQUEST = { instanceId: 'i-new' };

/** A replacement that was verified, and the state EC2 shows of the old instance. */
async function scene(state: InstanceState | null = 'stopped', how: 'stopped' | 'terminated' | 'lease' = 'stopped') {
  const seen = { state, others: [] as readonly string[] };
  const rig = new RunRig({
    cloud: {
      describeInstances: async (filters) => [
        ...seen.others.map((instanceId) => instanceFixture({ instanceId, state: 'running' })),
        ...(seen.state === null
          ? []
          : askedFor(filters, 'instance-id').map((instanceId) =>
              instanceFixture({ instanceId, state: seen.state ?? 'running' }),
            )),
      ],
    },
  });
  rig.putStep('fence', { state: 'done', result: { how } });
  rig.putStep('verify-1', { state: 'done', result: { instanceId: 'i-new' } });
  const run = await rig.run();
  const step = activateStep(run);
  return { rig, run, step, seen, ask: asker(rig, step, REQUEST) };
}

describe('who is activated', () => {
  test('is the instance that the open attempt verified', async () => {
    const { rig, step } = await scene();
    expect(await step.prepare()).toEqual(REQUEST);
    rig.putStep('revoke-1', { state: 'done' });
    const later = await rig.run();
    expect(() => replacementOf(later)).toThrow('attempt 2 is not verified');
  });
  test('is nobody whose verification failed', async () => {
    const { rig } = await scene();
    rig.putStep('verify-1', { state: 'failed', result: { failure: 'instance' } });
    const run = await rig.run();
    expect(() => replacementOf(run)).toThrow('attempt 1 is not verified');
  });
});

describe('the activation', () => {
  test('is one transaction against the activation the plan was based on', async () => {
    const { run, ask } = await scene();
    const { opId, activationModRevision } = run.record;
    expect(await ask()).toEqual({
      ...{ kind: 'done', result: { instanceId: 'i-new', incarnation: 2 } },
      alongside: {
        puts: [
          {
            ...{ key: KEYS.activation(MEMBER), expect: activationModRevision },
            record: { member: MEMBER, incarnation: 2, instanceId: 'i-new', opId, ordinal: 0 },
          },
        ],
      },
    });
  });
  test.each<[InstanceState | null, string]>([
    ['stopped', 'done'],
    ['terminated', 'done'],
    [null, 'done'],
    ['stopping', 'wait'],
    ['shutting-down', 'wait'],
    ['running', 'hold'],
    ['pending', 'hold'],
  ])('while EC2 shows the old instance %s: %s', async (state, kind) => {
    const { ask } = await scene(state);
    expect(await ask()).toMatchObject({ kind });
  });
  test('is not made over an old instance that was started again: held, with how to go on', async () => {
    const { ask } = await scene('running');
    expect(await ask()).toMatchObject({
      ...{ reason: 'FenceNotProven', text: expect.stringContaining(`${OLD} was started again after it was fenced`) },
    });
  });
  test('does not mind that another instance runs', async () => {
    const { ask, seen } = await scene();
    seen.others = ['i-x'];
    expect(await ask()).toMatchObject({ kind: 'done' });
  });
  test('after a lease was waited out: the old one may run, but not say that it serves', async () => {
    const { rig, ask } = await scene('running', 'lease');
    expect(await ask()).toMatchObject({ kind: 'done' });
    rig.readings.set(OLD, heard({ serving: true, lastHeardAtMs: rig.clock.monotonicMs() }));
    expect((await ask()).kind).toBe('hold');
  });
  test('that does not come about in five minutes is held', async () => {
    const { step } = await scene();
    expect(step.limitMs).toBe(300_000);
    const frozen = { request: REQUEST, sends: {}, noted: null, elapsedMs: 300_001, conflict: null };
    expect(step.onTimeout(frozen)).toMatchObject({ kind: 'hold', reason: 'FenceNotProven' });
  });
});

describe('an activation that has changed since', () => {
  const conflict = async (over: Partial<ActivationRecord> | null) => {
    const { run, ask } = await scene('running');
    const value = over && serializeRecord({ ...activationRecord(MEMBER, 'i-new', 2), opId: run.record.opId, ...over });
    const entry = value === null ? null : ({ key: KEYS.activation(MEMBER), value, modRevision: 9 } as KvEntry);
    return ask(null, { conflict: [entry] });
  };
  test('to what we wrote, and whose reply was lost: done', async () =>
    expect(await conflict({})).toEqual({ kind: 'done', result: { instanceId: 'i-new', incarnation: 2 } }));
  test.each<[string, Partial<ActivationRecord> | null, string]>([
    ['by another recovery', { opId: 'op-x' }, 'the activation names i-new (incarnation 2)'],
    ['to another instance', { instanceId: 'i-x', incarnation: 3 }, 'the activation names i-x (incarnation 3)'],
    ['to nothing', null, 'the activation this recovery is based on is gone'],
  ])('%s: held, and nothing is taken', async (_, over, text) =>
    expect(await conflict(over)).toMatchObject({
      ...{ kind: 'hold', reason: 'ClaimAgainstActivation', text: expect.stringContaining(text) },
    }),
  );
  test('to a record that says nothing sensible: an error', async () =>
    expect(conflict({ incarnation: 0 })).rejects.toMatchObject({ code: 'RECORD_UNREADABLE' }));
});
