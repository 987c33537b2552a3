import { type PolicyChange } from '@understudy/shared/testing';
import { type CloudAddress } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { cloudError, OLD, RunRig } from '../run.fixtures.ts';
import { replacementInterfaceOf } from '../steps/replacement-place.ts';
import { addressStep } from './elastic-ip.ts';
import { askedFor, asker, LATER_MS, came, make } from '../steps/step.fixtures.ts';

const ID = 'eipalloc-1';
const REQUEST = { allocationId: ID, networkInterfaceId: 'eni-new', associationId: 'as-old' };
const SPACING_MS = 2_000;
const LAG_MS = 60_000;
const POLICY: PolicyChange = { recover: { launchTimeoutMs: 300_000 } };

const address = (part: Partial<CloudAddress> = {}): CloudAddress =>
  ({
    ...{ allocationId: ID, publicIp: '203.0.113.7', associationId: null, networkInterfaceId: null, instanceId: null },
    ...part,
  }) as CloudAddress;
const onOld = address({ associationId: 'as-old', networkInterfaceId: 'eni-old', instanceId: OLD });
const onNew = address({ associationId: 'as-new', networkInterfaceId: 'eni-new', instanceId: 'i-new' });
const elsewhere = address({ associationId: 'as-x', networkInterfaceId: 'eni-x', instanceId: 'i-x' });

/** A replacement that is activated, and where EC2 shows the address. */
async function scene(seen: CloudAddress | null = onOld, owedFrom: readonly string[] = []) {
  const shown = { seen, others: [] as readonly CloudAddress[] };
  const rig = new RunRig({
    policy: POLICY,
    plan: {
      primaryInterfaceId: 'eni-old',
      addresses: [
        { allocationId: 'eipalloc-9', publicIp: '203.0.113.9', associationId: 'as-9' },
        { allocationId: ID, publicIp: '203.0.113.7', associationId: 'as-old', owedFrom: [...owedFrom] },
      ],
    },
    cloud: {
      describeAddresses: async (filters) => {
        expect(askedFor(filters, 'allocation-id')).toEqual([ID]);
        return [...shown.others, ...(shown.seen ? [shown.seen] : [])];
      },
    },
  });
  rig.putStep('launch-1', { state: 'done', request: { networkInterfaceId: 'eni-new', run: { ClientToken: 't' } } });
  await rig.clock.advance(LATER_MS);
  const run = await rig.run();
  const step = addressStep(run, ID);
  const timeout = () => step.onTimeout({ request: REQUEST, sends: {}, noted: null, elapsedMs: 0, conflict: null });
  return { rig, run, step, shown, timeout, ask: asker(rig, step, REQUEST) };
}
const sentBy = async (move: Parameters<typeof make>[0]): Promise<readonly unknown[]> => {
  const sent: unknown[] = [];
  await make(move, {
    associateAddress: async (request) => (sent.push(request), { associationId: 'as-new' }),
    disassociateAddress: async (associationId) => void sent.push(associationId),
  });
  return sent;
};
const PUT = { allocationId: ID, networkInterfaceId: 'eni-new', privateIp: null };

describe('what is recorded before an address is moved', () => {
  test('is the interface of the open attempt, and the association that may be removed', async () => {
    expect(await (await scene()).step.prepare()).toEqual(REQUEST);
    expect(await (await scene(onOld)).step.prepare()).toMatchObject({ associationId: 'as-old' });
  });
  test('is no association of somebody else, and none of an address that is free or not shown', async () => {
    for (const seen of [elsewhere, address(), null])
      expect(await (await scene(seen)).step.prepare()).toMatchObject({ associationId: null });
  });
  test('is an association with an instance that an earlier recovery of the member retired', async () => {
    const onOlder = address({ associationId: 'as-1', networkInterfaceId: 'eni-1', instanceId: 'i-older' });
    expect(await (await scene(onOlder, ['i-older'])).step.prepare()).toMatchObject({ associationId: 'as-1' });
    expect(await (await scene(onOlder)).step.prepare()).toMatchObject({ associationId: null });
  });
  test('is, where EC2 names no instance, the association that the plan saw on the old interface', async () => {
    const nameless = address({ associationId: 'as-old', networkInterfaceId: 'eni-old' });
    expect(await (await scene(nameless)).step.prepare()).toMatchObject({ associationId: 'as-old' });
    expect(await (await scene({ ...nameless, associationId: 'as-2' })).step.prepare()).toMatchObject({
      associationId: null,
    });
  });
  test('rests on a launch that is recorded', async () => {
    const { rig } = await scene();
    rig.putStep('revoke-1', { state: 'done' });
    const run = await rig.run();
    expect(() => replacementInterfaceOf(run)).toThrow('launch 2 is not recorded');
  });
  test('an address of a plan that does not know it is on nobody who was fenced by its interface', async () => {
    const { run } = await scene(address({ associationId: 'as-3', networkInterfaceId: 'eni-old' }));
    expect(await addressStep(run, ID).prepare()).toMatchObject({ associationId: null });
    run.plan.addresses.splice(0);
    expect(await addressStep(run, ID).prepare()).toMatchObject({ associationId: null });
  });
});

describe('an address', () => {
  test('is taken off the fenced instance by exactly the recorded association', async () =>
    expect(await sentBy(await (await scene()).ask())).toEqual(['as-old']));
  test('is put on the replacement at once after that', async () => {
    const { ask, shown } = await scene();
    shown.seen = null;
    expect(await sentBy(await ask(came('disassociate')))).toEqual([PUT]);
  });
  test('whose removal failed is looked at again', async () =>
    expect(await sentBy(await (await scene()).ask(came('disassociate', cloudError('CLOUD_THROTTLED'))))).toEqual([
      'as-old',
    ]));
  test('that is free is put on the replacement', async () =>
    expect(await sentBy(await (await scene(address())).ask())).toEqual([PUT]));
  test('that is there is done, also where another answer shows others', async () => {
    const { ask, shown } = await scene(onNew);
    shown.others = [address({ allocationId: 'eipalloc-9' })];
    expect(await ask()).toEqual({ kind: 'done', result: { associationId: 'as-new' } });
  });
  test('with another association on the fenced instance: that is recorded before it is removed', async () => {
    const { ask } = await scene({ ...onOld, associationId: 'as-2' });
    expect(await ask()).toEqual({ kind: 'note', noted: { associationId: 'as-2' } });
    expect(await sentBy(await ask(null, { noted: { associationId: 'as-2' } }))).toEqual(['as-2']);
  });
  test('after a yes: an older picture is no reason to act, for two seconds', async () => {
    const { rig, ask } = await scene();
    expect(await ask(came('associate'))).toMatchObject({
      ...{ kind: 'wait', text: 'waiting to see 203.0.113.7 on the replacement' },
    });
    await rig.clock.advance(SPACING_MS - 1);
    expect(await ask()).toMatchObject({ kind: 'wait' });
    await rig.clock.advance(1);
    expect(await ask()).toMatchObject({ kind: 'act' });
  });
  test('after a yes, and not shown, is named by its id', async () =>
    expect(await (await scene(null)).ask(came('associate'))).toMatchObject({
      text: `waiting to see ${ID} on the replacement`,
    }));
  test('whose association failed is asked for again at once', async () =>
    expect(await (await scene(address())).ask(came('associate', cloudError('CLOUD_THROTTLED')))).toMatchObject({
      kind: 'act',
    }));
  test('that EC2 refuses to move is held', async () =>
    expect(await (await scene()).ask(came('associate', cloudError('CLOUD_REJECTED')))).toMatchObject({
      ...{ kind: 'hold', reason: 'CloudRejected', text: expect.stringMatching(/^eipalloc-1: /) },
    }));
});

describe('an address that somebody else holds', () => {
  test('is held for, after two looks apart; with who has it and how to give it up', async () => {
    const { rig, ask } = await scene(elsewhere);
    expect(await ask()).toMatchObject({
      ...{ kind: 'wait', forMs: SPACING_MS, text: expect.stringContaining('looking once more') },
    });
    await rig.clock.advance(SPACING_MS - 1);
    expect(await ask()).toMatchObject({ kind: 'wait' });
    await rig.clock.advance(1);
    const held = await ask();
    expect(held).toMatchObject({ kind: 'hold', reason: 'AddressHeldElsewhere' });
    const text = held.kind === 'hold' ? held.text : '';
    expect(text).toContain('is associated with i-x');
    expect(text).toContain(`understudy accept-loss db/one address:${ID} --reason TEXT`);
  });
  test('and gives it back in between: the two looks begin anew', async () => {
    const { rig, ask, shown } = await scene(elsewhere);
    await ask();
    shown.seen = null;
    await ask();
    shown.seen = elsewhere;
    await rig.clock.advance(SPACING_MS);
    expect(await ask()).toMatchObject({ kind: 'wait' });
  });
  test('when the time is over is told from one that was not seen', async () => {
    const held = await scene(elsewhere);
    await held.ask();
    expect(held.timeout()).toMatchObject({ kind: 'hold', reason: 'AddressHeldElsewhere' });
    const unseen = await scene(null);
    await unseen.ask();
    expect(unseen.timeout()).toMatchObject({
      ...{
        kind: 'hold',
        reason: 'CloudUnavailable',
        text: expect.stringContaining(`accept-loss db/one address:${ID}`),
      },
    });
  });
});

describe('an address that is not shown', () => {
  const RELEASED = came('associate', cloudError('CLOUD_NOT_FOUND', 'InvalidAllocationID.NotFound'));
  test('is waited for a minute, and then dared: the call is conditional', async () => {
    const { rig, ask } = await scene(null);
    expect(await ask()).toEqual({ kind: 'wait', text: `EC2 does not show ${ID}` });
    await rig.clock.advance(LAG_MS - 1);
    expect(await ask()).toMatchObject({ kind: 'wait' });
    await rig.clock.advance(1);
    expect(await sentBy(await ask())).toEqual([PUT]);
  });
  test('and that EC2 says does not exist: lost, once that is believed', async () => {
    const { rig, ask } = await scene(null);
    expect(await ask(RELEASED)).toMatchObject({ kind: 'wait' });
    await rig.clock.advance(LAG_MS - 1);
    expect(await ask(RELEASED)).toMatchObject({ kind: 'wait' });
    await rig.clock.advance(1);
    expect(await ask(came('disassociate', RELEASED.error))).toMatchObject({ kind: 'act' });
    expect(
      await ask(came('associate', cloudError('CLOUD_NOT_FOUND', 'InvalidNetworkInterfaceID.NotFound'))),
    ).toMatchObject({ kind: 'act' });
    expect(await ask(RELEASED)).toEqual({
      kind: 'done',
      result: { lost: `${ID} does not exist any more: it was released` },
    });
  });
  test('and then is: the minute begins anew', async () => {
    const { rig, ask, shown } = await scene(null);
    await ask();
    shown.seen = elsewhere;
    await ask();
    shown.seen = null;
    await rig.clock.advance(LAG_MS);
    expect(await ask(RELEASED)).toMatchObject({ kind: 'wait' });
  });
  test('has as long as a launch may take, and a successor long enough to believe an absence', async () => {
    const { step } = await scene(null);
    expect(step.limitMs).toBe(300_000);
    expect(step.floorMs).toBe(90_000);
  });
});
