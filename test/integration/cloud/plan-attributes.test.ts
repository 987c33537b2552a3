import { makePlan } from '@understudy/recovery/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudSimConfigSchema, type RunningCloudSim, seedInstance, startCloudSim } from '@understudy/cloud-sim';
import { createEc2Cloud, sdkTransport } from '@understudy/aws';
import { gatherPlanInput } from '@understudy/recovery';
import type { SdkTransport } from '@understudy/aws/testing';
import { type Cloud, DEFAULT_POLICY, silentLog } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { SeededRandom } from '@understudy/shared/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** What a plan reads of an instance besides the ordinary, as EC2's semantics show it over HTTP. */

const HOST = 'h-0123456789abcdef0';

let workDir: string;
let server: RunningCloudSim;
let transport: SdkTransport;
let cloud: Cloud;

beforeAll(async () => {
  const clock = new SystemClock();
  workDir = await mkdtemp(join(tmpdir(), 'understudy-attributes-'));
  const config = CloudSimConfigSchema.parse({ http: { port: 0 }, speed: 1_000, workDir });
  server = await startCloudSim(config, { clock, random: new SeededRandom(1), log: silentLog, env: {} });
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' };
  transport = sdkTransport({ region: config.region, endpoint: server.url, credentials, callTimeoutMs: 2_000 });
  cloud = createEc2Cloud({ transport: transport.send, clock, callTimeoutMs: 5_000, rateShare: 900 });
});

afterAll(async () => {
  transport.close();
  await server.close();
  await rm(workDir, { recursive: true, force: true });
});

async function admin(path: string, body: object): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const { status } = await fetch(`${server.url}/_sim/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return status;
}

async function planOf(request: Record<string, unknown>, instanceType = 't3.small') {
  const { instanceId } = seedInstance(server.sim, { instanceType, request });
  const result = makePlan(await gatherPlanInput(cloud, instanceId, DEFAULT_POLICY), DEFAULT_POLICY);
  if (result.kind === 'blocked') throw new Error(JSON.stringify(result.problems));
  return { instanceId, plan: result.plan, codes: result.plan.losses.map((one) => one.code) };
}

describe('over HTTP a plan names', () => {
  it('IPv6 addresses, each of which follows within the subnet', async () => {
    const { plan, codes } = await planOf({ Ipv6AddressCount: 2 });
    expect(plan.assigned?.map((one) => one.kind)).toEqual(['ipv6-address', 'ipv6-address']);
    expect(codes).not.toContain('Ipv6AddressesLost');
    const given = await planOf({ Ipv6Addresses: [{ Ipv6Address: '2001:db8::7' }] });
    expect(given.plan.assigned).toMatchObject([{ kind: 'ipv6-address', address: '2001:db8::7' }]);
  });

  it('a Dedicated Host and the affinity to it, and carries the tenancy alone', async () => {
    expect(await admin('hosts', { id: HOST, az: server.sim.zones[0], autoPlacement: true, exists: true })).toBe(200);
    const { plan, codes } = await planOf({ Placement: { Tenancy: 'host', HostId: HOST, Affinity: 'host' } });
    expect(codes).toEqual(expect.arrayContaining(['DedicatedHostNotKept', 'HostAffinityLost']));
    expect(plan.launchBase.Placement).toMatchObject({ Tenancy: 'host' });
    expect(plan.launchBase.Placement).not.toHaveProperty('HostId');
    expect(plan.launchBase.Placement).not.toHaveProperty('Affinity');
  });

  it('dedicated hardware as what is carried, and loses nothing by it', async () => {
    const { plan, codes } = await planOf({ Placement: { Tenancy: 'dedicated' } });
    expect(plan.launchBase.Placement).toMatchObject({ Tenancy: 'dedicated' });
    expect(codes).not.toContain('DedicatedHostNotKept');
  });

  it('a Marketplace product, which goes with the disk', async () => {
    const { imageId } = server.sim.defaultResources;
    expect(await admin('product-codes', { imageId, codes: ['abc123'] })).toBe(200);
    const { instanceId, plan } = await planOf({});
    expect(plan.losses.find((one) => one.code === 'MarketplaceProduct')?.text).toContain('abc123');
    const [old] = await cloud.describeInstances({ 'instance-id': [instanceId] });
    const root = old?.volumes.find((one) => one.deviceName === old.rootDeviceName);
    const { SnapshotId } = server.sim.seed('CreateSnapshot', { VolumeId: root?.volumeId });
    const image = server.sim.seed('RegisterImage', {
      ...{ Name: 'copy', Architecture: 'x86_64', RootDeviceName: '/dev/xvda' },
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId } }],
    });
    expect((await planOf({ ImageId: image.ImageId })).codes).toContain('MarketplaceProduct');
    expect(await admin('product-codes', { imageId, codes: [] })).toBe(200);
    expect((await planOf({})).codes).not.toContain('MarketplaceProduct');
  });

  it.each([
    ['i3.large', 'InstanceStoreLost'],
    ['t3.small', null],
  ])('the instance store disks of an %s: %s', async (instanceType, code) => {
    const { codes } = await planOf({}, instanceType);
    expect(codes.filter((one) => one.startsWith('InstanceStore'))).toEqual(code === null ? [] : [code]);
  });
});

describe('a launch on a Dedicated Host', () => {
  const launch = (Placement: Record<string, unknown>) => {
    const { imageId, subnets } = server.sim.defaultResources;
    const SubnetId = subnets[server.sim.zones[1] ?? ''];
    const request = { MinCount: 1, MaxCount: 1, ImageId: imageId, InstanceType: 't3.small', SubnetId, Placement };
    return cloud.runInstances({ ClientToken: JSON.stringify(Placement).slice(0, 60), ...request });
  };
  const alone = 'h-00000000000000001';

  it('wants one in its zone, which takes whom it does not know only with auto-placement', async () => {
    const az = server.sim.zones[1];
    await expect(launch({ Tenancy: 'host', HostId: 'h-0123456789abcdef9' })).rejects.toMatchObject({
      upstreamCode: 'InvalidHostID.NotFound',
    });
    await expect(launch({ Tenancy: 'host' })).rejects.toMatchObject({ upstreamCode: 'InsufficientHostCapacity' });
    await admin('hosts', { id: alone, az, autoPlacement: false, exists: true });
    await expect(launch({ Tenancy: 'host' })).rejects.toMatchObject({ code: 'CLOUD_CAPACITY' });
    expect((await launch({ Tenancy: 'host', HostId: alone })).raw.Placement).toMatchObject({ HostId: alone });
    await admin('hosts', { id: alone, az, autoPlacement: true, exists: true });
    expect((await launch({ Tenancy: 'host', Affinity: 'default' })).raw.Placement).toMatchObject({ HostId: alone });
  });

  it('and the tenancy that goes with it', async () => {
    await expect(launch({ HostId: alone })).rejects.toMatchObject({ upstreamCode: 'InvalidTenancy' });
  });

  it('what is no host, or no image, is refused', async () => {
    expect(await admin('hosts', { id: 'x', az: 'a', autoPlacement: true, exists: true })).toBe(400);
    expect(await admin('product-codes', { imageId: 'ami-0', codes: [] })).toBe(409);
  });
});
