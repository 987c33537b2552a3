import { HistoryRecordSchema, opIdOf, parseRecord, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { aboutToBegin, LAG_MS } from './about-to-begin.ts';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const HOUR_MS = 3_600_000;
const CHANGED = 'what it was decided on changed meanwhile';

/**
 * S5: one recovery per incarnation of an instance. Its ids and tokens are functions of the
 * instance: a second one would find the first one's things.
 */
describe('an instance that was recovered once', () => {
  /** Its recovery is over; then a person makes it the activated instance again. */
  async function backInOffice() {
    const world = new ScenarioCluster({ policy: { guard: { cooldownMs: 0, flapLimit: 9 } } });
    const old = world.seed(DB1);
    world.seed('prod/db2', { az: 'us-east-1b' });
    await world.up();
    world.crash(old.instanceId);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    await world.clock.advance(60_000);
    const [replacement = ''] = world.launchedFor(old.instanceId);
    world.sim.takeDown(replacement, 'Client.UserInitiatedShutdown', 'terminate');
    world.sim.seed('DeleteTags', {
      Resources: [old.instanceId],
      Tags: [{ Key: TAG.retiredBy }, { Key: TAG.retainUntil }, { Key: TAG.op }],
    });
    world.sim.seed('StartInstances', { InstanceIds: [old.instanceId] });
    const activation = { member: DB1, incarnation: 3, instanceId: old.instanceId, opId: null, ordinal: 0 };
    world.put(KEYS.activation(DB1), activation);
    await world.clock.advance(120_000);
    expect(world.activation(DB1)?.instanceId).toBe(old.instanceId);
    return { world, old };
  }

  test('is not recovered a second time: held for a person, with the reason', async () => {
    const { world, old } = await backInOffice();
    const verdict = () => world.mustLead().coordinator.leader.judged(DB1)?.verdict;
    await world.until('heard again', () => verdict() === 'alive', 120_000);
    world.crash(old.instanceId);
    await world.until('dead', () => verdict() === 'dead', 120_000);
    await world.clock.advance(180_000);
    expect(world.intent(DB1)).toBeNull();
    expect(world.hold(DB1)).toMatchObject({ reason: 'NotReady' });
    expect(world.hold(DB1)?.text).toContain(opIdOf(old.instanceId));
    expect(world.launchedFor(old.instanceId)).toHaveLength(1);
  });
});

describe('a recovery that has ended, of which the leader does not know yet', () => {
  test('stops the intent all the same: the store compares what the decision did not see', async () => {
    const donor = new ScenarioCluster();
    const { instanceId } = donor.seed(DB1);
    donor.seed('prod/db2', { az: 'us-east-1b' });
    await donor.up();
    donor.crash(instanceId);
    await donor.until('replaced', () => donor.history(DB1).length > 0, HOUR_MS);
    const [entry] = donor.kv.entries(KEYS.historyOf(DB1));
    if (!entry) throw new Error('no history');
    expect(parseRecord(HistoryRecordSchema, entry.key, entry.value).oldInstanceId).toBe(instanceId);

    const world = new ScenarioCluster({ watchLatencyMs: LAG_MS });
    const old = world.seed(DB1);
    expect(old.instanceId).toBe(instanceId);
    world.seed('prod/db2', { az: 'us-east-1b' });
    await world.up();
    world.crash(old.instanceId);
    const leader = world.mustLead();
    await world.until('dead', () => leader.coordinator.leader.judged(DB1)?.verdict === 'dead', 60_000);
    expect(world.intent(DB1)).toBeNull();
    world.put(entry.key, entry.value);
    await world.clock.advance(LAG_MS - 500);
    expect(world.intent(DB1)).toBeNull();
    expect(leader.log.lines.map((line) => line.fields.text)).toContain(CHANGED);
    await world.clock.advance(120_000);
    expect([world.intent(DB1), world.launches, world.hold(DB1)?.reason]).toEqual([null, 0, 'NotReady']);
  });
});

/** S5: the intent compares what the leader could not know: its view is three seconds behind. */
describe('what the leader does not know of yet', () => {
  async function decided() {
    const { world, old, leader } = await aboutToBegin();
    const refusedOnce = () => leader.log.lines.map((line) => line.fields.text).includes(CHANGED);
    return { world, old, refusedOnce };
  }

  test('another ordinal: no recovery of the earlier one is begun', async () => {
    const { world, old, refusedOnce } = await decided();
    world.put(KEYS.activation(DB1), { ...world.activation(DB1), ordinal: 1 });
    await world.clock.advance(LAG_MS - 500);
    expect([world.intent(DB1), refusedOnce()]).toEqual([null, true]);
    await world.until('begun', () => world.intent(DB1) !== null, 120_000);
    expect(world.intent(DB1)).toMatchObject({ opId: opIdOf(old.instanceId, 1), ordinal: 1 });
  });

  test('a journal under its very name: none is begun that would go on with it', async () => {
    const { world, old, refusedOnce } = await decided();
    const opId = opIdOf(old.instanceId);
    const step = { opId, step: 'fence', state: 'done', term: 1, startedAtWallMs: 1, endedAtWallMs: 2 };
    world.put(KEYS.journalStep(opId, 'fence'), { ...step, request: null, result: { how: 'stopped' }, error: null });
    await world.clock.advance(LAG_MS - 500);
    expect([world.intent(DB1), refusedOnce()]).toEqual([null, true]);
    await world.until('begun', () => world.intent(DB1) !== null, 120_000);
    expect(world.intent(DB1)).toMatchObject({ opId: opIdOf(old.instanceId, 1) });
    expect(world.kv.entries(KEYS.journalOf(opId))).toEqual([]);
  });
});
