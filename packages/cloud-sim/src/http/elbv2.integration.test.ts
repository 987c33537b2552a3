import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeregisterTargetsCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { silentLog } from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningCloudSim, startCloudSim } from '../cloud-sim-server.ts';
import { CloudSimConfigSchema } from '../config.ts';
import { seedInstance } from '../seed-instance.ts';

let workDir: string;
let server: RunningCloudSim;
let client: ElasticLoadBalancingV2Client;
let vpcId: string;

beforeAll(async () => {
  workDir = mkdtempSync(join(tmpdir(), 'cloud-sim-'));
  const config = CloudSimConfigSchema.parse({ workDir, speed: 200, http: { port: 0 } });
  const parts = { clock: new SystemClock(), random: new SystemRandom(), log: silentLog, env: {} };
  server = await startCloudSim(config, parts);
  const credentials = { accessKeyId: 'AKIAGOOD', secretAccessKey: 'secret' };
  client = new ElasticLoadBalancingV2Client({ region: 'us-east-1', endpoint: server.url, maxAttempts: 1, credentials });
  vpcId = server.sim.core.region.vpcs.all()[0]?.id ?? '';
});

afterAll(async () => {
  client.destroy();
  await server.close();
  rmSync(workDir, { recursive: true });
});

async function admin(path: string, body: object): Promise<Record<string, Record<string, string>>> {
  const response = await fetch(`${server.url}/_sim/elbv2/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Record<string, Record<string, string>>;
}

async function group(): Promise<string> {
  const { loadBalancer } = await admin('load-balancers', { name: 'front', vpcId, zones: server.sim.zones });
  const wanted = { name: 'web', port: 80, vpcId, loadBalancerArn: loadBalancer?.arn };
  return (await admin('target-groups', wanted)).targetGroup?.arn ?? '';
}

test('an unmodified client registers, looks and deregisters, by id and port', async () => {
  const TargetGroupArn = await group();
  const { instanceId: Id } = seedInstance(server.sim);
  await client.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id }, { Id, Port: 8080 }] }));
  const look = async () =>
    (await client.send(new DescribeTargetHealthCommand({ TargetGroupArn }))).TargetHealthDescriptions ?? [];
  expect((await look()).map((one) => one.Target)).toEqual([
    { Id, Port: 80 },
    { Id, Port: 8080 },
  ]);
  await expect.poll(async () => (await look())[0]?.TargetHealth?.State, { timeout: 5_000 }).toBe('healthy');
  await client.send(new DeregisterTargetsCommand({ TargetGroupArn, Targets: [{ Id, Port: 8080 }] }));
  expect((await look())[1]?.TargetHealth).toMatchObject({
    State: 'draining',
    Reason: 'Target.DeregistrationInProgress',
  });
});

test('it lists groups, their attributes and their balancers', async () => {
  const arn = await group();
  const { TargetGroups } = await client.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [arn] }));
  expect(TargetGroups).toMatchObject([{ TargetGroupArn: arn, TargetType: 'instance', Port: 80, VpcId: vpcId }]);
  const { Attributes } = await client.send(new DescribeTargetGroupAttributesCommand({ TargetGroupArn: arn }));
  expect(Attributes).toContainEqual({ Key: 'deregistration_delay.timeout_seconds', Value: '300' });
  const { LoadBalancers } = await client.send(
    new DescribeLoadBalancersCommand({ LoadBalancerArns: TargetGroups?.[0]?.LoadBalancerArns ?? [] }),
  );
  expect(LoadBalancers?.[0]?.AvailabilityZones?.map((one) => one.ZoneName)).toEqual(server.sim.zones);
});

test('a refusal has the modelled class as its name and the wire code beside', async () => {
  const TargetGroupArn = await group();
  const work = client.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: 'i-0123456789abcdef0' }] }));
  await expect(work).rejects.toMatchObject({ name: 'InvalidTargetException', Code: 'InvalidTarget' });
});
