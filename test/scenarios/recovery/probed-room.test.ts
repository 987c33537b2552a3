import { launchPlan, planWithRoom, roomText } from '@understudy/recovery';
import { type JournalRecord, JournalRecordSchema, parseRecord, type RecoveryPlan } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkCollected, checkFinished } from './checks.ts';
import { CrashMonitor } from './crash-points.ts';
import {
  checkUntouched,
  die,
  leftOf,
  preparationOf,
  type PreparedStage,
  prepareIt,
  preparing,
  refute,
} from './prepared-scene.ts';
import { KEYS, RecoveryFixture } from './recovery-fixture.ts';

/** No call lands later, and what was asked for by then has ended by itself 70 minutes after it. */
const LATE_MS = 900_000;
const ENDED_BY_MS = 4_300_000;

const candidatesOf = (plan: RecoveryPlan) => launchPlan(plan)?.candidates ?? [];
const placesOf = ({ scene }: PreparedStage) => scene.sim.core.region.capacityReservations.all();
const statesOf = (stage: PreparedStage) => placesOf(stage).map(({ state }) => state);
const callsOf = ({ scene }: PreparedStage, ...names: readonly string[]) =>
  scene.sim.log.calls().filter(({ action }) => names.includes(action));
const journalOf = ({ scene, opId }: PreparedStage): readonly JournalRecord[] =>
  scene.kv.entries(KEYS.journalOf(opId)).map(({ key, value }) => parseRecord(JournalRecordSchema, key, value));

/** May be placed in every zone, its own first. */
function anywhere(): ReturnType<typeof preparing> {
  const { zones, defaultResources } = new RecoveryFixture().sim;
  const placements = zones.map((az) => ({ subnetId: defaultResources.subnets[az] ?? '' }));
  return preparing({ policy: { recover: { placements } } }, ['capacity']);
}

/** A Create of the probe is sent, nobody hears what of it, and it lands so much later. */
async function landingLate(delayMs: number): Promise<PreparedStage> {
  const stage = await preparing({}, ['capacity']);
  const late = { action: 'CreateCapacityReservation', kind: 'late-landing', delayMs, times: 99 } as const;
  stage.scene.sim.addFault({ id: 'late', ...late });
  return stage;
}

describe('room that is asked for while a member is suspect', () => {
  test('is not kept: the place is ended in the same breath, and another can have it', async () => {
    const stage = await preparing({}, ['capacity']);
    const { scene, old } = stage;
    const [first] = candidatesOf(stage.asRead.plan);
    if (!first) throw new Error('no candidate');
    scene.sim.setCapacity(first.az, first.instanceType, 1);
    expect(await prepareIt(stage, scene.lead())).toEqual({ kind: 'made' });
    const [place] = placesOf(stage);
    expect(place).toMatchObject({ state: 'cancelled', matches: 'targeted', count: 1, az: old.az });
    expect(place?.endsAtWallMs).toBeGreaterThan(scene.clock.wallMs());
    expect(roomText(journalOf(stage))).toBe(`room for ${first.instanceType} in ${first.az}`);
    const [create, ...cancels] = callsOf(stage, 'CreateCapacityReservation', 'CancelCapacityReservation');
    expect((cancels.at(-1)?.atMs ?? Number.NaN) - (create?.atMs ?? 0)).toBeLessThan(10_000);
    checkUntouched(stage);
    scene.seedMember('db/m2');
  });

  test('costs its recovery no call, and the launch is the one that is sent without it', async () => {
    const stage = await preparing({}, ['capacity']);
    const { scene, old } = stage;
    const leader = scene.lead();
    await prepareIt(stage, leader);
    await die(stage);
    const names = ['CancelCapacityReservation', 'RunInstances', 'DescribeCapacityReservations'];
    const before = callsOf(stage, ...names).length;
    expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    const newInstanceId = checkFinished(scene, old);
    const order = callsOf(stage, ...names);
    expect(order.slice(before).map(({ action }) => action)).toEqual(['RunInstances']);
    expect(JSON.stringify(order.at(-1)?.input)).not.toContain('CapacityReservation');
    await checkCollected(scene, old, leader, newInstanceId);
  });

  test('is not asked for while any recovery is under way: that one may need it', async () => {
    const stage = await preparing({}, ['capacity']);
    const { scene } = stage;
    const other = scene.seedMember('db/m2');
    await scene.begin(other, 'db/m2');
    expect(await prepareIt(stage, scene.lead())).toEqual({ kind: 'made' });
    expect(callsOf(stage, 'CreateCapacityReservation')).toEqual([]);
    expect(roomText(journalOf(stage))).toContain('a recovery is under way');
  });

  test('orders the candidates: what had none comes last, unless the plan was shown', async () => {
    const stage = await anywhere();
    const { scene } = stage;
    const [first, second, ...others] = candidatesOf(stage.asRead.plan);
    if (!first || !second) throw new Error('no candidates');
    scene.sim.setCapacity(first.az, first.instanceType, 0);
    await prepareIt(stage, scene.lead());
    expect(placesOf(stage).map(({ az, state }) => [az, state])).toEqual([[second.az, 'cancelled']]);
    expect(roomText(journalOf(stage))).toContain(`no room for ${first.instanceType} in ${first.az}`);
    const plan = planWithRoom(stage.asRead.plan, journalOf(stage));
    expect(candidatesOf(plan)).toEqual([second, ...others, first]);
  });
});

describe('whoever goes on with it', () => {
  test('asks for the place that was asked for last, and never for one that had no room', async () => {
    const stage = await anywhere();
    const { scene } = stage;
    const [first, second] = candidatesOf(stage.asRead.plan);
    if (!first || !second) throw new Error('no candidates');
    scene.sim.setCapacity(first.az, first.instanceType, 0);
    const count = { calls: 0, at: -1 };
    const found = new CrashMonitor();
    const dry = await anywhere();
    dry.scene.sim.setCapacity(first.az, first.instanceType, 0);
    const early = dry.scene.lead(found.wrapping());
    await prepareIt(dry, early, found.term(early.term));
    for (const [at, { name }] of found.points.entries())
      if (name.includes('createCapacityReservation') && (count.calls += 1) === 2) count.at = at;
    expect(count.at, 'it asks for two places').toBeGreaterThan(0);
    // Dead as the second answers: the place is there, and no record names it.
    const monitor = new CrashMonitor(count.at, 'not-recorded');
    const leader = scene.lead(monitor.wrapping());
    const work = prepareIt(stage, leader, monitor.term(leader.term));
    await scene.clock.runUntilSettled(Promise.race([monitor.died, work.then(() => undefined)]));
    expect([monitor.dead, statesOf(stage)]).toEqual([true, ['active']]);
    scene.sim.setCapacity(first.az, first.instanceType, 5);
    expect(await prepareIt(stage, scene.lead())).toEqual({ kind: 'made' });
    expect(placesOf(stage).map(({ az, state }) => [az, state])).toEqual([[second.az, 'cancelled']]);
  });
});

describe('a place of which nobody has heard', () => {
  test('ends the preparation: it is removed by its tags, once more when nothing can land', async () => {
    const stage = await landingLate(90_000);
    const { scene } = stage;
    const leader = scene.lead();
    expect(await prepareIt(stage, leader)).toMatchObject({ kind: 'failed' });
    expect(scene.sim.fired('late')).toBeGreaterThan(0);
    refute(stage);
    expect(await prepareIt(stage, leader)).toEqual({ kind: 'removed' });
    await scene.clock.advance(LATE_MS);
    expect(await prepareIt(stage, leader)).toEqual({ kind: 'removed' });
    expect(leftOf(stage)).toEqual([]);
    checkUntouched(stage);
  });

  test('is given back right before the launch of the recovery that began meanwhile', async () => {
    const stage = await landingLate(1_000);
    const { scene, old } = stage;
    const leader = scene.lead();
    const preparation = preparationOf(stage);
    if (!preparation) throw new Error('no preparation');
    const work = leader.engine.prepare(preparation, leader.term);
    while (scene.sim.fired('late') === 0) await scene.clock.advance(100);
    await die(stage);
    expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    await work;
    checkFinished(scene, old);
    const order = callsOf(stage, 'CancelCapacityReservation', 'RunInstances').map(({ action }) => action);
    expect(order.indexOf('CancelCapacityReservation')).toBeLessThan(order.indexOf('RunInstances'));
    expect(statesOf(stage)).toEqual(['cancelled']);
  });

  test('is found by its tags by the collector, where it landed after the recovery was over', async () => {
    const stage = await landingLate(600_000 - 90_000);
    const { scene, old } = stage;
    const leader = scene.lead();
    expect(await prepareIt(stage, leader)).toMatchObject({ kind: 'failed' });
    await die(stage);
    expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    checkFinished(scene, old);
    expect(statesOf(stage), 'it has not landed yet').toEqual([]);
    await scene.clock.advance(600_000);
    expect(statesOf(stage)).toEqual(['active']);
    await scene.clock.runUntilSettled(scene.collector(leader).collect(leader.term));
    expect(statesOf(stage)).toEqual(['cancelled']);
  });

  test('that lands later than ten minutes is refused by EC2', async () => {
    const stage = await landingLate(700_000);
    expect(await prepareIt(stage, stage.scene.lead())).toMatchObject({ kind: 'failed' });
    await stage.scene.clock.advance(LATE_MS);
    expect([stage.scene.sim.fired('late') > 0, statesOf(stage)]).toEqual([true, []]);
  });
});

describe('a place that EC2 does not end', () => {
  const stuck = async () => {
    const stage = await preparing({}, ['capacity']);
    const refusal = { action: 'CancelCapacityReservation', kind: 'error', code: 'UnauthorizedOperation' } as const;
    stage.scene.sim.addFault({ id: 'stuck', ...refusal, httpStatus: 403, times: 99 });
    expect(await prepareIt(stage, stage.scene.lead())).toMatchObject({ kind: 'failed' });
    expect(stage.scene.sim.fired('stuck')).toBeGreaterThan(0);
    return stage;
  };

  test.each(['abandoned', 'replaced'] as const)(
    'is on the books of a recovery that is %s, due at once',
    async (end) => {
      const stage = await stuck();
      const { scene } = stage;
      const leader = scene.lead();
      await die(stage);
      if (end === 'abandoned') scene.ask('abandon');
      expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
      const [history] = scene.history();
      expect(history?.outcome ?? 'replaced').toBe(end);
      const [place] = placesOf(stage);
      expect(history?.leftovers).toContainEqual({
        ...{ kind: 'capacity-reservation', id: place?.id },
        ...{ afterWallMs: history?.endedAtWallMs, obstacle: null },
      });
      scene.sim.removeFault('stuck');
      // EC2 shows it by then.
      await scene.clock.advance(30_000);
      await scene.clock.runUntilSettled(scene.collector(leader).collect(leader.term));
      expect(statesOf(stage)).toEqual(['cancelled']);
    },
  );

  test('ends by itself', async () => {
    const stage = await stuck();
    await stage.scene.clock.advance(ENDED_BY_MS);
    expect(statesOf(stage)).toEqual(['expired']);
  });
});
