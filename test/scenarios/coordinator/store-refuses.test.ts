import { type KvTxn, OperationError } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import type { Node } from './node.ts';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const HOUR_MS = 3_600_000;

async function started(coordinators: number) {
  const world = new ScenarioCluster({ coordinators });
  const old = world.seed(DB1);
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  return { world, old };
}

const codesOf = (world: ScenarioCluster): readonly (readonly string[])[] =>
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
      expect(await coordinator.metrics.text()).toContain('understudy_store_writable 0');
    }
    world.kv.refusesWrites = null;
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    world.expectReplaced(DB1, old.instanceId);
    for (const codes of codesOf(world)) expect(codes).toEqual([]);
    world.expectHealthy();
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

/** From now on its role only reads. */
function readOnly({ kv }: Node): void {
  const txn = kv.txn.bind(kv);
  Object.assign(kv, {
    txn: (request: KvTxn) =>
      request.writes.some((write) => write.kind === 'put')
        ? Promise.reject(new OperationError('STORE_DENIED', 'permission denied'))
        : txn(request),
  });
}

test('accusations that etcd refuses to take back are withdrawn: the member that came back is not replaced on them', async () => {
  const { world, old } = await started(3);
  const [first, second, third] = world.nodes;
  if (!first || !second || !third) throw new Error('want three coordinators');
  world.pause('global');
  await world.silence(old.instanceId);
  const verdicts = () =>
    world.kv
      .entries(KEYS.opinions)
      .flatMap(({ key, value }) => (key.includes(DB1) && value.includes('"dead"') ? [key] : []));
  await world.until('all say dead', () => verdicts().length === 3, 60_000);
  for (const node of [second, third]) readOnly(node);
  world.speak(old.instanceId);
  // The only one that may write starts anew and hears nobody: it has nothing but what the others
  // have said.
  await world.stop(first);
  world.network.cut('*', '10.1.0.1');
  const again = world.start(0);
  await world.until('leads', () => again.coordinator.leadership.current() !== null, 120_000);
  await world.clock.advance(60_000);
  expect([second, third].map(({ coordinator }) => coordinator.observer.opinion(DB1)?.verdict)).toEqual([
    'alive',
    'alive',
  ]);
  expect(verdicts()).toEqual([]);
  world.remove(KEYS.pause('global'));
  await world.clock.advance(300_000);
  expect([world.launches, world.intent(DB1)]).toEqual([0, null]);
  for (const { coordinator, log } of [second, third]) {
    expect(coordinator.api.notReady().map((one) => one.code)).toContain('STORE_DENIED');
    expect(log.events()).toContain('opinions.withdrawn');
  }
});
