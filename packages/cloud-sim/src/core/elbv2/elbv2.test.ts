import type { TargetHealthDescription } from '@aws-sdk/client-elastic-load-balancing-v2';
import { SimClock } from '@understudy/shared/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { CloudSim } from '../../cloud-sim.ts';
import { inProcessService } from '../../in-process-service.ts';
import { seedInstance } from '../../seed-instance.ts';
import type { Ec2Transport } from '../../transport.ts';

let clock: SimClock;
let sim: CloudSim;
let send: Ec2Transport;
let vpcId: string;
let group: string;

beforeEach(() => {
  clock = new SimClock();
  sim = new CloudSim({ clock });
  send = inProcessService(sim, 'elasticloadbalancing');
  vpcId = sim.core.region.vpcs.all()[0]?.id ?? '';
  const balancer = sim.balancing.makeBalancer({ name: 'front', vpcId, zones: sim.zones.slice(0, 2) });
  group = sim.balancing.make({ name: 'web', port: 80, vpcId, loadBalancerArn: balancer.arn }).arn;
});

const call = (action: string, Targets?: readonly object[]) =>
  clock.runUntilSettled(send(action, { TargetGroupArn: group, ...(Targets && { Targets }) }));
const health = async (Targets?: readonly object[]) =>
  ((await call('DescribeTargetHealth', Targets)) as { TargetHealthDescriptions: TargetHealthDescription[] })
    .TargetHealthDescriptions;
const states = async () => (await health()).map((one) => [one.Target?.Port, one.TargetHealth?.State]);
const inZone = (az: string) => seedInstance(sim, { az }).instanceId;

describe('an instance that is not running', () => {
  test.each(['StopInstances', 'TerminateInstances'])('after %s cannot be registered', async (action) => {
    const id = inZone(sim.zones[0] ?? '');
    sim.seed(action, { InstanceIds: [id] });
    await expect(call('RegisterTargets', [{ Id: id }])).rejects.toMatchObject({ name: 'InvalidTarget' });
    expect(await health()).toEqual([]);
  });
  test('nor one that is only pending', async () => {
    const launched = await clock.runUntilSettled(
      sim.call('RunInstances', {
        ...{ ImageId: sim.defaultResources.imageId, InstanceType: 't3.micro', MinCount: 1, MaxCount: 1 },
        SubnetId: Object.values(sim.defaultResources.subnets)[0],
      }),
    );
    const id = JSON.stringify(launched).match(/i-[0-9a-f]{17}/)?.[0] ?? '';
    await expect(call('RegisterTargets', [{ Id: id }])).rejects.toMatchObject({ name: 'InvalidTarget' });
  });
});

test('an instance of another VPC is refused', async () => {
  const other = sim.balancing.make({ name: 'other', port: 80, vpcId: 'vpc-other' }).arn;
  const id = inZone(sim.zones[0] ?? '');
  const work = clock.runUntilSettled(send('RegisterTargets', { TargetGroupArn: other, Targets: [{ Id: id }] }));
  await expect(work).rejects.toMatchObject({ message: expect.stringContaining('not in the target group VPC') });
});

test('what is not registered is deregistered with success: the answer proves nothing', async () => {
  await call('DeregisterTargets', [{ Id: 'i-0123456789abcdef0' }]);
  const [seen] = await health([{ Id: 'i-0123456789abcdef0' }]);
  expect(seen?.TargetHealth).toMatchObject({ State: 'unused', Reason: 'Target.NotRegistered' });
});

test('one id on several ports: a deregistration without the port leaves the other registered', async () => {
  const Id = inZone(sim.zones[0] ?? '');
  await call('RegisterTargets', [{ Id }, { Id, Port: 8080 }]);
  await clock.advance(60_000);
  await call('DeregisterTargets', [{ Id }]);
  await clock.advance(400_000);
  expect(await states()).toEqual([[8080, 'healthy']]);
  expect(sim.servedTargets(group)).toEqual([Id]);
});

test('a new target is healthy after its first passed check', async () => {
  const Id = inZone(sim.zones[0] ?? '');
  await call('RegisterTargets', [{ Id }]);
  expect(await states()).toEqual([[80, 'initial']]);
  await clock.advance(31_000);
  expect(await states()).toEqual([[80, 'healthy']]);
});

test('a healthy target that crashes is unhealthy after two checks', async () => {
  const Id = inZone(sim.zones[0] ?? '');
  await call('RegisterTargets', [{ Id }]);
  await clock.advance(31_000);
  sim.crashInstance(Id);
  await clock.advance(59_000);
  expect(await states()).toEqual([[80, 'healthy']]);
  await clock.advance(2_000);
  expect(await states()).toEqual([[80, 'unhealthy']]);
});

test('in a zone that is not enabled it is registered, and gets nothing', async () => {
  const Id = inZone(sim.zones[2] ?? '');
  await call('RegisterTargets', [{ Id }]);
  await clock.advance(60_000);
  expect((await health())[0]?.TargetHealth).toMatchObject({ State: 'unused', Reason: 'Target.NotInUse' });
  expect(sim.servedTargets(group)).toEqual([]);
});

test('a deregistered target drains as long as the group says, one that is off not at all', async () => {
  const [Id, off] = [inZone(sim.zones[0] ?? ''), inZone(sim.zones[0] ?? '')];
  await call('RegisterTargets', [{ Id }, { Id: off }]);
  sim.seed('StopInstances', { InstanceIds: [off] });
  await call('DeregisterTargets', [{ Id }, { Id: off }]);
  expect(await states()).toEqual([[80, 'draining']]);
  await clock.advance(299_000);
  expect(await states()).toEqual([[80, 'draining']]);
  await clock.advance(2_000);
  expect(await states()).toEqual([]);
});

test('a drained target that is registered again begins anew', async () => {
  const Id = inZone(sim.zones[0] ?? '');
  await call('RegisterTargets', [{ Id }]);
  await clock.advance(60_000);
  await call('DeregisterTargets', [{ Id }]);
  await call('RegisterTargets', [{ Id }]);
  expect(await states()).toEqual([[80, 'initial']]);
});

test('when none is healthy all of them get traffic, one that nobody wants to serve among them', async () => {
  const [zombie, fresh] = [inZone(sim.zones[0] ?? ''), inZone(sim.zones[1] ?? '')];
  await call('RegisterTargets', [{ Id: zombie }]);
  await clock.advance(60_000);
  sim.crashInstance(zombie);
  await clock.advance(100_000);
  await call('RegisterTargets', [{ Id: fresh }]);
  expect(sim.servedTargets(group)).toEqual([zombie, fresh]);
  await call('DeregisterTargets', [{ Id: zombie }]);
  expect(sim.servedTargets(group)).toEqual([fresh]);
});

test('without health checks a target is unavailable, and served', async () => {
  const off = sim.balancing.require(group);
  sim.balancing.put({ ...off, checks: { ...off.checks, enabled: false } });
  const Id = inZone(sim.zones[0] ?? '');
  await call('RegisterTargets', [{ Id }]);
  expect((await health())[0]?.TargetHealth).toMatchObject({
    State: 'unavailable',
    Reason: 'Target.HealthCheckDisabled',
  });
  expect(sim.servedTargets(group)).toEqual([Id]);
});

test('a zone that is shifted away from gets nothing, healthy or not', async () => {
  const Id = inZone(sim.zones[0] ?? '');
  await call('RegisterTargets', [{ Id }]);
  await clock.advance(60_000);
  const [balancer] = sim.balancing.balancers();
  if (balancer) sim.balancing.putBalancer({ ...balancer, shiftedZones: [sim.zones[0] ?? ''] });
  expect((await health())[0]).toMatchObject({
    ...{ TargetHealth: { State: 'healthy' }, AdministrativeOverride: { State: 'zonal_shift_active' } },
  });
  expect(sim.servedTargets(group)).toEqual([]);
});

test('a group that is gone is said to be', () =>
  expect(
    call('DescribeTargetHealth').then(() =>
      clock.runUntilSettled(send('RegisterTargets', { TargetGroupArn: `${group}x`, Targets: [] })),
    ),
  ).rejects.toMatchObject({
    name: 'TargetGroupNotFound',
  }));

describe('calls above the documented rate are refused with status 400', () => {
  test.each([
    ['DescribeTargetHealth', 40, 10],
    ['RegisterTargets', 20, 4],
  ] as const)('%s: %s at once, then %s a second', async (action, burst, perSecond) => {
    const many = (count: number) =>
      clock.runUntilSettled(
        Promise.allSettled(Array.from({ length: count }, () => send(action, { TargetGroupArn: group, Targets: [] }))),
      );
    const refused = (all: readonly PromiseSettledResult<unknown>[]) =>
      all.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
    const first = refused(await many(burst + 10));
    expect(first.length).toBeGreaterThan(5);
    expect(first[0]).toMatchObject({ name: 'Throttling', $metadata: { httpStatusCode: 400 } });
    await clock.advance(1_000);
    expect(refused(await many(perSecond))).toEqual([]);
  });
});
