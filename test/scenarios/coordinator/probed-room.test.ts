import { launchPlan } from '@understudy/recovery';
import { JournalRecordSchema, opIdOf, parseRecord, type RecoveryPlan } from '@understudy/shared';
import { expect, test } from 'vitest';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB = 'prod/db1';
const MINUTE_MS = 60_000;

const zonesOf = (plan: RecoveryPlan | undefined) =>
  (plan ? (launchPlan(plan)?.candidates ?? []) : []).map((one) => one.az);

/** Suspect for a minute, and its first zone has no room: that is asked, and answered. */
async function asked() {
  const { zones, defaultResources } = new ScenarioCluster().cloud;
  const world = new ScenarioCluster({
    policy: {
      detect: { confirmForMs: MINUTE_MS },
      recover: {
        strategy: 'snapshot-and-replace',
        placements: zones.map((zone) => ({ subnetId: defaultResources.subnets[zone] ?? '' })),
        prepare: { makes: ['capacity'], atOnce: 1, perDay: 10, keptForMs: 600_000 },
      },
    },
  });
  const { instanceId: old, az } = world.seed(DB);
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  const type = world.cloud.core.region.instances.get(old)?.instanceType ?? '';
  world.cloud.setCapacity(az, type, 0);
  world.crash(old);
  const steps = () =>
    world.kv.entries(KEYS.journalOf(opIdOf(old))).map(({ key, value }) => parseRecord(JournalRecordSchema, key, value));
  await world.until(
    'asked',
    () => steps().some(({ step, state }) => step === 'reserve' && state === 'done'),
    MINUTE_MS,
  );
  const answer = await world.clock.runUntilSettled(world.mustLead().coordinator.controls.plan(DB));
  if (answer.kind === 'refused') throw new Error(answer.text);
  return { world, old, az, token: answer.view.token };
}

test('a recovery begins with a zone that had room', async () => {
  const { world, az } = await asked();
  await world.until('begun', () => world.intent(DB) !== null, 5 * MINUTE_MS);
  const zones = zonesOf(world.intent(DB)?.plan);
  expect([zones.length > 1, zones.at(-1)]).toEqual([true, az]);
  expect(world.intent(DB)?.prepared?.makes).toEqual(['capacity']);
});

test('a plan that was shown is carried out in the order in which it was shown', async () => {
  const { world, old, az, token } = await asked();
  const by = { kind: 'recover', by: 'ann', why: 'seen', atWallMs: world.clock.wallMs() };
  const about = { member: DB, opId: opIdOf(old), loss: null, leaveOpen: false, planToken: token };
  world.put(KEYS.request(DB), { ...by, ...about, untilWallMs: world.clock.wallMs() + 60 * MINUTE_MS });
  await world.until('begun', () => world.intent(DB) !== null, 5 * MINUTE_MS);
  expect(zonesOf(world.intent(DB)?.plan)[0]).toBe(az);
  expect(world.intent(DB)?.prepared?.makes).toEqual(['capacity']);
});
