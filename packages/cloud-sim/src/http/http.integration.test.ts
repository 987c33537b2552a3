import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AssignPrivateIpAddressesCommand,
  type AssignPrivateIpAddressesRequest,
  CreateNetworkInterfaceCommand,
  CreateSnapshotsCommand,
  DeleteTagsCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  EC2Client,
  type EC2ServiceException,
  paginateDescribeInstances,
  RunInstancesCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2';
import { silentLog } from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CloudSimConfigSchema } from '../config.ts';
import { type RunningCloudSim, startCloudSim } from '../cloud-sim-server.ts';
import { seedInstance } from '../seed-instance.ts';

let workDir: string;
let server: RunningCloudSim;
let client: EC2Client;

const connect = (accessKeyId: string, url: string, maxAttempts = 1): EC2Client =>
  new EC2Client({
    region: 'us-east-1',
    endpoint: url,
    maxAttempts,
    credentials: { accessKeyId, secretAccessKey: 'secret' },
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 1_500, throwOnRequestTimeout: true },
  });

const failure = (work: Promise<unknown>): Promise<EC2ServiceException> =>
  work.then(
    () => Promise.reject(new Error('expected a refusal')),
    (error: EC2ServiceException) => error,
  );

beforeAll(async () => {
  workDir = mkdtempSync(join(tmpdir(), 'cloud-sim-'));
  const config = CloudSimConfigSchema.parse({
    workDir,
    speed: 200,
    http: { port: 0 },
    credentials: { accessKeyIds: ['AKIAGOOD'] },
    latency: { 'consistency.created': [0, 0], 'consistency.changed': [0, 0] },
  });
  server = await startCloudSim(config, {
    clock: new SystemClock(),
    random: new SystemRandom(),
    log: silentLog,
    env: {},
  });
  client = connect('AKIAGOOD', server.url);
});

afterAll(async () => {
  client.destroy();
  await server.close();
  rmSync(workDir, { recursive: true, force: true });
});

const launch = (tags: Record<string, string>, token?: string) =>
  new RunInstancesCommand({
    ImageId: server.sim.defaultResources.imageId,
    InstanceType: 't3.micro',
    MinCount: 1,
    MaxCount: 1,
    ClientToken: token,
    SubnetId: server.sim.defaultResources.subnets['us-east-1a'],
    UserData: Buffer.from('member: db/one\n').toString('base64'),
    BlockDeviceMappings: [
      { DeviceName: '/dev/sdf', Ebs: { VolumeSize: 4, VolumeType: 'gp3', DeleteOnTermination: false } },
    ],
    TagSpecifications: [
      { ResourceType: 'instance', Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) },
    ],
  });

test('block devices, odd tags, dates and user data survive the wire both ways', async () => {
  const made = await client.send(launch({ note: 'a&b <x> "q" ü' }, 'wire-1'));
  const instanceId = made.Instances?.[0]?.InstanceId ?? '';
  expect(instanceId).toMatch(/^i-[0-9a-f]{17}$/);
  const { Reservations } = await client.send(
    new DescribeInstancesCommand({ Filters: [{ Name: 'client-token', Values: ['wire-1'] }], MaxResults: 5 }),
  );
  const instance = Reservations?.[0]?.Instances?.[0];
  expect(instance?.Tags).toEqual([{ Key: 'note', Value: 'a&b <x> "q" ü' }]);
  expect(instance?.LaunchTime).toBeInstanceOf(Date);
  expect(instance?.BlockDeviceMappings?.map((one) => [one.DeviceName, one.Ebs?.DeleteOnTermination])).toEqual([
    ['/dev/xvda', true],
    ['/dev/sdf', false],
  ]);
  const { UserData } = await client.send(
    new DescribeInstanceAttributeCommand({ InstanceId: instanceId, Attribute: 'userData' }),
  );
  expect(Buffer.from(UserData?.Value ?? '', 'base64').toString()).toBe('member: db/one\n');
});

test('the paginator gets every instance once, five at a time', async () => {
  const seeded = Array.from({ length: 12 }, () => seedInstance(server.sim, { tags: { suite: 'pages' } }).instanceId);
  const seen: string[] = [];
  let pages = 0;
  const filters = { Filters: [{ Name: 'tag:suite', Values: ['pages'] }] };
  for await (const page of paginateDescribeInstances({ client, pageSize: 5 }, filters)) {
    pages++;
    seen.push(...(page.Reservations ?? []).flatMap((one) => one.Instances ?? []).map((one) => one.InstanceId ?? ''));
  }
  expect(pages).toBe(3);
  expect(seen.toSorted()).toEqual(seeded.toSorted());
});

test('errors carry code, status and fault as the SDK shapes them', async () => {
  const missing = await failure(client.send(new DescribeInstancesCommand({ InstanceIds: ['i-00000000000000000'] })));
  expect(missing).toMatchObject({
    name: 'InvalidInstanceID.NotFound',
    $fault: 'client',
    $metadata: { httpStatusCode: 400 },
  });
  const malformed = await failure(client.send(new StopInstancesCommand({ InstanceIds: ['i-nonsense'] })));
  expect(malformed.name).toBe('InvalidInstanceID.Malformed');
  const { instanceId } = seedInstance(server.sim);
  const dry = await failure(client.send(new StopInstancesCommand({ InstanceIds: [instanceId], DryRun: true })));
  expect(dry).toMatchObject({ name: 'DryRunOperation', $metadata: { httpStatusCode: 412 } });
});

test('a required member that is missing and a filter that does not exist are refused', async () => {
  const noCount = await failure(client.send(new RunInstancesCommand({ ImageId: 'ami-1' } as never)));
  expect(noCount.name).toBe('MissingParameter');
  const filter = await failure(
    client.send(new DescribeInstancesCommand({ Filters: [{ Name: 'colour', Values: ['red'] }] })),
  );
  expect(filter.name).toBe('InvalidParameterValue');
});

test('an unknown parameter, an unknown action and a missing signature are refused before anything happens', async () => {
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(server.url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });
  const unsigned = await post('Action=DescribeInstances&Version=2016-11-15');
  expect([unsigned.status, await unsigned.text()]).toEqual([401, expect.stringContaining('<Code>AuthFailure</Code>')]);
  const stamp = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const signed = {
    authorization: `AWS4-HMAC-SHA256 Credential=AKIAGOOD/${stamp.slice(0, 8)}/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
    'x-amz-date': stamp,
  };
  const unknown = await post('Action=DescribeInstances&Version=2016-11-15&InstanceId.1.Name=x', signed);
  expect(await unknown.text()).toContain('<Code>UnknownParameter</Code>');
  const action = await post('Action=MakeCoffee&Version=2016-11-15', signed);
  expect(await action.text()).toContain('<Code>InvalidAction</Code>');
  const old = await post('Action=DescribeVpcs&Version=2016-11-15', { ...signed, 'x-amz-date': '20200101T000000Z' });
  expect(await old.text()).toContain('<Code>RequestExpired</Code>');
});

test('a foreign access key is an AuthFailure', async () => {
  const stranger = connect('AKIABAD', server.url);
  const refused = await failure(stranger.send(new DescribeInstancesCommand({ MaxResults: 5 })));
  stranger.destroy();
  expect(refused).toMatchObject({ name: 'AuthFailure', $metadata: { httpStatusCode: 401 } });
});

test('an action EC2 has but the simulator has not answers InvalidAction', async () => {
  const { DescribeInternetGatewaysCommand } = await import('@aws-sdk/client-ec2');
  const refused = await failure(client.send(new DescribeInternetGatewaysCommand({})));
  expect(refused.name).toBe('InvalidAction');
});

test('throttled once, the SDK retries; with one attempt it fails with 503', async () => {
  server.sim.addFault({ id: 'http-throttle', action: 'DescribeVpcs', kind: 'throttle', times: 2 });
  const { DescribeVpcsCommand } = await import('@aws-sdk/client-ec2');
  const refused = await failure(client.send(new DescribeVpcsCommand({})));
  expect(refused).toMatchObject({ name: 'RequestLimitExceeded', $metadata: { httpStatusCode: 503 } });
  const patient = connect('AKIAGOOD', server.url, 3);
  const { Vpcs } = await patient.send(new DescribeVpcsCommand({}));
  patient.destroy();
  expect(Vpcs?.[0]?.VpcId).toBe(server.sim.defaultResources.vpcId);
  expect(server.sim.fired('http-throttle')).toBe(2);
});

test('a lost reply is a timeout for the SDK, and the launch happened', async () => {
  server.sim.addFault({ id: 'http-lost', action: 'RunInstances', kind: 'timeout-after-success', delayMs: 5_000 });
  const error = await failure(client.send(launch({}, 'lost-1')));
  expect(error.name).toBe('TimeoutError');
  expect(server.sim.fired('http-lost')).toBe(1);
  expect(server.sim.log.launchesByToken().get('lost-1')).toHaveLength(1);
  const again = await client.send(launch({}, 'lost-1'));
  expect(again.Instances?.[0]?.InstanceId).toBe(server.sim.log.launchesByToken().get('lost-1')?.[0]?.instanceId);
  expect(server.sim.log.launchesByToken().get('lost-1')).toHaveLength(1);
});

test('a set of snapshots and an interface come back in the shapes the SDK knows', async () => {
  const db = seedInstance(server.sim, { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 2 }] });
  const { Snapshots } = await client.send(
    new CreateSnapshotsCommand({ InstanceSpecification: { InstanceId: db.instanceId }, Description: 'set' }),
  );
  expect(Snapshots?.map((one) => [one.State, one.VolumeId]).toSorted()).toEqual(
    Object.values(db.volumeIds)
      .map((id) => ['pending', id])
      .toSorted((a, b) => a.join().localeCompare(b.join())),
  );
  const { NetworkInterface } = await client.send(
    new CreateNetworkInterfaceCommand({ SubnetId: db.subnetId, ClientToken: 'eni-1', Description: 'permit' }),
  );
  expect(NetworkInterface).toMatchObject({ SubnetId: db.subnetId, Description: 'permit', SourceDestCheck: true });
});

test('four actions have no DryRun: the SDK leaves it out, and what was only asked is done', async () => {
  const { networkInterfaceId: NetworkInterfaceId } = seedInstance(server.sim, { instanceType: 'm5.large' });
  const question: AssignPrivateIpAddressesRequest & { readonly DryRun: true } = {
    ...{ NetworkInterfaceId, SecondaryPrivateIpAddressCount: 1, DryRun: true },
  };
  const answer = await client.send(new AssignPrivateIpAddressesCommand(question));
  expect(answer.AssignedPrivateIpAddresses).toHaveLength(1);
  expect(server.sim.core.region.networkInterfaces.get(NetworkInterfaceId)?.secondaryIps).toHaveLength(1);
});

test('an action without output answers with an empty success', async () => {
  const { instanceId } = seedInstance(server.sim, { tags: { a: '1', b: '2' } });
  await client.send(new DeleteTagsCommand({ Resources: [instanceId], Tags: [{ Key: 'a' }] }));
  expect(server.sim.core.region.instances.get(instanceId)?.tags).not.toHaveProperty('a');
  expect(server.sim.core.region.instances.get(instanceId)?.tags).toHaveProperty('b');
});

test('a garbled body and a garbled admin request are 4xx and break nothing', async () => {
  const garbled = await fetch(server.url, {
    method: 'POST',
    body: '%%%',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  expect(garbled.status).toBe(401);
  const fault = await fetch(`${server.url}/_sim/faults`, {
    method: 'POST',
    body: JSON.stringify({ id: 'x', action: '*', kind: 'meteor' }),
    headers: { 'content-type': 'application/json' },
  });
  expect(fault.status).toBe(400);
  const crash = await fetch(`${server.url}/_sim/instances/i-0/crash`, { method: 'POST' });
  expect(crash.status).toBe(409);
  const state = (await (await fetch(`${server.url}/_sim/state`)).json()) as { dns: { port: number } };
  expect(state.dns.port).toBe(server.dnsPort);
});
