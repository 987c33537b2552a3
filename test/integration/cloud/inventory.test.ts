import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CloudSim,
  CloudSimConfigSchema,
  inProcessService,
  inProcessTransport,
  seedInstance,
  startCloudSim,
} from '@understudy/cloud-sim';
import {
  type Ec2Transport,
  ServiceLimiters,
  resourcePagesOver,
  sdkElbv2Transport,
  sdkRoute53Transport,
  sdkTransport,
} from '@understudy/aws';
import { Crawler, type CrawlReport, type InventoryHistory, KINDS, SqlHistory, SqliteSql } from '@understudy/inventory';
import { type Clock, silentLog } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { SeededRandom, SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';

interface World {
  readonly sim: CloudSim;
  readonly history: InventoryHistory;
  /** One round over all kinds. */
  crawl(): Promise<ReadonlyMap<string, CrawlReport>>;
}

async function worldOver(
  sim: CloudSim,
  clock: Clock,
  transports: Readonly<Record<'ec2' | 'elbv2' | 'route53', Ec2Transport>>,
): Promise<World> {
  const zone = sim.dns.make({ name: 'example.test.' });
  sim.dns.setRecord(zone.id, {
    Name: 'db.example.test.',
    Type: 'A',
    TTL: 60,
    ResourceRecords: [{ Value: '10.0.0.1' }],
  });
  const group = sim.balancing.make({ name: 'web', port: 80, vpcId: sim.defaultResources.vpcId });
  const limiters = new ServiceLimiters({ clock });
  const pages = resourcePagesOver({ transports, clock, random: new SeededRandom(1), callTimeoutMs: 5_000, limiters });
  const history = await SqlHistory.over(SqliteSql.open(':memory:'));
  const scopes = { 'hosted-zone': [zone.id], 'target-group': [group.arn] };
  const crawler = new Crawler({ pages, history, clock, paceMs: 1, gapMs: 60_000, scopes });
  const never = new AbortController().signal;
  const crawl = async () => {
    const reports = new Map<string, CrawlReport>();
    for (const kind of KINDS) reports.set(kind.name, await crawler.crawl(kind, { term: 1, writer: 'c1' }, never));
    return reports;
  };
  return { sim, history, crawl };
}

/** Everything there is a kind for. */
function furnish(sim: CloudSim): string {
  const { instanceId } = seedInstance(sim, { elasticIp: true, tags: { Name: 'db-1' } });
  sim.seedTargets(sim.balancing.groups()[0]?.arn ?? '', [{ Id: instanceId }]);
  sim.seed('CreateSnapshots', { InstanceSpecification: { InstanceId: instanceId } });
  return instanceId;
}

async function inventoryIsKept({ sim, history, crawl }: World, settle: () => Promise<void>): Promise<void> {
  const instanceId = furnish(sim);
  await settle();
  const first = await crawl();
  const seen = Object.fromEntries([...first].map(([kind, { outcome, seen }]) => [kind, `${outcome} ${seen > 0}`]));
  expect(seen).toEqual({
    ...{ instance: 'complete true', volume: 'complete true', snapshot: 'complete true', interface: 'complete true' },
    ...{ address: 'complete true', 'security-group': 'complete true', subnet: 'complete true' },
    // The only image of this account is Amazon's.
    ...{ image: 'complete false', 'target-group': 'complete true', target: 'complete true', record: 'complete true' },
  });
  const before = await history.version('instance', instanceId, null);
  expect(before.document).toMatchObject({ InstanceId: instanceId, State: { Name: 'running' }, Tags: { Name: 'db-1' } });
  // Nothing has happened: an answer in another order, and progress of snapshots, is no change.
  const second = await crawl();
  for (const { opened, changed, gone, missed } of second.values())
    expect({ opened, changed, gone, missed }).toEqual({ opened: 0, changed: 0, gone: 0, missed: 0 });
  sim.seed('StopInstances', { InstanceIds: [instanceId], Force: true });
  await settle();
  await crawl();
  const { differences } = await history.differences({
    ...{ kind: 'instance', id: instanceId, where: [], after: null, limit: 10 },
    ...{ fromWallMs: before.validFromWallMs, toWallMs: Number.MAX_SAFE_INTEGER },
  });
  expect(differences[0]?.fields).toContainEqual({ path: 'State.Name', before: 'running', after: 'stopped' });
}

async function stillInTheSim(clock: SimClock): Promise<void> {
  await clock.advance(300_000);
}

describe('an inventory of cloud-sim in process', () => {
  it('has every kind, and changes only when something has happened', async () => {
    const clock = new SimClock();
    const sim = new CloudSim({ clock });
    const world = await worldOver(sim, clock, {
      ec2: inProcessTransport(sim),
      elbv2: inProcessService(sim, 'elasticloadbalancing'),
      route53: inProcessService(sim, 'route53'),
    });
    const onClock: World = { ...world, crawl: () => clock.runUntilSettled(world.crawl()) };
    await inventoryIsKept(onClock, () => stillInTheSim(clock));
    sim.close();
  });

  it('is partial where a right is missing, or EC2 throttles for long, and closes nothing', async () => {
    const clock = new SimClock();
    const sim = new CloudSim({ clock });
    const never: Ec2Transport = () =>
      Promise.reject(Object.assign(new Error('no'), { name: 'AccessDenied', $fault: 'client' }));
    const world = await worldOver(sim, clock, { ec2: inProcessTransport(sim), elbv2: never, route53: never });
    furnish(sim);
    await stillInTheSim(clock);
    await clock.runUntilSettled(world.crawl());
    sim.addFault({ id: 'slow', action: 'DescribeVolumes', kind: 'throttle', times: 100 });
    for (let times = 0; times < 3; times += 1) {
      const reports = await clock.runUntilSettled(world.crawl());
      expect(reports.get('volume')).toMatchObject({ outcome: 'partial', gone: 0, missed: 0 });
      expect(reports.get('record')).toMatchObject({ outcome: 'partial' });
      expect(reports.get('instance')).toMatchObject({ outcome: 'complete' });
    }
    expect(sim.fired('slow')).toBeGreaterThan(3);
    sim.close();
  });
});

describe('an inventory of cloud-sim over the SDK and HTTP', () => {
  it('has every kind, and changes only when something has happened', async () => {
    const clock = new SystemClock();
    const workDir = await mkdtemp(join(tmpdir(), 'understudy-inventory-'));
    const config = CloudSimConfigSchema.parse({ http: { port: 0 }, speed: 1_000, workDir });
    const server = await startCloudSim(config, { clock, random: new SeededRandom(1), log: silentLog, env: {} });
    const credentials = { accessKeyId: 'AKIAANY', secretAccessKey: 'secret' };
    const options = { region: config.region, endpoint: server.url, credentials, callTimeoutMs: 2_000 };
    const sdks = {
      ec2: sdkTransport(options),
      elbv2: sdkElbv2Transport(options),
      route53: sdkRoute53Transport(options),
    };
    const { ec2, elbv2, route53 } = sdks;
    try {
      const world = await worldOver(server.sim, clock, { ec2: ec2.send, elbv2: elbv2.send, route53: route53.send });
      await inventoryIsKept(world, () => clock.sleep(1_500));
    } finally {
      for (const sdk of Object.values(sdks)) sdk.close();
      await server.close();
      await rm(workDir, { recursive: true, force: true });
    }
  });
});
