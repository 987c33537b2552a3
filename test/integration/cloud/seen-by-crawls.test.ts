import { createEc2Cloud, type Ec2Transport, RecentRows, resourcePagesOver, ServiceLimiters } from '@understudy/aws';
import { CloudSim, inProcessService, inProcessTransport, seedInstance } from '@understudy/cloud-sim';
import { Crawler, KINDS, SqlHistory, SqliteSql } from '@understudy/inventory';
import { gatherPlanInput } from '@understudy/recovery';
import { DEFAULT_POLICY } from '@understudy/shared';
import { SeededRandom, SimClock } from '@understudy/shared/testing';
import { afterEach, expect, test } from 'vitest';

const FRESH_MS = 300_000;
const BY_CRAWLS = [
  ...['DescribeInstances', 'DescribeVolumes', 'DescribeNetworkInterfaces', 'DescribeSubnets'],
] as const;

let sim: CloudSim;
afterEach(() => sim.close());

async function setUp() {
  const clock = new SimClock();
  sim = new CloudSim({ clock });
  const { instanceId } = seedInstance(sim, { elasticIp: true, tags: { Name: 'db-1' } });
  await clock.advance(FRESH_MS);
  const ec2 = inProcessTransport(sim);
  const recent = new RecentRows(clock, FRESH_MS);
  const limiters = new ServiceLimiters({ clock });
  const how = { clock, random: new SeededRandom(1), callTimeoutMs: 5_000, limiters, limiter: limiters.of('ec2') };
  const transports: Record<'ec2' | 'elbv2' | 'route53', Ec2Transport> = {
    ...{ ec2, elbv2: inProcessService(sim, 'elasticloadbalancing'), route53: inProcessService(sim, 'route53') },
  };
  const pages = resourcePagesOver({ transports, ...how, recent });
  const history = await SqlHistory.over(SqliteSql.open(':memory:'));
  const crawler = new Crawler({
    pages,
    history,
    clock,
    paceMs: 1,
    gapMs: 60_000,
    scopes: { 'hosted-zone': [], 'target-group': [] },
  });
  const never = new AbortController().signal;
  const all = async () => {
    for (const kind of KINDS) if (kind.scope === null) await crawler.crawl(kind, { term: 1, writer: 'c1' }, never);
  };
  const seen = createEc2Cloud({ transport: ec2, ...how, recent });
  const direct = createEc2Cloud({ transport: ec2, ...how });
  const gather = (cloud: typeof seen) =>
    clock.runUntilSettled(gatherPlanInput(cloud, instanceId, DEFAULT_POLICY, { wallMs: () => 0 }));
  const calls = () => Object.fromEntries(BY_CRAWLS.map((action) => [action, sim.log.calls(action).length]));
  return { clock, instanceId, recent, seen, direct, gather, calls, crawl: () => clock.runUntilSettled(all()) };
}

test('a plan gathered from what crawls saw is the plan that is gathered from EC2, without those calls', async () => {
  const { seen, direct, gather, calls, crawl, recent } = await setUp();
  await gather(seen);
  await crawl();
  const before = calls();
  const spared = recent.answered;
  const fromCrawls = await gather(seen);
  expect(calls()).toEqual(before);
  expect(recent.answered - spared).toBeGreaterThanOrEqual(BY_CRAWLS.length);
  expect(fromCrawls).toEqual(await gather(direct));
});

test('what changed since is asked for once the rows are too old, and shown by the next crawl', async () => {
  const { clock, instanceId, seen, gather, crawl } = await setUp();
  await gather(seen);
  await crawl();
  sim.seed('CreateTags', { Resources: [instanceId], Tags: [{ Key: 'Name', Value: 'db-2' }] });
  expect((await gather(seen)).instance.tags).toMatchObject({ Name: 'db-1' });
  await clock.advance(FRESH_MS + 1_000);
  expect((await gather(seen)).instance.tags).toMatchObject({ Name: 'db-2' });
  sim.seed('CreateTags', { Resources: [instanceId], Tags: [{ Key: 'Name', Value: 'db-3' }] });
  await clock.advance(10_000);
  await crawl();
  expect((await gather(seen)).instance.tags).toMatchObject({ Name: 'db-3' });
});

test('a cloud without those rows, as evidence and recoveries have it, asks EC2 itself', async () => {
  const { direct, seen, gather, crawl, calls } = await setUp();
  await gather(seen);
  await crawl();
  const before = calls();
  await gather(direct);
  for (const [action, count] of Object.entries(calls()))
    expect([action, count]).toEqual([action, (before[action] ?? 0) + 1]);
});
