import { TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const HOUR_MS = 3_600_000;

async function started(options: ConstructorParameters<typeof ScenarioCluster>[0] = {}) {
  const world = new ScenarioCluster(options);
  const old = world.seed(DB1);
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  return { world, old };
}

/** Whatever the hold: nothing is begun and nothing launched while it stands. */
async function expectHeld(world: ScenarioCluster, reason: string) {
  await world.until(`held: ${reason}`, () => world.hold(DB1)?.reason === reason, 60_000);
  await world.clock.advance(60_000);
  expect(world.hold(DB1)).toMatchObject({ reason, opId: null });
  expect([world.intent(DB1), world.launches]).toEqual([null, 0]);
}

describe('a dead member is held, visibly, and recovered when the reason goes', () => {
  test.each(['global', 'group/prod', 'member/prod/db1'])('paused: %s', async (scope) => {
    const { world, old } = await started();
    world.pause(scope);
    world.crash(old.instanceId);
    await expectHeld(world, 'Paused');
    expect(world.hold(DB1)?.text).toContain('ann');
    world.remove(KEYS.pause(scope));
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    world.expectReplaced(DB1, old.instanceId);
  });

  test('two instances claim it', async () => {
    const { world, old } = await started();
    const twin = world.seed(DB1);
    await world.until('held', () => world.hold(DB1)?.reason === 'ClaimAgainstActivation', 60_000);
    world.crash(old.instanceId);
    await expectHeld(world, 'ClaimAgainstActivation');
    expect(world.hold(DB1)?.text).toContain(twin.instanceId);
    world.sim.takeDown(twin.instanceId, 'Client.UserInitiatedShutdown', 'terminate');
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    world.expectReplaced(DB1, old.instanceId);
  });

  test.each([
    ['members', KEYS.member(DB1)],
    ['activations', KEYS.activation(DB1)],
    ['opinions', KEYS.opinion(DB1, 'c9')],
    ['groups', KEYS.group('prod')],
    ['pauses', KEYS.pause('global')],
  ])(
    'a record under %s cannot be read; nothing of it is overwritten, and it goes on once it is corrected',
    async (_, key) => {
      const { world, old } = await started();
      const good = world.kv.entries(key).find((one) => one.key === key)?.value;
      world.put(key, '{"schemaVersion":99,"from":"the future"}');
      world.crash(old.instanceId);
      await expectHeld(world, 'RecordUnreadable');
      expect(world.hold(DB1)?.text).toContain(key);
      expect(world.kv.entries(key)[0]?.value).toContain('the future');
      if (good === undefined) world.remove(key);
      else world.put(key, good);
      await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
      world.expectHealthy();
    },
  );

  test('its journal cannot be read: the open recovery is held until it can', async () => {
    const { world, old } = await started();
    world.crash(old.instanceId);
    const fenceKey = () => world.kv.entries(KEYS.journal).find((e) => e.key.endsWith('/fence'));
    await world.until('fence begun', () => fenceKey() !== undefined, 60_000);
    const { key = '' } = fenceKey() ?? {};
    world.put(key, '{}');
    await world.until('held', () => world.hold(DB1)?.reason === 'RecordUnreadable', 60_000);
    await world.clock.advance(60_000);
    expect([world.launches, world.history(DB1).length]).toEqual([0, 0]);
    expect(world.intent(DB1)).not.toBeNull();
    world.expectHealthy();
  });

  test('a mass failure', async () => {
    const world = new ScenarioCluster();
    const names = Array.from({ length: 8 }, (_, i) => `prod/m${i}` as const);
    const seeded = names.map((name, i) => world.seed(name, { az: `us-east-1${'abc'[i % 3] ?? 'a'}` }));
    await world.up();
    for (const one of seeded.slice(0, 4)) world.crash(one.instanceId);
    await world.until(
      'held',
      () => names.slice(0, 4).every((name) => world.hold(name)?.reason === 'MassFailure'),
      60_000,
    );
    await world.clock.advance(HOUR_MS);
    expect(world.launches).toBe(0);
    for (const name of names.slice(0, 4)) expect(world.hold(name)?.reason).toBe('MassFailure');
  });

  test('more deaths than the budget allows are recovered one after the other', async () => {
    const world = new ScenarioCluster({
      policy: { guard: { concurrency: 10 } },
      guard: { massMinimum: 10, zoneMinimum: 10, budgetPerMinute: 1, budgetBurst: 1 },
    });
    const seeded = (['prod/m0', 'prod/m1', 'prod/m2'] as const).map((name) => world.seed(name));
    for (let i = 3; i < 8; i++) world.seed(`prod/m${i}`);
    await world.up();
    for (const one of seeded) world.crash(one.instanceId);
    const countOf = (prefix: string) => world.kv.entries(prefix).length;
    await world.until(
      'one begun, the others wait',
      () => countOf(KEYS.intents) === 1 && countOf(KEYS.holds) === 2,
      60_000,
    );
    await world.until('all replaced', () => world.kv.entries(KEYS.history).length === 3, HOUR_MS);
    const starts = world.kv
      .entries(KEYS.history)
      .map((entry) => (JSON.parse(entry.value) as { startedAtWallMs: number }).startedAtWallMs)
      .sort((a, b) => a - b);
    expect((starts[1] ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(59_000);
    expect((starts[2] ?? 0) - (starts[1] ?? 0)).toBeGreaterThanOrEqual(59_000);
    expect(world.launches).toBe(3);
  });

  test('EC2 refuses the credentials: held and not ready, then recovered', async () => {
    const { world, old } = await started();
    world.sim.setDeniedActions(['DescribeInstances', 'DescribeInstanceStatus']);
    world.crash(old.instanceId);
    await expectHeld(world, 'CloudDenied');
    expect(
      world
        .mustLead()
        .coordinator.api.notReady()
        .map((one) => one.code),
    ).toContain('CLOUD_DENIED');
    world.sim.setDeniedActions([]);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    expect(world.mustLead().coordinator.api.notReady()).toEqual([]);
    world.expectReplaced(DB1, old.instanceId);
  });

  test('it is protected by tag', async () => {
    const world = new ScenarioCluster();
    const old = world.seed(DB1, { tags: { [TAG.protected]: 'true' } });
    await world.up();
    world.crash(old.instanceId);
    await expectHeld(world, 'Protected');
  });

  test('only one observer is left: it may not decide alone', async () => {
    const { world, old } = await started();
    const leader = world.mustLead();
    for (const node of world.nodes) if (node !== leader) world.kill(node);
    await world.clock.advance(15_000);
    world.crash(old.instanceId);
    await expectHeld(world, 'NotEnoughObservers');
  });
});

describe('instances that are no members', () => {
  test('bad tags enrol nobody and are on show', async () => {
    const world = new ScenarioCluster();
    world.seed('prod/db1');
    world.seed('prod/x', { memberTag: 'NOT A NAME' });
    world.seed('prod/y', { memberTag: 'other/y' });
    await world.up();
    expect(world.kv.entries(KEYS.members).map((one) => one.key)).toEqual([KEYS.member('prod/db1')]);
    const { problems = [] } = world.mustLead().coordinator.api.status();
    expect(problems.map((one) => one.code).sort()).toEqual(['GroupMismatch', 'NameInvalid']);
    expect(world.mustLead().coordinator.api.notReady()).toEqual([]);
  });

  test('two claim a member nobody is activated for: none is enrolled, the hold says which', async () => {
    const world = new ScenarioCluster();
    const [one, two] = [world.seed(DB1), world.seed(DB1)];
    await world.up();
    expect(world.activation(DB1)).toBeNull();
    expect(world.hold(DB1)).toMatchObject({ reason: 'TwoInstancesClaimMember' });
    expect(world.hold(DB1)?.text).toContain(one.instanceId);
    world.sim.takeDown(two.instanceId, 'Client.UserInitiatedShutdown', 'terminate');
    await world.until('enrolled', () => world.activation(DB1)?.instanceId === one.instanceId, 120_000);
    await world.until('hold gone', () => world.hold(DB1) === null, 60_000);
  });
});
