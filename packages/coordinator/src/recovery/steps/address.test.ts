import type { Cloud, CloudAddress } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import type { Attempt, Move } from '../effect.ts';
import { answered, frozen } from '../effect.fixtures.ts';
import { cloudError, MEMBER, OLD, putThrough, RunRig } from '../run.fixtures.ts';
import { addressStep, replacementInterfaceOf } from './address.ts';

const ID = 'eipalloc-1';
const REQUEST = { allocationId: ID, networkInterfaceId: 'eni-1', associationId: 'as-old' };
const address = (over: Partial<CloudAddress> = {}): CloudAddress => ({
  ...{ allocationId: ID, publicIp: '1.2.3.4', associationId: null, networkInterfaceId: null, instanceId: null },
  ...{ privateIp: null, tags: {} },
  ...over,
});
const ON_OLD = address({ associationId: 'as-old', networkInterfaceId: 'eni-old', instanceId: OLD });
const ON_NEW = address({ associationId: 'as-new', networkInterfaceId: 'eni-1', instanceId: 'i-new' });
const ON_OTHER = address({ associationId: 'as-x', networkInterfaceId: 'eni-x', instanceId: 'i-x' });

/** The step, with what EC2 shows of the address. */
async function stage(shown: CloudAddress | null = null, planned: object = {}) {
  const cloud: { shown: CloudAddress | null; asked: unknown[] } = { shown, asked: [] };
  const describeAddresses: Cloud['describeAddresses'] = async (filters) => {
    cloud.asked.push(filters);
    return [address({ allocationId: 'eipalloc-x' }), ...(cloud.shown ? [cloud.shown] : [])];
  };
  const plan = {
    addresses: [
      { allocationId: 'eipalloc-x', publicIp: '9.9.9.9', associationId: 'as-x', owedFrom: ['i-x'] },
      { allocationId: ID, publicIp: '1.2.3.4', associationId: 'as-old', ...planned },
    ],
    primaryInterfaceId: 'eni-old',
  };
  const rig = new RunRig({ cloud: { describeAddresses }, plan });
  putThrough(rig, 'activate');
  const run = await rig.run();
  const step = addressStep(run, ID);
  const next = (last: Attempt | null = null, over: object = {}): Promise<Move<'address'>> =>
    rig.clock.runUntilSettled(step.next(frozen<'address'>(REQUEST, over), last));
  return { rig, run, step, next, cloud };
}
const callsOf = async (move: Move<'address'>): Promise<unknown[]> => {
  const calls: unknown[] = [];
  const record =
    (name: string) =>
    async (...args: unknown[]) =>
      void calls.push([name, args[0]]);
  const cloud = new Proxy({} as Cloud, { get: (_, name) => record(String(name)) });
  if (move.kind === 'act') for (const call of move.calls) await call.run(cloud, {}, 1);
  return calls;
};
const ASSOCIATE = ['associateAddress', { allocationId: ID, networkInterfaceId: 'eni-1', privateIp: null }];

describe('what is recorded before anything is moved', () => {
  test.each([
    ['the association on the old instance', ON_OLD, 'as-old'],
    ['none, where somebody else has it', ON_OTHER, null],
    ['none, where it is free', address(), null],
    ['none, where EC2 does not show it', null, null],
  ])('is %s', async (_name, shown, associationId) => {
    const { step, cloud } = await stage(shown);
    expect(await step.prepare()).toEqual({ ...REQUEST, associationId });
    expect(cloud.asked).toEqual([{ 'allocation-id': [ID] }]);
  });

  test('is the association an earlier recovery owes, and that of the plan where EC2 names no instance', async () => {
    const owed = await stage(ON_OTHER, { owedFrom: ['i-x'] });
    expect(await owed.step.prepare()).toMatchObject({ associationId: 'as-x' });
    const nameless = await stage({ ...ON_OLD, instanceId: null });
    expect(await nameless.step.prepare()).toMatchObject({ associationId: 'as-old' });
    const unplanned = await stage({ ...ON_OLD, instanceId: null, associationId: 'as-later' });
    expect(await unplanned.step.prepare()).toMatchObject({ associationId: null });
  });

  test('the interface is that of the present attempt', async () => {
    const { run } = await stage();
    expect(replacementInterfaceOf(run)).toBe('eni-1');
    const rig = new RunRig();
    rig.putStep('launch-1');
    const bare = await rig.run();
    expect(() => replacementInterfaceOf(bare)).toThrow('launch 1 is not recorded');
    const empty = await new RunRig().run();
    expect(() => replacementInterfaceOf(empty)).toThrow('launch 1 is not recorded');
  });

  test('an address that the plan does not have is taken from the old instance only', async () => {
    const { run } = await stage();
    const other = addressStep(run, 'eipalloc-unplanned');
    expect(await other.prepare()).toMatchObject({ associationId: null });
  });
});

describe('an address', () => {
  test('on the replacement is done', async () => {
    expect(await (await stage(ON_NEW)).next()).toEqual({ kind: 'done', result: { associationId: 'as-new' } });
  });

  test('on the old instance is taken off by exactly the association on record', async () => {
    const move = await (await stage(ON_OLD)).next();
    expect(move).toMatchObject({ kind: 'act', text: expect.stringContaining('1.2.3.4') });
    expect(await callsOf(move)).toEqual([['disassociateAddress', 'as-old']]);
  });

  test('on the old instance by another association is recorded first; then that one goes', async () => {
    const { next, cloud } = await stage(ON_OLD);
    cloud.shown = { ...ON_OLD, associationId: 'as-later' };
    expect(await next()).toEqual({ kind: 'note', noted: { associationId: 'as-later' } });
    expect(await callsOf(await next(null, { noted: { associationId: 'as-later' } }))).toEqual([
      ['disassociateAddress', 'as-later'],
    ]);
  });

  test('that is free is put on the replacement', async () => {
    expect(await callsOf(await (await stage(address())).next())).toEqual([ASSOCIATE]);
  });

  test('that EC2 has just taken off is put on without another look', async () => {
    const { next, cloud } = await stage(ON_OLD);
    expect(await callsOf(await next(answered('disassociate')))).toEqual([ASSOCIATE]);
    expect(cloud.asked).toEqual([]);
    const failed = await next(answered('disassociate', cloudError('CLOUD_OUTCOME_UNKNOWN')));
    expect(await callsOf(failed), 'a failure proves nothing').toEqual([['disassociateAddress', 'as-old']]);
  });

  test('that was put on is given time to show, and then moved again', async () => {
    const { rig, next, cloud } = await stage(address());
    await rig.clock.advance(100_000);
    expect(await next(answered('associate'))).toMatchObject({ kind: 'wait', text: expect.stringContaining('1.2.3.4') });
    await rig.clock.advance(1_999);
    cloud.shown = null;
    expect(await next()).toMatchObject({ kind: 'wait', text: expect.stringContaining(ID) });
    cloud.shown = address();
    await rig.clock.advance(1);
    expect((await next()).kind).toBe('act');
  });

  test('whose association failed is not waited for', async () => {
    const { next } = await stage(address());
    expect((await next(answered('associate', cloudError('CLOUD_OUTCOME_UNKNOWN')))).kind).toBe('act');
  });
});

describe('an address that somebody else has', () => {
  const held = { kind: 'hold', reason: 'AddressHeldElsewhere' };

  test('is looked at twice, two seconds apart, and then it is for a person; with the way out', async () => {
    const { rig, next } = await stage(ON_OTHER);
    await rig.clock.advance(100_000);
    expect(await next()).toMatchObject({ kind: 'wait', forMs: 2_000, text: expect.stringContaining('once more') });
    await rig.clock.advance(1_999);
    expect((await next()).kind).toBe('wait');
    await rig.clock.advance(1);
    const move = await next();
    expect(move).toMatchObject({ ...held, text: expect.stringContaining('i-x') });
    expect(move).toMatchObject({ text: expect.stringContaining(`understudy accept-loss ${MEMBER} address:${ID}`) });
  });

  test('counts anew after a look that showed it elsewhere', async () => {
    const { rig, next, cloud } = await stage(ON_OTHER);
    await next();
    cloud.shown = ON_OLD;
    await rig.clock.advance(1_000);
    await next();
    cloud.shown = ON_OTHER;
    await rig.clock.advance(1_000);
    expect((await next()).kind).toBe('wait');
  });
});

describe('an address that EC2 does not show', () => {
  const GONE = cloudError('CLOUD_NOT_FOUND', 'InvalidAllocationID.NotFound');

  test('is waited for as long as describes lag; then the conditional call asks for it', async () => {
    const { rig, next } = await stage(null);
    await rig.clock.advance(100_000);
    expect(await next()).toMatchObject({ kind: 'wait', text: expect.stringContaining(ID) });
    await rig.clock.advance(59_999);
    expect((await next()).kind).toBe('wait');
    await rig.clock.advance(1);
    expect(await callsOf(await next())).toEqual([ASSOCIATE]);
    expect(await next(answered('associate', GONE))).toEqual({
      kind: 'done',
      result: { lost: expect.stringContaining('released') },
    });
  });

  test('is not lost at one word of EC2, nor by another error', async () => {
    const { rig, next } = await stage(null);
    expect((await next(answered('associate', GONE))).kind).toBe('wait');
    await rig.clock.advance(60_000);
    await next();
    expect(
      (await next(answered('associate', cloudError('CLOUD_NOT_FOUND', 'InvalidNetworkInterfaceID.NotFound')))).kind,
    ).toBe('act');
    expect((await next(answered('disassociate', GONE))).kind).toBe('act');
    expect((await next(answered('associate'))).kind).toBe('wait');
  });

  test('counts anew after a look that showed it', async () => {
    const { rig, next, cloud } = await stage(null);
    await next();
    cloud.shown = ON_OTHER;
    await rig.clock.advance(60_000);
    await next();
    cloud.shown = null;
    expect((await next()).kind).toBe('wait');
  });
});

describe('what ends the step', () => {
  test('a refusal is for a person', async () => {
    const { next } = await stage(address());
    expect(
      await next(answered('associate', cloudError('CLOUD_REJECTED', 'InvalidParameterCombination'))),
    ).toMatchObject({
      ...{ kind: 'hold', reason: 'CloudRejected', text: expect.stringContaining('InvalidParameterCombination') },
    });
  });

  test('its limit: who holds it is said only if it was seen', async () => {
    const { rig, step, next } = await stage(ON_OTHER);
    expect([step.limitMs, step.floorMs]).toEqual([rig.intent.record.plan.policy.launchTimeoutMs, 90_000]);
    const end = () => step.onTimeout(frozen<'address'>(REQUEST));
    expect(end()).toMatchObject({
      kind: 'hold',
      reason: 'CloudUnavailable',
      text: expect.stringContaining('accept-loss'),
    });
    await next();
    expect(end()).toMatchObject({ reason: 'AddressHeldElsewhere' });
  });
});
