import { describe, expect, test } from 'vitest';
import { seedInstance } from '../seed-instance.ts';
import { launch, testRegion, runRequest, stateOf, subnetOf } from './region.fixtures.ts';

describe('eventual consistency', () => {
  test('a created resource is NotFound for a while, per action, then known to all', async () => {
    const one = testRegion({ latency: { 'consistency.created': [2_000, 4_000], 'api.default.request': [0, 0] } });
    const id = await launch(one);
    // The answer itself took about a second, which is still inside every reader's window.
    expect((await one.refused('DescribeInstances', { InstanceIds: [id] })).name).toBe('InvalidInstanceID.NotFound');
    expect((await one.refused('StopInstances', { InstanceIds: [id], Force: true })).name).toBe(
      'InvalidInstanceID.NotFound',
    );
    await one.clock.advance(4_000);
    await one.ok('DescribeInstances', { InstanceIds: [id] });
    await one.ok('StopInstances', { InstanceIds: [id], Force: true });
  });

  test('a changed resource shows its former state for a while', async () => {
    const one = testRegion({ latency: { 'consistency.changed': [3_000, 3_000] } });
    const { instanceId } = seedInstance(one.sim);
    await one.ok('CreateTags', { Resources: [instanceId], Tags: [{ Key: 'new', Value: '1' }] });
    const count = async () => {
      const found = await one.ok<{ Reservations: object[] }>('DescribeInstances', {
        Filters: [{ Name: 'tag-key', Values: ['new'] }],
      });
      return found.Reservations.length;
    };
    expect(await count()).toBe(0);
    await one.clock.advance(3_000);
    expect(await count()).toBe(1);
  });

  test('a stale read shows a stopped instance running', async () => {
    const one = testRegion();
    const { instanceId } = seedInstance(one.sim);
    await one.clock.advance(10_000);
    await one.ok('StopInstances', { InstanceIds: [instanceId], SkipOsShutdown: true });
    await one.clock.advance(20_000);
    one.sim.addFault({ id: 'stale', action: 'DescribeInstances', kind: 'stale-read', delayMs: 25_000 });
    const stale = await one.ok('DescribeInstances', { InstanceIds: [instanceId] });
    expect(stale).toMatchObject({ Reservations: [{ Instances: [{ State: { Name: 'running' } }] }] });
    const fresh = await one.ok('DescribeInstances', { InstanceIds: [instanceId] });
    expect(fresh).toMatchObject({ Reservations: [{ Instances: [{ State: { Name: 'stopped' } }] }] });
    expect(one.sim.fired('stale')).toBe(1);
  });
});

describe('lost replies', () => {
  test('timeout-before: the caller hangs, nothing happened', async () => {
    const one = testRegion();
    one.sim.addFault({ id: 'lost', action: 'RunInstances', kind: 'timeout-before' });
    const refused = await one.refused('RunInstances', runRequest(one.sim, { ClientToken: 't' }));
    expect([refused.name, one.sim.log.launches().length, one.sim.fired('lost')]).toEqual(['TimeoutError', 0, 1]);
  });

  test('timeout-after-success: the caller hangs, it happened, and the token finds it', async () => {
    const one = testRegion();
    one.sim.addFault({ id: 'lost', action: 'RunInstances', kind: 'timeout-after-success' });
    const input = runRequest(one.sim, { ClientToken: 't', SubnetId: subnetOf(one, 'a') });
    expect((await one.refused('RunInstances', input)).name).toBe('TimeoutError');
    const [launched] = one.sim.log.launches();
    expect(await launch(one, input)).toBe(launched?.instanceId);
    expect(one.sim.log.launches()).toHaveLength(1);
    expect(one.sim.log.calls('RunInstances').map((event) => [event.outcome, event.executed])).toEqual([
      ['lost', true],
      ['ok', true],
    ]);
  });

  test('late landing: the request arrives long after its caller gave up, and a revoked permit stops it', async () => {
    const one = testRegion();
    const permit = one.sim.seed('CreateNetworkInterface', { SubnetId: subnetOf(one, 'a') }) as {
      NetworkInterface: { NetworkInterfaceId: string };
    };
    const { NetworkInterfaceId } = permit.NetworkInterface;
    one.sim.addFault({ id: 'late-1', action: 'RunInstances', kind: 'late-landing', delayMs: 60_000 });
    const refused = await one.refused('RunInstances', runRequest(one.sim));
    expect([refused.name, one.sim.log.launches().length]).toEqual(['TimeoutError', 0]);
    await one.clock.advance(60_000);
    expect(one.sim.log.launches()).toHaveLength(1);

    one.sim.addFault({ id: 'late-2', action: 'RunInstances', kind: 'late-landing', delayMs: 60_000 });
    const withPermit = { NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId }] };
    await one.refused('RunInstances', runRequest(one.sim, withPermit));
    await one.ok('DeleteNetworkInterface', { NetworkInterfaceId });
    await one.clock.advance(60_000);
    expect(one.sim.log.launches()).toHaveLength(1);
    expect(one.sim.log.calls('RunInstances').at(-1)?.outcome).toBe('InvalidNetworkInterfaceID.NotFound');
    expect([one.sim.fired('late-1'), one.sim.fired('late-2')]).toEqual([1, 1]);
  });

  test('an abort ends the wait, not the effect', async () => {
    const one = testRegion();
    const stop = new AbortController();
    const work = one.send('RunInstances', runRequest(one.sim, { ClientToken: 't' }), { signal: stop.signal });
    const outcome = work.catch((error: Error) => error.name);
    await one.clock.advance(100);
    stop.abort();
    expect(await outcome).toBe('AbortError');
    expect(one.sim.log.launches()).toHaveLength(0);
    await one.clock.advance(2_000);
    expect(one.sim.log.launches()).toHaveLength(1);
  });
});

describe('throttling', () => {
  const burst = async (
    one: ReturnType<typeof testRegion>,
    action: string,
    input: () => Record<string, unknown>,
    n: number,
  ) => {
    const work = Array.from({ length: n }, () =>
      one.send(action, input()).then(
        () => 'ok',
        (error: Error) => error.name,
      ),
    );
    const names = await one.clock.runUntilSettled(Promise.all(work));
    return { ok: names.filter((name) => name === 'ok').length, names: new Set(names) };
  };
  const still = { latency: { 'api.default.request': [0, 0], 'api.RunInstances.request': [0, 0] } } as const;

  test('RunInstances: five at once, then two per second', async () => {
    const one = testRegion(still);
    const first = await burst(one, 'RunInstances', () => runRequest(one.sim), 8);
    expect([first.ok, [...first.names].toSorted()]).toEqual([5, ['RequestLimitExceeded', 'ok']]);
    await one.clock.advance(1_000);
    const later = await burst(one, 'RunInstances', () => runRequest(one.sim), 8);
    expect(later.ok).toBeGreaterThanOrEqual(2);
    expect(later.ok).toBeLessThanOrEqual(5);
  });

  test('a describe without filter and page has the smaller bucket, and instances are counted one by one', async () => {
    const one = testRegion(still);
    expect((await burst(one, 'DescribeInstances', () => ({}), 60)).ok).toBe(50);
    expect((await burst(one, 'DescribeInstances', () => ({ MaxResults: 5 }), 60)).ok).toBe(60);
    const many = await one.refused('RunInstances', runRequest(one.sim, { MinCount: 1_001, MaxCount: 1_001 }));
    expect(many).toMatchObject({ name: 'RequestLimitExceeded', $metadata: { httpStatusCode: 503 } });
  });

  test('an injected throttle fires as often as told, after the calls it lets through', async () => {
    const one = testRegion();
    one.sim.addFault({ id: 'slow', action: '*', kind: 'throttle', times: 2, afterCalls: 1 });
    await one.ok('DescribeVpcs', {});
    expect((await one.refused('DescribeVpcs', {})).name).toBe('RequestLimitExceeded');
    expect((await one.refused('DescribeSubnets', {})).name).toBe('RequestLimitExceeded');
    await one.ok('DescribeVpcs', {});
    expect(one.sim.fired('slow')).toBe(2);
  });
});

describe('a zone outage', () => {
  test('fails describes that name nothing or something there, not those that name healthy instances', async () => {
    const one = testRegion();
    const [a, b] = [seedInstance(one.sim), seedInstance(one.sim, { az: 'us-east-1b' })];
    one.sim.setZoneImpaired('us-east-1a', true);
    expect((await one.refused('DescribeInstances', {})).$metadata.httpStatusCode).toBe(503);
    expect((await one.refused('DescribeInstances', { InstanceIds: [a.instanceId] })).name).toBe('Unavailable');
    await one.ok('DescribeInstances', { InstanceIds: [b.instanceId] });
    expect((await one.refused('StopInstances', { InstanceIds: [a.instanceId] })).name).toBe('Unavailable');
    one.sim.setZoneImpaired('us-east-1a', false);
    await one.ok('DescribeInstances', {});
    expect(stateOf(one, a.instanceId)).toBe('running');
  });
});

test('the same seed and the same calls give the same run', async () => {
  const run = async () => {
    const one = testRegion({ seed: 7, latency: { 'consistency.created': [0, 4_000] } });
    const db = seedInstance(one.sim, { elasticIp: true });
    const id = await launch(one);
    await one.clock.advance(60_000);
    await one.ok('CreateSnapshots', { InstanceSpecification: { InstanceId: db.instanceId } });
    await one.ok('TerminateInstances', { InstanceIds: [id] });
    await one.clock.advance(300_000);
    return one.sim.log.events();
  };
  const [first, second] = [await run(), await run()];
  expect(first.length).toBeGreaterThan(10);
  expect(first).toEqual(second);
});

test('ten times the speed: a tenth of the latency', async () => {
  const one = testRegion({
    speed: 10,
    latency: { 'instance.pending': [5_000, 5_000], 'api.RunInstances.request': [0, 0] },
  });
  const id = await launch(one);
  expect(one.sim.log.stays(id)).toEqual([]);
  await one.clock.advance(500);
  expect(one.sim.log.stays(id)).toMatchObject([{ state: 'pending', durationMs: 500 }]);
});
