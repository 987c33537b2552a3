import { type Cloud, type CloudFilters, clientTokenOf, OperationError, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { lookForLaunch, severalFound } from './look-for-launch.ts';
import { cloudError, cloudInstance, OLD, RunRig } from '../run.fixtures.ts';

const TOKEN = clientTokenOf(OLD, 'launch', 2, 3);
const DOWN = cloudError('CLOUD_UNAVAILABLE');
type Shown = string | null | Error;

/** What each of the three reads shows: an instance, nothing, or an error. */
async function look(shown: { token?: Shown; tags?: Shown; permit?: Shown }) {
  const asked: CloudFilters[] = [];
  const answer = (what: Shown = null) => {
    if (what instanceof Error) throw what;
    return what === null ? [] : [what];
  };
  const describeInstances: Cloud['describeInstances'] = async (filters) => {
    asked.push(filters);
    const what = 'client-token' in filters ? shown.token : shown.tags;
    return answer(what).map((id) => cloudInstance(id, { clientToken: TOKEN }));
  };
  const describeNetworkInterfaces = async (filters: CloudFilters) => {
    asked.push(filters);
    return answer(shown.permit).map(
      (id) => ({ networkInterfaceId: 'eni-2', attachedInstanceId: id === 'free' ? null : id }) as never,
    );
  };
  const rig = new RunRig({ cloud: { describeInstances, describeNetworkInterfaces }, intent: { ordinal: 3 } });
  const run = await rig.run();
  return { rig, run, asked, finding: () => rig.clock.runUntilSettled(lookForLaunch(run, 2, 'eni-2')) };
}

describe('what an attempt launched', () => {
  test('is looked for by its token, by its tags, and by its permit', async () => {
    const { rig, asked, finding } = await look({});
    expect(await finding()).toEqual({ kind: 'none' });
    expect(asked).toEqual([
      { 'client-token': [TOKEN] },
      { [`tag:${TAG.op}`]: [rig.opId], [`tag:${TAG.attempt}`]: ['2'] },
      { 'network-interface-id': ['eni-2'] },
    ]);
  });

  test.each([
    ['token', { token: 'i-1', tags: DOWN, permit: DOWN }],
    ['tags', { token: DOWN, tags: 'i-1', permit: DOWN }],
    ['permit', { token: DOWN, tags: DOWN, permit: 'i-1' }],
  ] as const)('is found by its %s alone, though the other looks fail', async (_name, shown) => {
    const { rig, finding } = await look(shown);
    expect(await finding()).toEqual({ kind: 'launched', instanceId: 'i-1' });
    expect(rig.log.linesOf('recovery.launch_found_in_part')).toHaveLength(1);
  });

  test.each([['token'], ['tags'], ['permit']] as const)(
    'is not known to be nothing where the look by its %s failed',
    async (name) => {
      const { rig, finding } = await look({ [name]: DOWN });
      await expect(finding()).rejects.toBe(DOWN);
      expect(rig.log.linesOf('recovery.launch_found_in_part')).toEqual([]);
    },
  );

  test('is nothing where the permit is there and free', async () => {
    const { rig, finding } = await look({ permit: 'free' });
    expect(await finding()).toEqual({ kind: 'none' });
    expect(rig.log.linesOf('recovery.launch_found_in_part')).toEqual([]);
  });

  test('is for a person where there are several', async () => {
    const { finding } = await look({ token: 'i-1', permit: 'i-2' });
    expect(await finding()).toEqual({ kind: 'several', instanceIds: ['i-1', 'i-2'] });
    expect(severalFound(['i-1', 'i-2'])).toEqual({
      ...{
        kind: 'hold',
        reason: 'TwoInstancesClaimMember',
        text: 'one launch attempt shows several instances: i-1, i-2',
      },
    });
  });

  test('is not concluded by a mistake of ours, nor after the end of the run', async () => {
    const broken = await look({ token: 'i-1', permit: new TypeError('ours') });
    await expect(broken.finding()).rejects.toThrow('ours');
    const ended = await look({ token: 'i-1' });
    ended.run.stop(new Error('the run ends'));
    await expect(ended.finding()).rejects.toThrow('the run ends');
  });

  test('is not concluded of a run that ends while it looks: whoever leads now may have revoked it', async () => {
    const lost = new OperationError('LEASE_LOST', 'the term ends');
    const looking = await look({ permit: 'i-1' });
    looking.asked.push = (...filters) => {
      if (filters.some((one) => 'network-interface-id' in one)) looking.run.stop(lost);
      return filters.length;
    };
    await expect(looking.finding()).rejects.toBe(lost);
  });
});
