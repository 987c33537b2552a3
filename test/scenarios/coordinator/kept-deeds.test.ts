import { DeedsRecordSchema, ExplainViewSchema, parseRecord } from '@understudy/shared';
import type { SimKvFaultKind } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';
import { ALICE, trailRecord } from './trail-record.ts';

const DB1 = 'prod/db1';

async function started() {
  const world = new ScenarioCluster({ events: { pollStatesEveryMs: 600_000 } });
  const { instanceId } = world.seed(DB1);
  world.seed('prod/db2', { az: 'us-east-1b' });
  world.seed('prod/db3', { az: 'us-east-1c' });
  await world.up();
  return { world, instanceId };
}
type World = ScenarioCluster;

const waiting = (world: World) =>
  world.kv
    .entries(KEYS.deeds)
    .flatMap(({ key, value }) => parseRecord(DeedsRecordSchema, key, value).kept.map((one) => one.eventId));
const inHistory = (world: World) => world.history(DB1).flatMap(({ deeds = [] }) => deeds.map((one) => one.eventId));
const isEmptyQueue = (world: World) => world.eventQueue?.bodies().length === 0;
const told = (world: World) =>
  ExplainViewSchema.parse(JSON.parse(JSON.stringify(world.mustLead().coordinator.api.explain(DB1))))
    .evidence.filter((one) => one.source === 'api call')
    .map((one) => one.text);

/** The one that led is no more, and another one leads. */
async function changeLeader(world: World): Promise<void> {
  const before = world.mustLead();
  world.kill(before);
  await world.until('another leads', () => world.leader() !== null && world.leader() !== before, 60_000);
}

async function recovered(world: World, instanceId: string): Promise<void> {
  world.sim.takeDown(instanceId, 'Server.InternalError', 'stop');
  await world.until('replaced', () => world.history(DB1).length === 1, 1_200_000);
  await world.until('it stands there', () => inHistory(world).length > 0, 120_000);
}

describe('a deed that CloudTrail told to a leader that is no more', () => {
  test('before anything failed: it is shown by the next leader, and stands in the history of what follows', async () => {
    const { world, instanceId } = await started();
    world.sim.forgeEvent(trailRecord(instanceId, world.clock.wallMs()));
    await world.until('it waits', () => waiting(world).length > 0 && isEmptyQueue(world), 60_000);
    await changeLeader(world);
    expect(told(world)).toEqual([expect.stringContaining(`TerminateInstances of ${instanceId} by ${ALICE}`)]);
    await recovered(world, instanceId);
    await world.until('nothing waits', () => waiting(world).length === 0, 60_000);
    await world.clock.advance(60_000);
    expect(inHistory(world)).toEqual(['ct-1']);
    world.expectHealthy();
  });

  test('while the recovery was open, which another leader ends', async () => {
    const { world, instanceId } = await started();
    const doneAtMs = world.clock.wallMs();
    world.sim.takeDown(instanceId, 'Server.InternalError', 'stop');
    await world.until('begun', () => world.intent(DB1) !== null, 300_000);
    world.sim.forgeEvent(trailRecord(instanceId, doneAtMs));
    await world.until('it waits', () => waiting(world).length > 0 && isEmptyQueue(world), 30_000);
    expect(world.intent(DB1)).not.toBeNull();
    await changeLeader(world);
    await world.until('replaced', () => world.history(DB1).length === 1, 1_200_000);
    await world.until('it stands there', () => inHistory(world).length > 0, 120_000);
    expect(world.history(DB1)[0]).toMatchObject({ leaderChanges: 1, deeds: [{ eventId: 'ct-1', by: ALICE }] });
    world.expectHealthy();
  });

  test.each(['refuse', 'dropRequest', 'loseReply', 'landLate'] satisfies SimKvFaultKind[])(
    'that died as etcd had not answered its write (%s): the message comes to the next one',
    async (kind) => {
      const { world, instanceId } = await started();
      const leader = world.mustLead();
      const matching = (txn: { writes: readonly { kind: string; key?: string }[] }) =>
        txn.writes.some((one) => one.key?.startsWith(KEYS.deeds));
      leader.kv.inject({ kind, operation: 'txn', matching, times: 1_000, delayMs: 20_000 });
      world.sim.forgeEvent(trailRecord(instanceId, world.clock.wallMs()));
      await world.until('struck', () => leader.kv.fired[kind] > 0, 60_000);
      expect(world.eventQueue?.bodies()).toHaveLength(1);
      await changeLeader(world);
      await world.until('the next one has it', () => waiting(world).length > 0 && isEmptyQueue(world), 90_000);
      await recovered(world, instanceId);
      expect(inHistory(world)).toEqual(['ct-1']);
      world.expectHealthy();
    },
  );

  test('that was paused there, and goes on long after: it stands once, and its late write does nothing', async () => {
    const { world, instanceId } = await started();
    const leader = world.mustLead();
    const isOfDeeds = (key: string | undefined) => key?.startsWith(KEYS.deeds) === true;
    leader.kv.inject({
      ...{ kind: 'landLate', operation: 'txn', delayMs: 240_000 },
      matching: ({ writes }) => writes.some((one) => one.kind === 'put' && isOfDeeds(one.key)),
    });
    world.sim.forgeEvent(trailRecord(instanceId, world.clock.wallMs()));
    await world.until('struck', () => leader.kv.fired.landLate === 1, 60_000);
    leader.clock.pause();
    await world.until('another leads', () => world.leader() !== null && world.leader() !== leader, 120_000);
    await recovered(world, instanceId);
    await world.until('nothing waits', () => waiting(world).length === 0, 60_000);
    await world.clock.advance(240_000);
    leader.clock.resume();
    await world.clock.advance(60_000);
    expect([inHistory(world), waiting(world)]).toEqual([['ct-1'], []]);
    world.expectHealthy();
  });
});

test('of a flood of made-up deeds three of an action are written, and messages are not held by it', async () => {
  const { world, instanceId } = await started();
  let writes = 0;
  world.kv.onCommit(({ txn }) => {
    writes += txn.writes.filter((one) => one.kind === 'put' && one.key.startsWith(KEYS.deeds)).length;
  });
  const nowMs = world.clock.wallMs();
  const [longAgo, inAnHour] = [nowMs - 100_000_000, nowMs + 3_600_000];
  world.sim.forgeEvent(trailRecord(instanceId, longAgo, { eventID: 'long ago' }));
  world.sim.forgeEvent(trailRecord(instanceId, inAnHour, { eventID: 'in an hour' }));
  world.sim.forgeEvent(trailRecord(instanceId, nowMs, { eventID: 'start', eventName: 'StartInstances' }));
  for (let nth = 0; nth < 400; nth += 1)
    world.sim.forgeEvent(trailRecord(instanceId, nowMs, { eventID: `made up ${nth}` }));
  await world.until('three wait', () => waiting(world).length === 3, 60_000);
  await world.until('all are read', () => isEmptyQueue(world), 120_000);
  expect(waiting(world)).toHaveLength(3);
  expect(waiting(world).every((id) => id.startsWith('made up'))).toBe(true);
  expect(writes).toBeLessThanOrEqual(3);
  expect(world.sim.queues.byName('understudy-events-dead')?.bodies()).toEqual([]);
  await recovered(world, instanceId);
  expect(inHistory(world)).toHaveLength(3);
  world.expectHealthy();
});
