import { describe, expect, test } from 'vitest';
import { ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const DB2 = 'prod/db2';
const DB3 = 'prod/db3';
const LOST = 'us-east-1c';
/** Longer than any answer stays fresh: the listing a minute, an instance's state 6.5 s. */
const LONG_MS = 120_000;

async function started() {
  const world = new ScenarioCluster();
  const old = world.seed(DB1, { az: 'us-east-1a' });
  world.seed(DB2, { az: 'us-east-1b' });
  const lost = world.seed(DB3, { az: LOST });
  await world.up();
  return { world, old, lost };
}
const explained = (world: ScenarioCluster, member: typeof DB1 | typeof DB2 | typeof DB3) => {
  const view = world.mustLead().coordinator.api.explain(member);
  if (!view) throw new Error(`${member} is unknown`);
  return view;
};
const ageOf = (view: ReturnType<typeof explained>, source: string) =>
  view.evidence.find((item) => item.source === source)?.ageMs ?? Number.POSITIVE_INFINITY;

describe('a zone is lost to EC2', () => {
  test('members elsewhere keep fresh evidence and open gates; only those in it are blind', async () => {
    const { world } = await started();
    world.sim.setZoneImpaired(LOST, true);
    await world.clock.advance(LONG_MS);
    for (const member of [DB1, DB2] as const) {
      const view = explained(world, member);
      expect(ageOf(view, 'ec2 state')).toBeLessThan(6_500);
      expect(ageOf(view, 'ec2 status checks')).toBeLessThan(6_500);
      expect(view.gates.filter((one) => !one.passes)).toEqual([]);
    }
    expect(ageOf(explained(world, DB3), 'ec2 state')).toBeGreaterThan(LONG_MS / 2);
    expect(
      world
        .mustLead()
        .coordinator.api.notReady()
        .map((one) => one.text)
        .join(),
    ).toContain(LOST);
    world.sim.setZoneImpaired(LOST, false);
    await world.clock.advance(20_000);
    expect(ageOf(explained(world, DB3), 'ec2 state')).toBeLessThan(6_500);
    expect(world.mustLead().coordinator.api.notReady()).toEqual([]);
    world.expectHealthy();
  });

  test('asking goes on at the same pace: the zone that fails uses up nobody’s calls', async () => {
    const { world } = await started();
    const asked: ('DescribeInstances' | 'DescribeInstanceStatus')[] = [];
    let failed = 0;
    const stop = world.sim.onEvent((event) => {
      if (event.kind !== 'call') return;
      if (event.action !== 'DescribeInstances' && event.action !== 'DescribeInstanceStatus') return;
      asked.push(event.action);
      if (event.outcome !== 'ok') failed++;
    });
    const callsIn = async (periodMs: number) => {
      asked.length = 0;
      await world.clock.advance(periodMs);
      return asked.length;
    };
    const before = await callsIn(60_000);
    expect([before > 0, failed]).toEqual([true, 0]);
    world.sim.setZoneImpaired(LOST, true);
    // The listing falls back to zone by zone (four times a minute), and the answers of the lost
    // zone are failures: no more than that.
    expect(await callsIn(60_000)).toBeLessThanOrEqual(before + 4 * 4);
    expect(failed).toBeGreaterThan(0);
    // Far below the 20 a second that EC2 refills (12 a second is our share).
    expect(asked.length / 60).toBeLessThan(6);
    stop();
  });

  test('a member that dies elsewhere meanwhile is replaced, one in it is held, says why, and is replaced afterwards', async () => {
    const { world, old, lost } = await started();
    world.sim.setZoneImpaired(LOST, true);
    await world.clock.advance(LONG_MS);
    world.crash(lost.instanceId);
    await world.until('held', () => world.hold(DB3) !== null, 60_000);
    expect(world.hold(DB3)).toMatchObject({ reason: 'CloudUnavailable', text: expect.stringContaining(LOST) });
    world.crash(old.instanceId);
    await world.until('replaced', () => world.history(DB1).length > 0, 600_000);
    world.expectReplaced(DB1, old.instanceId);
    expect([world.intent(DB3), world.launchedFor(lost.instanceId)]).toEqual([null, []]);
    world.sim.setZoneImpaired(LOST, false);
    await world.until('replaced too', () => world.history(DB3).length > 0, 3_600_000);
    world.expectReplaced(DB3, lost.instanceId);
    world.expectHealthy();
  });

  test('a claim on a member by an instance in it is held, though nobody can see whether it runs', async () => {
    const { world } = await started();
    const twin = world.seed(DB1, { az: LOST });
    world.sim.setZoneImpaired(LOST, true);
    await world.until('held', () => world.hold(DB1)?.reason === 'ClaimAgainstActivation', 60_000);
    await world.clock.advance(LONG_MS);
    expect(world.hold(DB1)?.text).toContain(twin.instanceId);
    expect(world.hold(DB2)).toBeNull();
  });

  test('all zones lost is EC2 lost: nothing is decided', async () => {
    const { world, old } = await started();
    for (const az of ['us-east-1a', 'us-east-1b', LOST]) world.sim.setZoneImpaired(az, true);
    await world.clock.advance(LONG_MS);
    world.crash(old.instanceId);
    await world.until('held', () => world.hold(DB1)?.reason === 'CloudUnavailable', 60_000);
    expect(world.intent(DB1)).toBeNull();
    expect(explained(world, DB1).gates.find((one) => one.gate === 'ObserverUnwell')?.passes).toBe(false);
  });
});
