import { describe, expect, test } from 'vitest';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const HOUR_MS = 3_600_000;

/** Three coordinators, two members; the first has an address and a data volume. */
async function started(options: ConstructorParameters<typeof ScenarioCluster>[0] = {}) {
  const world = new ScenarioCluster(options);
  const old = world.seed(DB1, { elasticIp: true, dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 10 }] });
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  return { world, old };
}

describe('coordinators with a dead member', () => {
  test('it is replaced, once, within the detection budget, by whoever leads', async () => {
    const { world, old } = await started();
    expect(world.activation(DB1)).toMatchObject({ instanceId: old.instanceId, incarnation: 1 });
    world.crash(old.instanceId);
    const detectMs = await world.until('intent', () => world.intent(DB1) !== null, 30_000);
    expect(detectMs).toBeGreaterThanOrEqual(8_000);
    expect(detectMs).toBeLessThanOrEqual(11_000);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    await world.clock.advance(30_000);
    world.expectReplaced(DB1, old.instanceId);
    expect(world.launches).toBe(1);
    world.expectHealthy();
  });

  test('the same with the agents of production: the replacement serves, the old machine does not', async () => {
    const { world, old } = await started({ agents: 'production' });
    expect(world.machines.of(old.instanceId)?.serves).toBe(true);
    world.crash(old.instanceId);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    await world.clock.advance(30_000);
    world.expectReplaced(DB1, old.instanceId);
    const serving = [...world.machines.all].filter(({ serves }) => serves).map(({ identity }) => identity);
    expect(serving.filter(({ member }) => member === DB1).map(({ instanceId }) => instanceId)).toEqual(
      world.launchedFor(old.instanceId),
    );
    expect(serving).toHaveLength(2);
  });

  test('the replacement hears that it is active, the member record follows it', async () => {
    const { world, old } = await started();
    world.crash(old.instanceId);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    await world.clock.advance(30_000);
    const [newId = ''] = world.launchedFor(old.instanceId);
    expect([...(world.agents.get(newId)?.told.values() ?? [])]).toEqual(['active', 'active', 'active']);
    const member = world
      .mustLead()
      .coordinator.api.members()
      .find((one) => one.member === DB1);
    expect(member).toMatchObject({ instanceId: newId, incarnation: 2, verdict: 'alive', recovery: null, hold: null });
  });

  test('the leader dies in the middle: its successor finishes the same recovery, with one launch', async () => {
    const { world, old } = await started();
    world.crash(old.instanceId);
    await world.until(
      'launch begun',
      () => world.kv.entries(KEYS.journal).some((e) => e.key.endsWith('/launch-1')),
      HOUR_MS,
    );
    const first = world.mustLead();
    world.kill(first);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    expect(world.mustLead().id).not.toBe(first.id);
    await world.clock.advance(30_000);
    world.expectReplaced(DB1, old.instanceId);
    expect(world.history(DB1)[0]?.leaderChanges).toBe(1);
  });

  test('the leader resigns in the middle: hand-over without waiting for a lease', async () => {
    const { world, old } = await started();
    world.crash(old.instanceId);
    await world.until(
      'fence begun',
      () => world.kv.entries(KEYS.journal).some((e) => e.key.endsWith('/fence')),
      HOUR_MS,
    );
    const first = world.mustLead();
    await world.stop(first);
    const tookMs = await world.until('another leads', () => world.leader() !== null, 5_000);
    expect(tookMs).toBeLessThanOrEqual(500);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    world.expectReplaced(DB1, old.instanceId);
  });

  test('the leader is paused for 2 × TTL in the middle: it steps down, does nothing, its successor finishes', async () => {
    const { world, old } = await started();
    world.crash(old.instanceId);
    await world.until(
      'capture begun',
      () => world.kv.entries(KEYS.journal).some((e) => e.key.endsWith('/capture')),
      HOUR_MS,
    );
    const first = world.mustLead();
    first.clock.pause();
    await world.clock.advance(20_000);
    expect(first.clock.heldBackCount).toBeGreaterThan(0);
    first.clock.resume();
    expect(first.coordinator.leadership.current()).toBeNull();
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    await world.clock.advance(30_000);
    world.expectReplaced(DB1, old.instanceId);
    world.expectHealthy();
  });

  test('paused for an hour between decision and intent: what it knew then begins nothing', async () => {
    const { world, old } = await started();
    world.crash(old.instanceId);
    const first = world.mustLead();
    await world.until('dead here', () => first.coordinator.leader.judged(DB1)?.verdict === 'dead', 30_000);
    first.clock.pause();
    expect(world.intent(DB1)).toBeNull();
    await world.until('a successor began it', () => world.intent(DB1) !== null, 60_000);
    const begun = world.intent(DB1);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    await world.clock.advance(HOUR_MS);
    first.clock.resume();
    await world.clock.advance(60_000);
    expect(world.intent(DB1)).toBeNull();
    expect(world.history(DB1)).toHaveLength(1);
    expect(world.history(DB1)[0]?.startedAtWallMs).toBe(begun?.startedAtWallMs);
    expect(world.launches).toBe(1);
  });

  test('a new leader does not decide again what its predecessor decided, also after it is finished', async () => {
    const { world, old } = await started();
    world.crash(old.instanceId);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    world.kill(world.mustLead());
    await world.until('another leads', () => world.leader() !== null, 30_000);
    await world.clock.advance(120_000);
    world.expectReplaced(DB1, old.instanceId);
    expect(world.launches).toBe(1);
  });
});

describe('what is left alone', () => {
  test('an instance an operator stopped has left: nothing is begun, nothing is held', async () => {
    const { world, old } = await started();
    world.sim.takeDown(old.instanceId, 'Client.UserInitiatedShutdown', 'stop');
    await world.until('its agent is gone', () => !world.agents.has(old.instanceId), 120_000);
    await world.clock.advance(120_000);
    expect(world.mustLead().coordinator.leader.judged(DB1)).toMatchObject({ verdict: 'left' });
    expect([world.intent(DB1), world.hold(DB1), world.launches]).toEqual([null, null, 0]);
  });

  test('etcd is gone for a while: no recovery begins, the one under way parks, and goes on afterwards', async () => {
    const { world, old } = await started();
    const other = world.activation('prod/db2')?.instanceId ?? '';
    world.crash(old.instanceId);
    await world.until(
      'fence begun',
      () => world.kv.entries(KEYS.journal).some((e) => e.key.endsWith('/fence')),
      HOUR_MS,
    );
    for (const node of world.nodes) node.kv.cut();
    world.crash(other);
    const before = world.kv.revision;
    await world.clock.advance(120_000);
    expect(world.nodes.reduce((sum, node) => sum + node.kv.fired.cutRequest, 0)).toBeGreaterThan(0);
    expect(world.launches).toBe(0);
    expect(world.leader()).toBeNull();
    for (const node of world.nodes)
      expect(node.coordinator.api.notReady().map((one) => one.code)).toContain('STORE_UNAVAILABLE');
    expect(world.kv.revision - before).toBeLessThan(20);
    for (const node of world.nodes) node.kv.heal();
    await world.until('first replaced', () => world.history(DB1).length > 0, HOUR_MS);
    world.expectReplaced(DB1, old.instanceId);
    await world.until('second replaced', () => world.history('prod/db2').length > 0, HOUR_MS);
    world.expectHealthy();
  });
});
