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
