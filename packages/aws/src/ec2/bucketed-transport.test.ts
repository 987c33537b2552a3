import { OperationError } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { BucketedTransport, type BucketedTransportOptions } from './bucketed-transport.ts';
import type { Ec2Transport } from '../transport/transport.ts';

/** A transport that notes each call with its time, and answers with `answer`. */
function bench(options: Partial<BucketedTransportOptions> = {}, answer: Ec2Transport = () => Promise.resolve({})) {
  const clock = new SimClock();
  const sent: { readonly action: string; readonly atMs: number }[] = [];
  const inner: Ec2Transport = (action, input, callOptions) => {
    sent.push({ action, atMs: clock.monotonicMs() });
    return answer(action, input, callOptions);
  };
  return { clock, sent, buckets: new BucketedTransport(inner, { clock, share: 1, ...options }) };
}
const throttled = () => Object.assign(new Error('slow down'), { name: 'RequestLimitExceeded' });
const run = { mutating: true };
const times = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('bucketed transport', () => {
  it("keeps RunInstances to 5 at once and then 2 per second, EC2's own limit", async () => {
    const { clock, sent, buckets } = bench();
    const all = Promise.all(times(9).map((n) => buckets.send('RunInstances', { n }, run)));
    await clock.runUntilSettled(all);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 0, 0, 0, 0, 500, 1000, 1500, 2000]);
  });

  it('keeps to its share of the limit', async () => {
    const { clock, sent, buckets } = bench({ share: 0.5 });
    await clock.runUntilSettled(Promise.all(times(4).map(() => buckets.send('RunInstances', {}, run))));
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 0, 500, 1500]);
  });

  it('counts each action by itself', async () => {
    const { clock, sent, buckets } = bench();
    const launches = times(6).map(() => buckets.send('RunInstances', {}, run));
    await clock.runUntilSettled(Promise.all([...launches, buckets.send('StopInstances', {}, run)]));
    expect(sent.find(({ action }) => action === 'StopInstances')?.atMs).toBe(0);
    expect(sent.at(-1)?.atMs).toBe(500);
  });

  it('waits for a whole token again after EC2 throttled', async () => {
    let calls = 0;
    const { clock, sent, buckets } = bench({}, () =>
      calls++ === 0 ? Promise.reject(throttled()) : Promise.resolve({}),
    );
    await expect(buckets.send('RunInstances', {}, run)).rejects.toThrow('slow down');
    await clock.runUntilSettled(buckets.send('RunInstances', {}, run));
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 500]);
  });

  it('sends launches, stops and terminations first when connections are scarce', async () => {
    const waiting: (() => void)[] = [];
    const { sent, buckets } = bench(
      { maxInFlight: 1 },
      () => new Promise((resolve) => waiting.push(() => resolve({}))),
    );
    const actions = ['DescribeInstances', 'DescribeVolumes', 'CreateTags', 'RunInstances', 'StopInstances'];
    const all = Promise.all(actions.map((action) => buckets.send(action, {}, run)));
    for (const _ of actions) {
      await new Promise((resolve) => setImmediate(resolve));
      expect(waiting).toHaveLength(1);
      waiting.shift()?.();
    }
    await all;
    const order = ['DescribeInstances', 'RunInstances', 'StopInstances', 'CreateTags', 'DescribeVolumes'];
    expect(sent.map(({ action }) => action)).toEqual(order);
  });

  it('refuses, unsent, what exceeds its bound', async () => {
    const { clock, sent, buckets } = bench({ maxWaiting: 2 });
    const accepted = Promise.all(times(7).map(() => buckets.send('RunInstances', {}, run)));
    const tooMany = buckets.send('DescribeInstances', {}, { mutating: false });
    await expect(tooMany).rejects.toMatchObject({ code: 'CLOUD_THROTTLED', upstreamCode: 'NotSent' });
    await clock.runUntilSettled(accepted);
    expect(sent).toHaveLength(7);
    expect(buckets.waitingCount).toBe(0);
  });

  it('forgets a call that is aborted while it waits: nothing is sent, no token is used', async () => {
    const { clock, sent, buckets } = bench();
    await Promise.all(times(5).map(() => buckets.send('RunInstances', {}, run)));
    const controller = new AbortController();
    const aborted = buckets.send('RunInstances', {}, { mutating: true, signal: controller.signal });
    const next = buckets.send('RunInstances', {}, run);
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toMatchObject({ code: 'CLOUD_THROTTLED', upstreamCode: 'NotSent' });
    await clock.runUntilSettled(next);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 0, 0, 0, 0, 500]);
  });

  it('tells a lost lease by its own code', async () => {
    const { buckets, sent } = bench();
    const signal = AbortSignal.abort(new OperationError('LEASE_LOST', 'deadline'));
    await expect(buckets.send('RunInstances', {}, { mutating: true, signal })).rejects.toMatchObject({
      code: 'LEASE_LOST',
    });
    expect(sent).toEqual([]);
  });

  it('asks once more after the wait: paused for an hour, it sends nothing', async () => {
    const { clock, sent, buckets } = bench();
    await Promise.all(times(5).map(() => buckets.send('RunInstances', {}, run)));
    const deadlineMs = 10_000;
    const late = buckets.send('RunInstances', {}, { mutating: true, mayStart: () => clock.monotonicMs() < deadlineMs });
    const outcome = expect(late).rejects.toMatchObject({ code: 'LEASE_LOST' });
    // A stopped process: the clock jumps first, its timers run afterwards.
    const jumped = clock.monotonicMs() + 3_600_000;
    const now = clock.monotonicMs.bind(clock);
    clock.monotonicMs = () => Math.max(now(), jumped) as ReturnType<typeof now>;
    await clock.advance(1_000);
    await outcome;
    expect(sent).toHaveLength(5);
  });
});
