import { OperationError } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { ec2CallRates } from '../ec2/actions.ts';
import { CallLimiter, type CallLimiterOptions } from './call-limiter.ts';
import type { Ec2Transport } from '../transport/transport.ts';

/** A transport that notes each call with its time, and answers with `answer`. */
function bench(options: Partial<CallLimiterOptions> = {}, answer: Ec2Transport = () => Promise.resolve({})) {
  const clock = new SimClock();
  const sent: { readonly action: string; readonly atMs: number }[] = [];
  const inner: Ec2Transport = (action, input, callOptions) => {
    sent.push({ action, atMs: clock.monotonicMs() });
    return answer(action, input, callOptions);
  };
  const limiter = new CallLimiter({ clock, service: 'EC2', ratesOf: ec2CallRates, share: 1, ...options });
  return { clock, sent, limiter, send: limiter.limited(inner) };
}
const throttled = () => Object.assign(new Error('slow down'), { name: 'RequestLimitExceeded' });
const run = { mutating: true };
const times = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('the limiter of calls', () => {
  it("keeps RunInstances to 5 at once and then 2 per second, EC2's own limit", async () => {
    const { clock, sent, send } = bench();
    const all = Promise.all(times(9).map((n) => send('RunInstances', { n }, run)));
    await clock.runUntilSettled(all);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 0, 0, 0, 0, 500, 1000, 1500, 2000]);
  });

  it('keeps to its share of the limit', async () => {
    const { clock, sent, send } = bench({ share: 0.5 });
    await clock.runUntilSettled(Promise.all(times(4).map(() => send('RunInstances', {}, run))));
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 0, 500, 1500]);
  });

  it('counts each action by itself', async () => {
    const { clock, sent, send } = bench();
    const launches = times(6).map(() => send('RunInstances', {}, run));
    await clock.runUntilSettled(Promise.all([...launches, send('StopInstances', {}, run)]));
    expect(sent.find(({ action }) => action === 'StopInstances')?.atMs).toBe(0);
    expect(sent.at(-1)?.atMs).toBe(500);
  });

  it('waits for a whole token at half the pace after EC2 throttled', async () => {
    let calls = 0;
    const { clock, sent, send } = bench({}, () => (calls++ === 0 ? Promise.reject(throttled()) : Promise.resolve({})));
    await expect(send('RunInstances', {}, run)).rejects.toThrow('slow down');
    await clock.runUntilSettled(send('RunInstances', {}, run));
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 1_000]);
  });

  it('sends launches, stops and terminations first when connections are scarce', async () => {
    const waiting: (() => void)[] = [];
    const { sent, send } = bench({ maxInFlight: 1 }, () => new Promise((resolve) => waiting.push(() => resolve({}))));
    const actions = ['DescribeInstances', 'DescribeVolumes', 'CreateTags', 'RunInstances', 'StopInstances'];
    const all = Promise.all(actions.map((action) => send(action, {}, run)));
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
    const { clock, sent, send, limiter } = bench({ maxWaiting: 2 });
    const accepted = Promise.all(times(7).map(() => send('RunInstances', {}, run)));
    const tooMany = send('DescribeInstances', {}, { mutating: false });
    await expect(tooMany).rejects.toMatchObject({ code: 'CLOUD_THROTTLED', upstreamCode: 'NotSent' });
    await clock.runUntilSettled(accepted);
    expect(sent).toHaveLength(7);
    expect(limiter.waitingCount).toBe(0);
  });

  it('forgets a call that is aborted while it waits: nothing is sent, no token is used', async () => {
    const { clock, sent, send } = bench();
    await Promise.all(times(5).map(() => send('RunInstances', {}, run)));
    const controller = new AbortController();
    const aborted = send('RunInstances', {}, { mutating: true, signal: controller.signal });
    const next = send('RunInstances', {}, run);
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toMatchObject({ code: 'CLOUD_THROTTLED', upstreamCode: 'NotSent' });
    await clock.runUntilSettled(next);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 0, 0, 0, 0, 500]);
  });

  it('tells a lost lease by its own code', async () => {
    const { send, sent } = bench();
    const signal = AbortSignal.abort(new OperationError('LEASE_LOST', 'deadline'));
    await expect(send('RunInstances', {}, { mutating: true, signal })).rejects.toMatchObject({
      code: 'LEASE_LOST',
    });
    expect(sent).toEqual([]);
  });

  it('asks once more after the wait: paused for an hour, it sends nothing', async () => {
    const { clock, sent, send } = bench();
    await Promise.all(times(5).map(() => send('RunInstances', {}, run)));
    const deadlineMs = 10_000;
    const late = send('RunInstances', {}, { mutating: true, mayStart: () => clock.monotonicMs() < deadlineMs });
    const outcome = expect(late).rejects.toMatchObject({ code: 'LEASE_LOST' });
    // A stopped process: the clock jumps first, its timers run afterwards.
    const jumped = clock.monotonicMs() + 3_600_000;
    const now = clock.monotonicMs.bind(clock);
    clock.monotonicMs = () => Math.max(now(), jumped) as ReturnType<typeof now>;
    await clock.advance(1_000);
    await outcome;
    expect(sent).toHaveLength(5);
  });

  it("sends nothing after its caller's time, and takes no token for it", async () => {
    const { clock, sent, send } = bench();
    await Promise.all(times(5).map(() => send('RunInstances', {}, run)));
    const late = send('RunInstances', {}, { ...run, notAfterMs: clock.monotonicMs() + 400 });
    const outcome = expect(late).rejects.toMatchObject({ code: 'CLOUD_THROTTLED', upstreamCode: 'NotSent' });
    await clock.runUntilSettled(send('RunInstances', {}, run));
    await outcome;
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 0, 0, 0, 0, 500]);
  });

  it('asks mayStart at its turn, and takes no token where the answer is no', async () => {
    const { clock, sent, send } = bench();
    await Promise.all(times(5).map(() => send('RunInstances', {}, run)));
    const refused = send('RunInstances', {}, { ...run, mayStart: () => clock.monotonicMs() < 100 });
    const outcome = expect(refused).rejects.toMatchObject({ code: 'LEASE_LOST' });
    await clock.runUntilSettled(send('RunInstances', {}, run));
    await outcome;
    expect(sent.at(-1)?.atMs).toBe(500);
  });

  it('lets callers take turns: one with many calls does not hold up another', async () => {
    const order: unknown[] = [];
    const { clock, send } = bench({}, (_, input) => {
      order.push(input['n']);
      return Promise.resolve({});
    });
    const calls = [...times(8).map((n) => ['greedy', n] as const), ['modest', 'mine'] as const];
    await clock.runUntilSettled(
      Promise.all(calls.map(([caller, n]) => send('RunInstances', { n }, { ...run, caller }))),
    );
    // Five calls of the greedy one went at once, and one waited first.
    expect(order.indexOf('mine')).toBe(6);
  });

  it('lets a chore wait for what is safety, but not for ever', async () => {
    const order: string[] = [];
    const { clock, send } = bench({}, (_, input) => {
      order.push(String(input['n']));
      return Promise.resolve({});
    });
    await Promise.all(times(5).map(() => send('TerminateInstances', { n: 'first' }, run)));
    const chore = send('RunInstances', { n: 'chore' }, { ...run, urgency: 'chore' });
    await chore;
    const more = times(5 + 9).map((n) => send('RunInstances', { n }, run));
    const late = send('RunInstances', { n: 'late chore' }, { ...run, urgency: 'chore' });
    await clock.runUntilSettled(Promise.all([...more, late]));
    expect(order.indexOf('late chore') - order.indexOf('chore')).toBe(7);
  });

  it('holds up nothing behind a chore that has its turn, while a queue beside it drains', async () => {
    const wide = { burst: 1_000, refillPerSecond: 1_000 };
    const shared = [{ name: 'all', limit: { burst: 1, refillPerSecond: 1 } }];
    const rates = { requests: wide, resources: null, shared, urgency: 'usual', mutating: true } as const;
    const order: unknown[] = [];
    const { clock, send } = bench({ ratesOf: () => rates }, (_, input) => {
      order.push(input['n']);
      return Promise.resolve({});
    });
    await clock.runUntilSettled(Promise.all(times(7).map((n) => send('Here', { n }, run))));
    order.length = 0;
    const chore = send('Here', { n: 'chore' }, { ...run, urgency: 'chore' });
    const beside = times(20).map((n) => send('Beside', { n }, run));
    const urgent = send('Here', { n: 'safety' }, { ...run, urgency: 'safety' });
    await clock.runUntilSettled(Promise.all([chore, urgent, ...beside]));
    expect(order.slice(0, 2)).toEqual(['chore', 'safety']);
  });

  it('lets nobody wait for the tokens of a chore that needs many, and leaves it its turn', async () => {
    const order: unknown[] = [];
    const { clock, sent, send } = bench({}, (_, input) => {
      order.push(input['n']);
      return Promise.resolve({});
    });
    const InstanceIds = times(1_000).map((n) => `i-${n}`);
    await send('StopInstances', { n: 'all', InstanceIds }, run);
    await clock.advance(1_000);
    for (const n of times(6)) await send('StopInstances', { n }, run);
    const chore = send(
      'StopInstances',
      { n: 'chore', InstanceIds: InstanceIds.slice(0, 100) },
      { ...run, urgency: 'chore' },
    );
    const urgent = times(9).map((n) => send('StopInstances', { n: `urgent ${n}` }, run));
    await clock.runUntilSettled(Promise.all([chore, ...urgent]));
    expect(order.indexOf('chore')).toBe(order.length - 1);
    expect(sent.at(-2)?.atMs).toBe(1_000);
  });

  it('keeps room for what is urgent: chores fill half of the queue at most', async () => {
    const { clock, send, limiter } = bench({ maxWaiting: 8 });
    const chore = { ...run, urgency: 'chore' } as const;
    const waiting = times(9).map(() => send('RunInstances', {}, chore));
    expect(limiter.waitingCount).toBe(4);
    await expect(send('RunInstances', {}, chore)).rejects.toMatchObject({ upstreamCode: 'NotSent' });
    const urgent = send('RunInstances', {}, run);
    await clock.runUntilSettled(Promise.all([...waiting, urgent]));
  });

  it('counts instances too: a call about many waits for as many tokens', async () => {
    const { clock, sent, send } = bench();
    const InstanceIds = times(1_000).map((n) => `i-${n}`);
    await send('StopInstances', { InstanceIds }, run);
    await clock.runUntilSettled(send('StopInstances', { InstanceIds: InstanceIds.slice(0, 40) }, run));
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 2_000]);
  });

  it('uses the rates that AWS has raised', async () => {
    const { clock, sent, send } = bench({ raised: { RunInstances: { burst: 1, refillPerSecond: 10 } } });
    await clock.runUntilSettled(Promise.all(times(3).map(() => send('RunInstances', {}, run))));
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 100, 200]);
  });

  it('tells who starves, and of whom EC2 has throttled', async () => {
    const { clock, send, limiter } = bench({ raised: { RunInstances: { burst: 1, refillPerSecond: 0.01 } } });
    const both = times(2).map(() => send('RunInstances', {}, run));
    await clock.advance(59_000);
    expect(limiter.problem()).toBeNull();
    await clock.advance(2_000);
    expect(limiter.problem()).toMatchObject({ code: 'CLOUD_RATE_STARVED' });
    expect(limiter.problem()?.text).toContain('RunInstances: 1 calls wait, one of them for 61 s');
    expect(limiter.states()).toMatchObject([{ action: 'RunInstances', waiting: 1, longestWaitMs: 61_000, pace: 1 }]);
    await clock.runUntilSettled(Promise.all(both));
    expect(limiter.problem()).toBeNull();
  });
});
