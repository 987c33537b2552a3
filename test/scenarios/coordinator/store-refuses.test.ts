import { describe, expect, test } from 'vitest';
import { World } from './world.ts';

const DB1 = 'prod/db1';
const HOUR_MS = 3_600_000;

async function started(coordinators: number) {
  const world = new World({ coordinators });
  const old = world.seed(DB1);
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  return { world, old };
}

const codesOf = (world: World): readonly (readonly string[])[] =>
  world.nodes
    .filter((node) => !node.stopped)
    .map(({ coordinator }) => coordinator.api.notReady().map((one) => one.code));

describe.each([1, 3])('etcd out of space, with %i coordinators', (coordinators) => {
  test('nobody is ready, a dead member is shown with the cause, and recovered once when the space is freed', async () => {
    const { world, old } = await started(coordinators);
    world.kv.refusesWrites = 'STORE_NO_SPACE';
    await world.clock.advance(20_000);
    for (const codes of codesOf(world)) expect(codes).toContain('STORE_NO_SPACE');
    const asked = world.kv.entries().length;
    world.crash(old.instanceId);
    await world.clock.advance(180_000);
    expect(world.nodes.reduce((sum, { kv }) => sum + kv.fired.refusedWrite, 0)).toBeGreaterThan(10);
    expect([world.launches, world.intent(DB1), world.hold(DB1)]).toEqual([0, null, null]);
    expect(world.kv.entries().length).toBeLessThanOrEqual(asked);
    for (const { coordinator, log } of world.nodes) {
      const { api } = coordinator;
      expect(api.status().problems.map((one) => one.code)).toContain('STORE_NO_SPACE');
      const shown = api.members().find(({ member }) => member === DB1);
      expect(shown?.verdict).not.toBe('alive');
      expect(shown?.hold?.text).toContain('STORE_NO_SPACE');
      const told = api.explain(DB1);
      expect(told?.decision).toMatchObject({ kind: 'hold', text: expect.stringContaining('STORE_NO_SPACE') });
      expect(told?.evidence.map((one) => one.source)).toContain('etcd');
      const lines = log.lines.filter((line) => line.event === 'store.writes_refused');
      expect(lines.length).toBeGreaterThanOrEqual(3);
      expect(lines.length).toBeLessThanOrEqual(5);
      expect(await coordinator.metrics.exposition()).toContain('understudy_store_writable 0');
    }
    world.kv.refusesWrites = null;
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    world.expectReplaced(DB1, old.instanceId);
    for (const codes of codesOf(world)) expect(codes).toEqual([]);
    world.expectHealthy();
  });

  test('a member that came back meanwhile is not replaced on what was said before', async () => {
    const { world, old } = await started(coordinators);
    await world.silence(old.instanceId);
    await world.until('dead', () => world.mustLead().coordinator.observer.opinion(DB1)?.verdict === 'dead', 60_000);
    world.kv.refusesWrites = 'STORE_NO_SPACE';
    await world.clock.advance(30_000);
    world.speak(old.instanceId);
    await world.clock.advance(600_000);
    world.kv.refusesWrites = null;
    await world.clock.advance(600_000);
    expect([world.launches, world.intent(DB1)]).toEqual([0, null]);
    expect(world.mustLead().coordinator.api.members()[0]?.verdict).toBe('alive');
  });
});

test('restarted while etcd is out of space: nobody leads, and says why; then it leads and recovers', async () => {
  const { world, old } = await started(1);
  const [node] = world.nodes;
  if (!node) throw new Error('no coordinator');
  world.kv.refusesWrites = 'STORE_NO_SPACE';
  world.crash(old.instanceId);
  await world.stop(node);
  const again = world.start(0);
  await world.clock.advance(120_000);
  expect(again.coordinator.leadership.current()).toBeNull();
  expect(again.coordinator.api.notReady().map((one) => one.code)).toEqual(['STORE_NO_SPACE']);
  expect(again.log.lines.filter((line) => line.event === 'lease.grant.failed').length).toBeGreaterThanOrEqual(2);
  world.kv.refusesWrites = null;
  await world.until('leads', () => again.coordinator.leadership.current() !== null, 30_000);
  await world.clock.advance(10_000);
  expect(again.coordinator.api.notReady()).toEqual([]);
  world.expectHealthy();
});
