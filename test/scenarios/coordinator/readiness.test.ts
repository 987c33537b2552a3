import { type MemberId, MemberRecordSchema, parseRecord } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { KEYS, ScenarioCluster, type ScenarioClusterOptions } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const SUBNET_B = 'subnet-0000000000000d00b';
const TEN_MINUTES_MS = 600_000;

/** What etcd says of the member's readiness. */
function problemsOf(world: ScenarioCluster, member: MemberId): readonly string[] {
  const [entry] = world.kv.entries(KEYS.member(member));
  if (!entry) throw new Error(`${member} is not enrolled`);
  return parseRecord(MemberRecordSchema, entry.key, entry.value).readinessProblems.map((one) => one.code);
}

async function started(request: Record<string, unknown>, options: ScenarioClusterOptions = {}, userData = 'x') {
  const world = new ScenarioCluster(options);
  const old = world.seed(DB1, { request, userData });
  // The others keep one failure from being a mass failure.
  for (const name of ['db2', 'db3', 'db4']) world.seed(`prod/${name}`, { az: 'us-east-1b' });
  await world.up();
  return { world, old };
}

async function replaced(world: ScenarioCluster, instanceId: string): Promise<void> {
  world.crash(instanceId);
  await world.until('replaced', () => world.history(DB1).length > 0, 3_600_000);
  world.expectReplaced(DB1, instanceId);
}

const launched = (world: ScenarioCluster, oldId: string) =>
  world.sim.core.region.instances.get(world.launchedFor(oldId)[0] ?? '')?.request;

describe('what the failed instance names and is gone', () => {
  test('a deleted key pair is found at enrolment or within ten minutes, and left out of the launch', async () => {
    const { world, old } = await started({ KeyName: 'gone' });
    expect(problemsOf(world, DB1)).toEqual([]);
    world.sim.seed('DeleteKeyPair', { KeyName: 'gone' });
    await world.until('found', () => problemsOf(world, DB1).includes('KeyPairGone'), TEN_MINUTES_MS + 60_000);
    await replaced(world, old.instanceId);
    expect(launched(world, old.instanceId)?.KeyName).toBeUndefined();
    expect(world.sim.log.calls('RunInstances').filter((call) => call.outcome !== 'ok')).toEqual([]);
  });

  test('also when it went just before the failure', async () => {
    const { world, old } = await started({ KeyName: 'gone' });
    world.sim.seed('DeleteKeyPair', { KeyName: 'gone' });
    await replaced(world, old.instanceId);
    expect(launched(world, old.instanceId)?.KeyName).toBeUndefined();
  });

  test('a profile is asked about by a launch that is tried, at its own pace, and never launches', async () => {
    const { world, old } = await started(
      { IamInstanceProfile: { Name: 'db' } },
      { coordinators: 1, loop: { tryLaunchEveryMs: 3 * TEN_MINUTES_MS } },
    );
    const tries = () => world.sim.log.calls('RunInstances').filter((call) => call.input['DryRun'] === true);
    await world.until('tried', () => tries().length > 0, 60_000);
    await world.clock.advance(2 * TEN_MINUTES_MS);
    expect(tries().map((call) => call.outcome)).toEqual(['DryRunOperation']);
    expect([world.launches, problemsOf(world, DB1)]).toEqual([0, []]);
    await world.clock.advance(2 * TEN_MINUTES_MS);
    expect(tries()).toHaveLength(2);
    world.sim.setInstanceProfile('db', false);
    await world.until('found', () => problemsOf(world, DB1).includes('InstanceProfileGone'), 5 * TEN_MINUTES_MS);
    world.sim.setInstanceProfile('db', true);
    await world.until('found again', () => problemsOf(world, DB1).length === 0, 2 * TEN_MINUTES_MS);
    await replaced(world, old.instanceId);
    expect(world.launches).toBe(1);
  });

  test('a describe that is denied says nothing: the name is carried', async () => {
    const world = new ScenarioCluster();
    const old = world.seed(DB1, { request: { KeyName: 'ops' } });
    world.sim.setDeniedActions(['DescribeKeyPairs', 'DescribeInstanceTypeOfferings', 'DescribeRouteTables']);
    for (const name of ['db2', 'db3', 'db4']) world.seed(`prod/${name}`, { az: 'us-east-1b' });
    await world.up();
    expect(problemsOf(world, DB1)).toEqual([]);
    await replaced(world, old.instanceId);
    expect(launched(world, old.instanceId)?.KeyName).toBe('ops');
    expect(world.sim.log.calls('DescribeKeyPairs').map((call) => call.outcome)).toContain('UnauthorizedOperation');
  });
});

describe('a candidate that must fail', () => {
  const placements = [
    { subnetId: SUBNET_B, instanceType: 'm7g.large' },
    { subnetId: SUBNET_B, instanceType: 'm6i.large' },
  ];

  test('is shown, and passed over without a launch', async () => {
    const { world, old } = await started({}, { policy: { recover: { placements } } });
    expect(problemsOf(world, DB1)).toEqual(['PlacementArchitecture']);
    const { api } = world.mustLead().coordinator;
    expect(api.explain(DB1)?.readinessProblems).toMatchObject([
      { text: expect.stringContaining('m7g.large is arm64') },
    ]);
    const unready = api.status().problems.filter((one) => one.code === 'MEMBERS_NOT_READY');
    expect(unready.map((one) => one.text)).toEqual([expect.stringContaining('prod/db1 (PlacementArchitecture)')]);
    await replaced(world, old.instanceId);
    expect(launched(world, old.instanceId)?.InstanceType).toBe('m6i.large');
    expect(world.sim.log.calls('RunInstances').filter((call) => call.outcome !== 'ok')).toEqual([]);
  });

  test('holds where it is the only one, and the correction of the policy shows within a minute and suffices', async () => {
    const { world, old } = await started({}, { policy: { recover: { placements: placements.slice(0, 1) } } });
    expect(problemsOf(world, DB1)).toEqual(['PlacementArchitecture', 'NoPlacement']);
    world.crash(old.instanceId);
    await world.until('held', () => world.hold(DB1)?.reason === 'NotReady', 120_000);
    expect([world.intent(DB1), world.launches]).toEqual([null, 0]);
    world.put(KEYS.group('prod'), {
      group: 'prod',
      policy: { guard: { bootGraceMs: 0 }, recover: { placements: placements.slice(1) } },
    });
    await world.until('replaced', () => world.history(DB1).length > 0, 3_600_000);
    world.expectReplaced(DB1, old.instanceId);
  });

  test('shows in a zone where the type is not sold, soon after the policy names it', async () => {
    const { world } = await started({});
    world.sim.setOffered('us-east-1b', 'm6i.large', false);
    world.put(KEYS.group('prod'), {
      group: 'prod',
      policy: { guard: { bootGraceMs: 0 }, recover: { placements: placements.slice(1) } },
    });
    await world.until('found', () => problemsOf(world, DB1).includes('PlacementNotOffered'), 120_000);
    world.put(KEYS.group('prod'), { group: 'prod', policy: { guard: { bootGraceMs: 0 } } });
    await world.until('gone again', () => problemsOf(world, DB1).length === 0, 120_000);
  });
});

describe('an organisation that refuses what carries no tags', () => {
  test("gets them on everything that a recovery makes, when they are in the group's policy", async () => {
    const tags = { CostCenter: '7', Owner: 'sre' };
    const { world, old } = await started({}, { policy: { recover: { tags } } });
    world.sim.setRequiredTags(Object.keys(tags));
    await replaced(world, old.instanceId);
    const { snapshots, images } = world.sim.core.region;
    const opId = world.history(DB1)[0]?.opId;
    const made = [...snapshots.all(), ...images.all()].filter((one) => one.tags['understudy:op'] === opId);
    expect(made.length).toBeGreaterThanOrEqual(2);
    for (const one of made) expect(one.tags).toMatchObject(tags);
  });
});

describe('user data that formats the restored disk', () => {
  const userData = '#cloud-config\nfs_setup:\n- { device: /dev/sdf, filesystem: ext4, overwrite: true }\n';

  /** A member with a data disk, under the policy; what its replacement's first boot formatted. */
  async function recovered(firstBootFormatting: 'neutralise' | 'allow', text = userData) {
    const world = new ScenarioCluster({ policy: { recover: { firstBootFormatting } } });
    const old = world.seed(DB1, { userData: text, dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 1 }] });
    for (const name of ['db2', 'db3', 'db4']) world.seed(`prod/${name}`, { az: 'us-east-1b' });
    await world.up();
    expect(problemsOf(world, DB1)).toEqual([]);
    await replaced(world, old.instanceId);
    const fresh = world.sim.core.region.instances.get(world.launchedFor(old.instanceId)[0] ?? '');
    return { world, fresh, formatted: fresh?.firstBoot?.formatted };
  }

  test('is a readiness problem, and nothing is launched on it', async () => {
    const { world, old } = await started({}, {}, userData);
    expect(problemsOf(world, DB1)).toEqual(['FirstBootFormats']);
    world.crash(old.instanceId);
    await world.until('held', () => world.hold(DB1)?.reason === 'NotReady', 120_000);
    expect(world.hold(DB1)?.text).toContain('fs_setup: /dev/sdf');
    expect([world.intent(DB1), world.launches]).toEqual([null, 0]);
  });

  test('formats nothing when it is neutralised, also at the second recovery', async () => {
    const { world, fresh, formatted } = await recovered('neutralise');
    expect([fresh?.firstBoot?.ran, formatted]).toEqual([['cloud-config', 'cloud-config'], []]);
    expect(Buffer.from(fresh?.userData ?? '', 'base64').toString()).toContain(userData);
    expect(problemsOf(world, DB1)).toEqual([]);
  });

  test('does format when the policy allows it: the simulated cloud-init shows what was at stake', async () => {
    const { formatted } = await recovered('allow');
    expect(formatted).toMatchObject([{ device: '/dev/sdf', by: 'fs_setup' }]);
  });
});
