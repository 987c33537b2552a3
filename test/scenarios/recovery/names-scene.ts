import type { CloudSim, SeededInstance } from '@understudy/cloud-sim';
import { expect } from 'vitest';
import type { RecoveryFixture } from './recovery-fixture.ts';
import type { Story } from './stories.ts';

type ResourceRecordSet = Parameters<CloudSim['dns']['setRecord']>[1];

/** Ids that cloud-sim gives to the first zones that are made. */
export const PUBLIC_ZONE = 'Z0000000001SIM';
export const PRIVATE_ZONE = 'Z0000000002SIM';

export const a = (
  Name: string,
  values: readonly string[],
  part: Partial<ResourceRecordSet> = {},
): ResourceRecordSet => ({
  ...{ Name, Type: 'A', TTL: 60, ResourceRecords: values.map((Value) => ({ Value })) },
  ...part,
});

export const ipOf = (scene: RecoveryFixture, instanceId: string): string => {
  const [first = ''] = scene.sim.core.region.instances.get(instanceId)?.networkInterfaceIds ?? [];
  return scene.sim.core.region.networkInterfaces.get(first)?.privateIp ?? '';
};

export const valuesOf = (scene: RecoveryFixture, zoneId: string, name: string, set?: string): readonly string[] => {
  const records = [...(scene.sim.dns.get(zoneId)?.records.values() ?? [])];
  const record = records.find((one) => one.Name === name && one.SetIdentifier === set);
  return (record?.ResourceRecords ?? []).map((one) => one.Value ?? '');
};

export const groupArn = (scene: RecoveryFixture): string => scene.sim.balancing.groups()[0]?.arn ?? '';

/** `id:port` of everything that is registered and does not drain. */
export const registered = (scene: RecoveryFixture): readonly string[] => {
  const group = scene.sim.balancing.require(groupArn(scene));
  return [...group.targets.values()].filter((one) => one.drainsUntilMs === null).map((one) => `${one.id}:${one.port}`);
};

/** A member that is named by two zones, by a weighted set, and on two ports of a target group. */
export async function nameMember(scene: RecoveryFixture, old: SeededInstance): Promise<void> {
  const { sim } = scene;
  const ip = ipOf(scene, old.instanceId);
  for (const wanted of [{ name: 'example.com' }, { name: 'example.com', vpcIds: ['vpc-1'] }]) {
    const { id } = sim.dns.make(wanted);
    sim.dns.setRecord(id, a('db.example.com', [ip]));
  }
  sim.dns.setRecord(PUBLIC_ZONE, a('w.example.com', [ip], { SetIdentifier: 'blue', Weight: 10 }));
  sim.dns.setRecord(PUBLIC_ZONE, a('w.example.com', ['10.9.9.9'], { SetIdentifier: 'green', Weight: 90 }));
  const vpcId = sim.core.region.vpcs.all()[0]?.id ?? '';
  const balancer = sim.balancing.makeBalancer({ name: 'front', vpcId, zones: sim.zones });
  const group = sim.balancing.make({ name: 'web', port: 80, vpcId, loadBalancerArn: balancer.arn });
  sim.seedTargets(group.arn, [{ Id: old.instanceId }, { Id: old.instanceId, Port: 8080 }]);
  await scene.clock.advance(60_000);
}

export function checkNamed(scene: RecoveryFixture, old: SeededInstance, newInstanceId: string): void {
  const ip = ipOf(scene, newInstanceId);
  expect(valuesOf(scene, PUBLIC_ZONE, 'db.example.com.')).toEqual([ip]);
  expect(valuesOf(scene, PRIVATE_ZONE, 'db.example.com.')).toEqual([ip]);
  expect(valuesOf(scene, PUBLIC_ZONE, 'w.example.com.', 'blue')).toEqual([ip]);
  expect(valuesOf(scene, PUBLIC_ZONE, 'w.example.com.', 'green')).toEqual(['10.9.9.9']);
  expect(registered(scene).toSorted()).toEqual([`${newInstanceId}:80`, `${newInstanceId}:8080`]);
  expect(scene.sim.servedTargets(groupArn(scene))).not.toContain(old.instanceId);
}

export const NAMED: Story = {
  options: {
    dataVolumes: 0,
    elasticIp: false,
    policy: {
      identity: {
        dns: { zones: [{ zoneId: PUBLIC_ZONE }, { zoneId: PRIVATE_ZONE }], insyncWithinMs: 300_000 },
        targetGroups: { groups: 'discover', healthyWithinMs: 600_000 },
      },
    },
  },
  prepare: nameMember,
  check: checkNamed,
};
