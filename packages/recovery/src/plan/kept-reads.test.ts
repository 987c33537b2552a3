import { type Cloud, OperationError } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { KeptReads, KeptReadsOf } from './kept-reads.ts';

/** A cloud that counts its calls and fails those a test names. */
function counted() {
  const calls: string[] = [];
  const failing = new Set<string>();
  const answer = async (name: string, args: readonly unknown[]) => {
    calls.push(name);
    if (failing.has(name)) throw new OperationError('CLOUD_UNAVAILABLE', name);
    return [{ name, args: JSON.stringify(args), call: calls.length }];
  };
  const names = ['describeVolumes', 'describeImages', 'stopInstance'] as const;
  const methods = names.map((name) => [name, (...args: unknown[]) => answer(name, args)] as const);
  return { calls, failing, cloud: Object.fromEntries(methods) as unknown as Cloud };
}

describe('a read that was answered', () => {
  const of = (volumeId: string) => ({ 'volume-id': [volumeId] });
  test('is not asked again for as long as it may be old', async () => {
    const clock = new SimClock();
    const { cloud, calls } = counted();
    const kept = new KeptReads(cloud, clock, 30_000);
    const first = await kept.cloud.describeVolumes(of('vol-1'), { signal: new AbortController().signal });
    await clock.advance(29_999);
    expect(await kept.cloud.describeVolumes(of('vol-1'), { signal: new AbortController().signal })).toEqual(first);
    expect(calls).toHaveLength(1);
    await clock.advance(1);
    expect(await kept.cloud.describeVolumes(of('vol-1'), { signal: new AbortController().signal })).not.toEqual(first);
    expect(calls).toHaveLength(2);
  });
  test('answers the same question only', async () => {
    const { cloud, calls } = counted();
    const kept = new KeptReads(cloud, new SimClock(), 30_000);
    await kept.cloud.describeVolumes(of('vol-1'));
    await kept.cloud.describeVolumes(of('vol-2'));
    await kept.cloud.describeImages(of('vol-1'));
    expect(calls).toEqual(['describeVolumes', 'describeVolumes', 'describeImages']);
  });
  test('a failure is not kept, and what changes something goes through each time', async () => {
    const { cloud, calls, failing } = counted();
    const kept = new KeptReads(cloud, new SimClock(), 30_000);
    failing.add('describeImages');
    await expect(kept.cloud.describeImages({})).rejects.toThrow('CLOUD_UNAVAILABLE');
    await expect(kept.cloud.describeImages({})).rejects.toThrow('CLOUD_UNAVAILABLE');
    await kept.cloud.stopInstance('i-1', { force: true, skipOsShutdown: true });
    await kept.cloud.stopInstance('i-1', { force: true, skipOsShutdown: true });
    expect(calls).toHaveLength(4);
  });
});

test('what was read of an instance is kept until all of it is, and read anew for the next time', async () => {
  const { cloud, calls, failing } = counted();
  const kept = new KeptReadsOf(cloud, new SimClock(), 30_000);
  const work = (one: Cloud) => Promise.all([one.describeVolumes({}), one.describeImages({})]);
  failing.add('describeImages');
  await expect(kept.use('i-1', work)).rejects.toThrow('CLOUD_UNAVAILABLE');
  failing.clear();
  await kept.use('i-1', work);
  expect(calls).toEqual(['describeVolumes', 'describeImages', 'describeImages']);
  await kept.use('i-1', work);
  expect(calls).toHaveLength(5);
});

test('what was read of one instance is kept while another is read', async () => {
  const { cloud, calls, failing } = counted();
  const kept = new KeptReadsOf(cloud, new SimClock(), 30_000);
  const work = (one: Cloud) => Promise.all([one.describeVolumes({}), one.describeImages({})]);
  failing.add('describeImages');
  for (const id of ['i-1', 'i-2', 'i-1', 'i-2']) await expect(kept.use(id, work)).rejects.toThrow('CLOUD_UNAVAILABLE');
  expect(calls.filter((name) => name === 'describeVolumes')).toHaveLength(2);
});

describe('what is kept', () => {
  test('is bounded: with two hundred answers, or as many instances, it begins anew', async () => {
    const clock = new SimClock();
    const { cloud, calls } = counted();
    const kept = new KeptReads(cloud, clock, 30_000);
    const of = (number: number) => kept.cloud.describeVolumes({ 'volume-id': [`vol-${number}`] });
    for (let number = 0; number < 200; number += 1) await of(number);
    await of(0);
    expect(calls).toHaveLength(200);
    await of(200);
    await of(0);
    expect(calls).toHaveLength(202);
    const { cloud: other, calls: asked, failing } = counted();
    const byInstance = new KeptReadsOf(other, clock, 30_000);
    const work = (one: Cloud) => Promise.all([one.describeVolumes({}), one.describeImages({})]);
    failing.add('describeImages');
    const fail = (number: number) => byInstance.use(`i-${number}`, work).catch(() => undefined);
    for (let number = 0; number < 200; number += 1) await fail(number);
    const before = asked.filter((name) => name === 'describeVolumes').length;
    await fail(200);
    await fail(0);
    expect(asked.filter((name) => name === 'describeVolumes').length - before).toBe(2);
  });

  test('is dated by the question: an answer that took long is old when it comes', async () => {
    const clock = new SimClock();
    const { cloud, calls } = counted();
    const slow = {
      ...cloud,
      describeVolumes: async (...args: Parameters<Cloud['describeVolumes']>) => {
        const answer = await cloud.describeVolumes(...args);
        await clock.sleep(20_000);
        return answer;
      },
    };
    const kept = new KeptReads(slow, clock, 30_000);
    await clock.advance(100_000);
    await clock.runUntilSettled(kept.cloud.describeVolumes({}));
    await clock.advance(9_999);
    await clock.runUntilSettled(kept.cloud.describeVolumes({}));
    expect(calls).toHaveLength(1);
    await clock.advance(1);
    await clock.runUntilSettled(kept.cloud.describeVolumes({}));
    expect(calls).toHaveLength(2);
  });

  test('is nothing but answers: what is no call is handed on', () => {
    const { cloud } = counted();
    const named = Object.assign(Object.create(cloud) as Cloud, { region: 'us-east-1' });
    expect(Reflect.get(new KeptReads(named, new SimClock(), 1).cloud, 'region')).toBe('us-east-1');
  });

  test('leaves the end of a cloud that is disposed of to the cloud itself', () => {
    const { cloud } = counted();
    let ended = 0;
    const disposable = Object.assign(cloud, { [Symbol.dispose]: () => (ended += 1) });
    const dispose: unknown = Reflect.get(new KeptReads(disposable, new SimClock(), 1).cloud, Symbol.dispose);
    if (typeof dispose === 'function') dispose();
    expect(ended).toBe(1);
  });
});
