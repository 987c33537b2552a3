import { OperationError } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import type { Ec2Transport } from '../transport/transport.ts';
import { isLimitedAction, type LimitedService, ServiceLimiters } from './service-limiters.ts';

/** A service that notes each call with its time, takes 100 ms, and answers with `answer`. */
function bench(service: LimitedService, answer: (at: number) => unknown = () => null, share = 1) {
  const clock = new SimClock();
  const sent: { readonly action: string; readonly atMs: number; readonly zone: unknown }[] = [];
  const inner: Ec2Transport = async (action, input) => {
    sent.push({ action, atMs: clock.monotonicMs(), zone: input.HostedZoneId });
    const failure = answer(sent.length);
    await clock.sleep(100);
    if (failure !== null) throw failure;
    return {};
  };
  const limiters = new ServiceLimiters({ clock, share });
  return { clock, sent, limiters, send: limiters.of(service).limited(inner) };
}
const times = (count: number) => Array.from({ length: count }, (_, i) => i);
const read = { mutating: false };
const change = { mutating: true };
const refusal = (name: string) => Object.assign(new Error(name), { name, $metadata: { httpStatusCode: 400 } });
const changeOf = (HostedZoneId: string, changes = 2) => ({
  HostedZoneId,
  ChangeBatch: { Changes: times(changes).map((at) => ({ Action: at % 2 === 0 ? 'DELETE' : 'CREATE' })) },
});

describe('what Route 53 allows an account', () => {
  it('is 50 at once and 10 a second, of all actions together', async () => {
    const { clock, sent, send } = bench('route53');
    const actions = ['GetChange', 'ListResourceRecordSets'];
    await clock.runUntilSettled(Promise.all(times(55).map((at) => send(actions[at % 2] ?? '', { n: at }, read))));
    // 48 are on the wire at once, and by the first answers a token has come back.
    expect(sent.filter(({ atMs }) => atMs <= 100)).toHaveLength(51);
    expect(sent.slice(50).map(({ atMs }) => atMs)).toEqual([100, 200, 300, 400, 500]);
  });

  it('lets the actions take turns by who has waited longest', async () => {
    const { clock, sent, send } = bench('route53');
    await clock.runUntilSettled(Promise.all(times(50).map(() => send('GetChange', {}, read))));
    sent.length = 0;
    const one = times(20).map(() => send('GetChange', {}, read));
    await clock.advance(50);
    await clock.runUntilSettled(Promise.all([...one, send('ListResourceRecordSets', {}, read)]));
    expect(sent.findIndex(({ action }) => action === 'ListResourceRecordSets')).toBe(20);
  });

  it('is one change of a zone at a time; another zone is not kept waiting', async () => {
    const { clock, sent, send } = bench('route53');
    const calls = ['Z1', 'Z1', 'Z1', 'Z2'].map((zone) => send('ChangeResourceRecordSets', changeOf(zone), change));
    await clock.runUntilSettled(Promise.all(calls));
    expect(sent.map(({ zone, atMs }) => [zone, atMs])).toEqual([
      ['Z1', 0],
      ['Z2', 0],
      ['Z1', 700],
      ['Z1', 1_400],
    ]);
  });

  it('leaves a zone that is still at work twice as long', async () => {
    const { clock, sent, send } = bench('route53', (at) => (at === 1 ? refusal('PriorRequestNotComplete') : null));
    const calls = times(2).map(() => send('ChangeResourceRecordSets', changeOf('Z1'), change));
    const ended = await clock.runUntilSettled(Promise.allSettled(calls));
    expect(ended.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 1_300]);
  });

  it('is 1 500 changes at once and 100 a second, however few calls they come in', async () => {
    const { clock, sent, send } = bench('route53');
    const calls = ['Z1', 'Z2'].map((zone) => send('ChangeResourceRecordSets', changeOf(zone, 1_000), change));
    await clock.runUntilSettled(Promise.all(calls));
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 5_000]);
  });

  it('asks once more when a change’s turn comes: a leader that was paused sends nothing', async () => {
    const { clock, sent, send, limiters } = bench('route53');
    let leads = true;
    const guarded = { ...change, mayStart: () => leads };
    const first = send('ChangeResourceRecordSets', changeOf('Z1'), guarded);
    const second = send('ChangeResourceRecordSets', changeOf('Z1'), guarded);
    const outcome = expect(second).rejects.toMatchObject({ code: 'LEASE_LOST' });
    const third = send('ChangeResourceRecordSets', changeOf('Z1'), { ...change, notAfterMs: 500 });
    const late = expect(third).rejects.toMatchObject({ code: 'CLOUD_THROTTLED', upstreamCode: 'NotSent' });
    await clock.advance(200);
    leads = false;
    await clock.runUntilSettled(Promise.all([first, outcome, late]));
    expect(sent).toHaveLength(1);
    expect(limiters.of('route53').waitingCount).toBe(0);
  });
});

describe('what Elastic Load Balancing allows an account', () => {
  it('is 20 registrations at once and 4 a second, in and out together', async () => {
    const { clock, sent, send } = bench('elbv2');
    const actions = ['RegisterTargets', 'DeregisterTargets'];
    await clock.runUntilSettled(Promise.all(times(23).map((at) => send(actions[at % 2] ?? '', {}, change))));
    expect(sent.slice(20).map(({ atMs }) => atMs)).toEqual([250, 500, 750]);
  });

  it('is 40 calls at once and 10 a second, of all actions together', async () => {
    const { clock, sent, send } = bench('elbv2');
    const actions = ['DescribeTargetHealth', 'DescribeTargetGroups', 'RegisterTargets'];
    await clock.runUntilSettled(Promise.all(times(42).map((at) => send(actions[at % 3] ?? '', {}, read))));
    expect(sent.slice(40).map(({ atMs }) => atMs)).toEqual([100, 200]);
  });

  it('is used at half the pace by everybody after a throttle', async () => {
    const { clock, sent, send, limiters } = bench('elbv2', (at) => (at === 1 ? refusal('Throttling') : null));
    await clock.runUntilSettled(Promise.allSettled([send('DescribeTargetHealth', {}, read)]));
    await clock.runUntilSettled(send('DescribeTargetGroups', {}, read));
    expect(sent[1]?.atMs).toBe(300);
    const slowed = limiters.states().filter(({ throttled }) => throttled > 0);
    expect(slowed).toMatchObject([
      { service: 'Elastic Load Balancing', action: 'DescribeTargetHealth', throttled: 1 },
      { service: 'Elastic Load Balancing', action: 'Elastic Load Balancing', throttled: 1 },
    ]);
  });
});

describe('news', () => {
  it('goes to SNS and EventBridge as fast as the slowest Region takes it, at half the pace after a throttle', async () => {
    for (const [service, action, perSecond] of [
      ['sns', 'Publish', 300],
      ['eventbridge', 'PutEvents', 400],
    ] as const) {
      const { clock, sent, send, limiters } = bench(service, (at) => (at === 1 ? refusal('Throttled') : null));
      await clock.runUntilSettled(Promise.allSettled([send(action, {}, change)]));
      await clock.runUntilSettled(Promise.all(times(perSecond).map(() => send(action, {}, change))));
      const tookMs = (sent.at(-1)?.atMs ?? 0) - 100;
      expect(tookMs, service).toBeGreaterThan(1_500);
      expect(limiters.states(), service).toMatchObject([{ action, throttled: 1 }]);
      expect(sent, service).toHaveLength(perSecond + 1);
    }
  });
});

describe('what is asked beside recoveries', () => {
  it.each([
    ['sqs', 'ReceiveMessage', 300, 300],
    ['sqs', 'DeleteMessage', 300, 300],
    ['sqs', 'GetQueueAttributes', 30, 30],
    ['kms', 'DescribeKey', 2_000, 2_000],
    ['ssm', 'GetParameter', 40, 40],
    ['ssm', 'GetCommandInvocation', 40, 10],
    ['secretsmanager', 'GetSecretValue', 10_000, 10_000],
  ] as const)('%s %s: %i at once and %i a second', async (service, action, burst, perSecond) => {
    const { clock, send, limiters } = bench(service);
    await clock.runUntilSettled(send(action, {}, read));
    // The first is back in its bucket by its answer, where that takes long enough.
    const [state] = limiters.states().filter((one) => one.action === action);
    expect(state?.tokens).toBeCloseTo(Math.min(burst, burst - 1 + perSecond / 10), 3);
    await clock.advance(1_000);
    expect(limiters.states()[0]?.tokens).toBe(burst);
  });

  it('is half as fast after a throttle, by the word of each service', async () => {
    for (const [service, action, code] of [
      ['sqs', 'ReceiveMessage', 'RequestThrottled'],
      ['kms', 'DescribeKey', 'ThrottlingException'],
      ['ssm', 'GetParameter', 'ThrottlingException'],
      ['secretsmanager', 'GetSecretValue', 'ThrottlingException'],
    ] as const) {
      const { clock, send, limiters } = bench(service, (at) => (at === 1 ? refusal(code) : null));
      await clock.runUntilSettled(Promise.allSettled([send(action, {}, read)]));
      expect(limiters.states(), service).toMatchObject([{ action, throttled: 1, pace: 0.5 }]);
    }
  });

  it('commands and their ends are 20 at once and 5 a second together', async () => {
    const { clock, sent, send } = bench('ssm');
    const actions = ['SendCommand', 'CancelCommand'];
    await clock.runUntilSettled(Promise.all(times(23).map((at) => send(actions[at % 2] ?? '', {}, change))));
    expect(sent.slice(20).map(({ atMs }) => atMs)).toEqual([200, 400, 600]);
  });
});

describe('the limiters of one account', () => {
  it('are one for each service, whoever asks for it', () => {
    const limiters = new ServiceLimiters({ clock: new SimClock() });
    expect(limiters.of('route53')).toBe(limiters.of('route53'));
    expect(limiters.of('elbv2')).not.toBe(limiters.of('ec2'));
  });

  it('know every action that is sent to them, and tell who starves by the service', async () => {
    expect(
      ['RunInstances', 'GetChange', 'RegisterTargets', 'PutEvents', 'DescribeEverything'].map(isLimitedAction),
    ).toEqual([...[true, true, true, true, false]]);
    const clock = new SimClock();
    const limiters = new ServiceLimiters({ clock, raised: { GetChange: { burst: 1, refillPerSecond: 0.01 } } });
    const send = limiters.of('route53').limited(() => Promise.reject(new OperationError('CLOUD_UNAVAILABLE', 'no')));
    const both = Promise.allSettled(times(2).map(() => send('GetChange', {}, read)));
    await clock.advance(61_000);
    expect(limiters.problem()?.text).toContain('GetChange: 1 calls wait');
    await clock.runUntilSettled(both);
    expect(limiters.problem()).toBeNull();
  });
});
