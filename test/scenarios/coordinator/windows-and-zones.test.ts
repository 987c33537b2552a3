import { type PolicyChange, joinedChanges } from '@understudy/shared/testing';
import { DEFAULT_POLICY, type MemberId } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { KEYS, ScenarioCluster, type ScenarioClusterOptions } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const HOUR_MS = 3_600_000;
const LOST = 'us-east-1c';
/**
 * The simulated day begins at midnight UTC, and a world is up after 40 s: this window opens 20 s
 * later, for ten minutes.
 */
const WINDOW = { cron: '1 0 * * *', durationMs: 600_000, timeZone: 'UTC' };
const OPENS = Date.UTC(2026, 0, 1, 0, 1);

async function started(options: ScenarioClusterOptions = {}) {
  const world = new ScenarioCluster({
    ...options,
    policy: joinedChanges({ guard: { maintenanceWindows: [WINDOW] } }, options.policy),
  });
  const old = world.seed(DB1);
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  expect(world.clock.wallMs()).toBe(OPENS - 20_000);
  return { world, old };
}

describe('a maintenance window', () => {
  test('no recovery begins while it is open; the hold says until when, explain says which; it begins right after', async () => {
    const { world, old } = await started();
    await world.clock.advance(60_000);
    world.crash(old.instanceId);
    await world.until('held', () => world.hold(DB1)?.reason === 'MaintenanceWindow', 60_000);
    const text = 'in the maintenance window 1 0 * * * (UTC) for 10 min 0 s';
    expect(world.hold(DB1)).toMatchObject({ untilWallMs: OPENS + WINDOW.durationMs, opId: null, text });
    const view = world.mustLead().coordinator.api.explain(DB1);
    const untilWallMs = OPENS + WINDOW.durationMs;
    expect(view?.decision).toMatchObject({ kind: 'hold', reason: 'MaintenanceWindow', untilWallMs });
    expect(view?.gates.find(({ gate }) => gate === 'MaintenanceWindow')).toMatchObject({ passes: false, value: text });
    const follower = world.nodes.find((node) => node.coordinator.leadership.current() === null);
    const gates = follower?.coordinator.api.explain(DB1)?.gates;
    expect(gates?.find(({ gate }) => gate === 'MaintenanceWindow')).toMatchObject({ passes: false, value: text });
    await world.until('the end of it', () => world.clock.wallMs() >= untilWallMs - 200, HOUR_MS);
    expect([world.intent(DB1), world.launches]).toEqual([null, 0]);
    await world.until('begun', () => world.intent(DB1) !== null, 5_000);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    world.expectReplaced(DB1, old.instanceId);
    world.expectHealthy();
  });

  test('one that opens while a recovery is being planned stops it: the guard is asked again before the intent', async () => {
    const { world, old } = await started({ latency: { 'api.DescribeVolumes.response': [2_500, 2_500] } });
    await world.clock.advance(10_000);
    world.crash(old.instanceId);
    await world.until('held', () => world.hold(DB1)?.reason === 'MaintenanceWindow', 60_000);
    const refused = world.nodes.flatMap((node) => node.log.lines.filter((one) => one.event === 'recovery.not_begun'));
    // It had been let through, or nothing would have been planned.
    expect(refused[0]?.fields).toMatchObject({ member: DB1, text: expect.stringContaining('maintenance window') });
    expect(world.intent(DB1)).toBeNull();
  });

  test('one that opens while a recovery runs does not stop it: half a recovery helps nobody', async () => {
    const { world, old } = await started();
    world.crash(old.instanceId);
    await world.until('begun', () => world.intent(DB1) !== null, 15_000);
    expect(world.clock.wallMs()).toBeLessThan(OPENS);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    expect(world.clock.wallMs()).toBeLessThan(OPENS + WINDOW.durationMs);
    world.expectReplaced(DB1, old.instanceId);
  });

  test('a group record written before there were windows is read, and has none', async () => {
    const { world, old } = await started();
    const { schemaVersion, writeId, writtenBy, writtenAtWallMs } = JSON.parse(
      world.kv.entries(KEYS.member(DB1))[0]?.value ?? '{}',
    ) as Record<string, unknown>;
    const written = { schemaVersion, writeId, writtenBy, writtenAtWallMs };
    world.put(KEYS.group('prod'), JSON.stringify({ ...written, group: 'prod', policy: { guard: { bootGraceMs: 0 } } }));
    await world.clock.advance(60_000);
    world.crash(old.instanceId);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    expect(world.clock.wallMs()).toBeLessThan(OPENS + WINDOW.durationMs);
    world.expectReplaced(DB1, old.instanceId);
  });
});

/** Nine members, three per zone. */
async function nine(policy: (world: ScenarioCluster) => PolicyChange, options: ScenarioClusterOptions = {}) {
  const probe = new ScenarioCluster();
  const world = new ScenarioCluster({ ...options, policy: policy(probe) });
  const members = Array.from({ length: 9 }, (_, i): MemberId => `prod/m${i}`);
  const seeded = new Map(members.map((member, i) => [member, world.seed(member, { az: `us-east-1${'abc'[i % 3]}` })]));
  await world.up();
  const inLost = members.filter((_, i) => i % 3 === 2);
  const crash = (some: readonly MemberId[]) => {
    for (const member of some) world.crash(seeded.get(member)?.instanceId ?? '');
  };
  return { world, members, inLost, seeded, crash };
}
const subnetIn = (world: ScenarioCluster, az: string) => ({ subnetId: world.sim.defaultResources.subnets[az] ?? '' });

describe('a lost zone', () => {
  test('by default nobody is replaced, for as long as it lasts', async () => {
    const { world, inLost, crash } = await nine(() => ({}));
    crash(inLost);
    await world.until('held', () => inLost.every((one) => world.hold(one)?.reason === 'MassFailure'), 60_000);
    await world.clock.advance(300_000);
    expect(world.launches).toBe(0);
    expect(inLost.map((one) => world.hold(one)?.reason)).toEqual(inLost.map(() => 'MassFailure'));
  });

  test('where the policy says recover, its members are replaced one after the other, outside of it', async () => {
    const { world, inLost, crash, seeded } = await nine((at) => ({
      guard: { whenZoneLost: 'recover' },
      recover: { placements: [subnetIn(at, LOST), subnetIn(at, 'us-east-1a')] },
    }));
    crash(inLost);
    await world.until('all replaced', () => inLost.every((one) => world.history(one).length > 0), HOUR_MS);
    for (const member of inLost) {
      const old = seeded.get(member)?.instanceId ?? '';
      world.expectReplaced(member, old);
      const launched = world.sim.core.region.instances.get(world.launchedFor(old)[0] ?? '');
      expect(launched?.az).toBe('us-east-1a');
      expect(world.history(member)[0]?.oldAz).toBe(LOST);
    }
    const starts = inLost.map((one) => world.history(one)[0]?.startedAtWallMs ?? 0).sort((a, b) => a - b);
    // One at a time in the group (`concurrency`), two at once and one per minute in the cluster.
    expect((starts[2] ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(59_000);
    expect(world.launches).toBe(3);
    world.expectHealthy();
  });

  test('that makes no snapshots any more: its members come back as their backups have them, within the loss they accept', async () => {
    const { world, inLost, crash, seeded } = await nine((at) => ({
      guard: { whenZoneLost: 'recover' },
      recover: {
        placements: [subnetIn(at, 'us-east-1a')],
        volumes: { ...DEFAULT_POLICY.recover.volumes, maxDataLossMs: HOUR_MS },
      },
    }));
    const backups = inLost.map((member) => seeded.get(member)?.instanceId ?? '');
    for (const InstanceId of backups) world.sim.seed('CreateSnapshots', { InstanceSpecification: { InstanceId } });
    const taken = new Set(world.sim.core.region.snapshots.all().map((one) => one.id));
    world.sim.addFault({ id: 'none', action: 'CreateSnapshots', kind: 'error', code: 'InternalError', times: 1_000 });
    await world.clock.advance(60_000);
    crash(inLost);
    await world.until('all replaced', () => inLost.every((one) => world.history(one).length > 0), HOUR_MS);
    for (const member of inLost) {
      const [launched = ''] = world.launchedFor(seeded.get(member)?.instanceId ?? '');
      const { volumeIds = [] } = world.sim.core.region.instances.get(launched) ?? {};
      const from = volumeIds.map((id) => world.sim.core.region.volumes.get(id)?.snapshotId ?? '');
      expect(from.filter((id) => !taken.has(id))).toEqual([]);
      expect(world.history(member)[0]?.losses?.map((one) => one.code)).toContain('WritesSinceSnapshotLost');
    }
    expect(world.sim.fired('none'), 'nobody asked the lost zone for snapshots').toBe(0);
    world.expectHealthy();
  });

  test('is not what a plan ends up in that was begun just before the zone was lost', async () => {
    const placements = (at: ScenarioCluster) => [subnetIn(at, LOST), subnetIn(at, 'us-east-1a')];
    const slow: ScenarioClusterOptions = { latency: { 'api.DescribeVolumes.response': [3_000, 3_000] } };
    const { world, inLost, crash, seeded } = await nine(
      (at) => ({ guard: { whenZoneLost: 'recover' }, recover: { placements: placements(at) } }),
      slow,
    );
    const [first = DB1, ...others] = inLost;
    crash([first]);
    await world.clock.advance(4_500);
    crash(others);
    const explained = () => world.mustLead().coordinator.api.explain(first);
    const failed = () => explained()?.gates.find(({ gate }) => gate === 'ZoneFailure')?.value ?? '';
    await world.until('lost', () => failed().startsWith('3 of 3'), 10_000);
    // Chosen before, and still being planned.
    expect([explained()?.decision.kind, world.intent(first)]).toEqual(['replace', null]);
    await world.until('begun', () => world.intent(first) !== null, 10_000);
    expect(world.intent(first)?.plan).toMatchObject({ candidates: [{ az: 'us-east-1a' }] });
    await world.until('replaced', () => world.history(first).length > 0, HOUR_MS);
    const [launched = ''] = world.launchedFor(seeded.get(first)?.instanceId ?? '');
    expect(world.sim.core.region.instances.get(launched)?.az).toBe('us-east-1a');
  });

  test('one member elsewhere failed too: it is a mass over several zones, and nothing is begun', async () => {
    const { world, members, inLost, crash } = await nine((at) => ({
      guard: { whenZoneLost: 'recover' },
      recover: { placements: [subnetIn(at, 'us-east-1a')] },
    }));
    const failed = [...inLost, members[0] ?? DB1];
    crash(failed);
    await world.until('held', () => failed.every((one) => world.hold(one)?.reason === 'MassFailure'), 60_000);
    await world.clock.advance(180_000);
    expect(world.launches).toBe(0);
  });

  test('without a placement outside of it the group is told beforehand, and the hold says so when it happens', async () => {
    const { world, inLost, crash } = await nine((at) => ({
      guard: { whenZoneLost: 'recover' },
      recover: { placements: [subnetIn(at, LOST)] },
    }));
    const problemsOf = (member: MemberId) =>
      world
        .mustLead()
        .coordinator.api.members()
        .find((one) => one.member === member)?.readinessProblems ?? [];
    const [member = DB1] = inLost;
    await world.until('noted', () => problemsOf(member).length > 0, HOUR_MS);
    expect(problemsOf(member)).toMatchObject([{ code: 'NoPlacementOutsideZone' }]);
    expect(problemsOf('prod/m0')).toEqual([]);
    crash(inLost);
    await world.until('held', () => world.hold(member)?.reason === 'NoPlacementLeft', 120_000);
    expect(world.hold(member)?.text).toContain(`is in ${LOST}, which is lost`);
    await world.clock.advance(300_000);
    expect([world.launches, world.intent(member)]).toEqual([0, null]);
    expect(world.mustLead().coordinator.api.explain(member)?.decision).toMatchObject({ reason: 'NoPlacementLeft' });
  });
});
