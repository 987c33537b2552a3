import { seedInstance } from '@understudy/cloud-sim';
import type { RunHook } from '@understudy/shared';
import { expect, test } from 'vitest';
import { checkSafety } from './checks.ts';
import { a, ipOf, PUBLIC_ZONE, registered, valuesOf } from './names-scene.ts';
import type { RecoveryFixture } from './recovery-fixture.ts';
import { stage } from './stories.ts';

const OTHER = '10.9.9.9';

/** Who comes to have the address: another machine, one that this member has retired, or nobody. */
type Whose = 'neighbour' | 'retired' | null;

/**
 * A member stands with its address in a record of several values and in a group of addresses. Its
 * failed instance ends before the replacement is activated, and EC2 gives the address away.
 */
async function reused(whose: Whose) {
  const here: { scene: RecoveryFixture | null; act: () => Promise<void> } = { scene: null, act: async () => undefined };
  const runHook: RunHook = async () => {
    await here.act();
    return { kind: 'passed', text: 'ok' };
  };
  const hook = { name: 'meddle', at: 'before-activate' as const, program: 'meddle', timeoutMs: 300_000 };
  let ip = '';
  let neighbour = '';
  const { scene, old } = await stage({
    options: {
      ...{ dataVolumes: 0, elasticIp: false, runHook },
      policy: {
        hooks: { list: [hook] },
        identity: {
          dns: { zones: [{ zoneId: PUBLIC_ZONE }], insyncWithinMs: 300_000 },
          targetGroups: { groups: 'discover', healthyWithinMs: 600_000 },
        },
      },
    },
    prepare: async (one, member) => {
      const { sim } = one;
      ip = ipOf(one, member.instanceId);
      neighbour = seedInstance(sim, { member: 'web/one' }).instanceId;
      sim.dns.setRecord(sim.dns.make({ name: 'example.com' }).id, a('db.example.com', [ip, OTHER]));
      const vpcId = sim.core.region.vpcs.all()[0]?.id ?? '';
      const balancer = sim.balancing.makeBalancer({ name: 'front', vpcId, zones: sim.zones });
      const wanted = { name: 'web', port: 80, vpcId, loadBalancerArn: balancer.arn, targetType: 'ip' as const };
      sim.seedTargets(sim.balancing.make(wanted).arn, [{ Id: ip }]);
      await one.clock.advance(60_000);
    },
    check: () => undefined,
  });
  here.act = async () => {
    scene.sim.seed('TerminateInstances', { InstanceIds: [old.instanceId] });
    await scene.clock.sleep(120_000);
    const [eni = ''] = scene.sim.core.region.instances.get(neighbour)?.networkInterfaceIds ?? [];
    if (whose === 'retired') {
      const tags = { 'understudy:group': 'db', 'understudy:member': 'primary', 'understudy:fenced-by': 'op-before' };
      const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      scene.sim.seed('StopInstances', { InstanceIds: [neighbour], Force: true });
      scene.sim.seed('CreateTags', { Resources: [neighbour], Tags });
    }
    if (whose !== null)
      scene.sim.seed('AssignPrivateIpAddresses', { NetworkInterfaceId: eni, PrivateIpAddresses: [ip] });
  };
  return { scene, old, ip, neighbour };
}

const readsBy = (scene: RecoveryFixture) =>
  scene.sim.log
    .calls('DescribeNetworkInterfaces')
    .map((one) => JSON.stringify(one))
    .join('\n');

test('an address that EC2 has given to another machine is left to it, in records and target groups, and that is said', async () => {
  const { scene, old, ip, neighbour } = await reused('neighbour');
  expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
  const text = `${ip} is the address of ${neighbour} by now`;
  expect(scene.hold()).toMatchObject({ reason: 'RecordChanged', text: expect.stringContaining(text) });
  expect(valuesOf(scene, PUBLIC_ZONE, 'db.example.com.')).toEqual([ip, OTHER]);
  const [newInstanceId = ''] = scene.launchedFor(old.instanceId);
  expect(registered(scene).toSorted()).toEqual([`${ip}:80`, `${ipOf(scene, newInstanceId)}:80`].toSorted());
  expect(scene.sim.log.calls('elasticloadbalancing:DeregisterTargets')).toEqual([]);
  expect(scene.log.linesOf('recovery.address.held_elsewhere').map((one) => one.fields)).toContainEqual(
    expect.objectContaining({ text: expect.stringContaining(text) }),
  );
  checkSafety(scene, old);
  scene.ask('accept-loss', { loss: `record:${PUBLIC_ZONE}.A.db.example.com` });
  expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  expect(valuesOf(scene, PUBLIC_ZONE, 'db.example.com.')).toEqual([ip, OTHER]);
  expect(registered(scene)).toHaveLength(2);
});

test.each([
  ['nobody has got since', null],
  ['a stopped instance has that was fenced for this member', 'retired'],
] as const)('an address that %s is taken out, once that was looked at', async (_, whose) => {
  const { scene, old, ip } = await reused(whose);
  expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  const [newInstanceId = ''] = scene.launchedFor(old.instanceId);
  const fresh = ipOf(scene, newInstanceId);
  expect(valuesOf(scene, PUBLIC_ZONE, 'db.example.com.').toSorted()).toEqual([OTHER, fresh].toSorted());
  expect(registered(scene)).toEqual([`${fresh}:80`]);
  expect(readsBy(scene)).toContain(ip);
});
