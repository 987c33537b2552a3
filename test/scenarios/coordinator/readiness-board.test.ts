import { type MemberReadiness, ReadinessViewSchema } from '@understudy/shared';
import type { PolicyChange } from '@understudy/shared/testing';
import { expect, test } from 'vitest';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';

async function started(policy: PolicyChange = {}) {
  const world = new ScenarioCluster({ policy });
  const old = world.seed(DB1);
  for (const name of ['db2', 'db3', 'db4']) world.seed(`prod/${name}`, { az: 'us-east-1b' });
  await world.up();
  await world.until('looked at', () => (readinessOf(world)?.rtoMs ?? null) !== null, 120_000);
  return { world, old };
}

function boardOf(world: ScenarioCluster) {
  const view = world.mustLead().coordinator.leader.board()?.view();
  return view && ReadinessViewSchema.parse(JSON.parse(JSON.stringify(view)));
}

const readinessOf = (world: ScenarioCluster): MemberReadiness | undefined =>
  boardOf(world)?.members.find(({ member }) => member === DB1);

const problemsOf = (world: ScenarioCluster) =>
  world
    .mustLead()
    .coordinator.api.status()
    .problems.filter(({ code }) => code === 'OBJECTIVES_MISSED');

test('what readiness predicts is what the recovery is held against: plan, time and loss', async () => {
  const { world, old } = await started();
  const found = readinessOf(world);
  const plan = world
    .mustLead()
    .coordinator.leader.board()
    ?.plans()
    .plans.find(({ member }) => member === DB1);
  expect(found?.rtoMs).toBe((plan?.forecast?.servesAfter.slowMs ?? 0) + 9_300);
  expect(found?.rpoMs).toBe(0);
  expect(found?.losesEverythingWithDisks).toBe(true);
  const failedAtMs = world.clock.wallMs();
  world.crash(old.instanceId);
  await world.until('replaced', () => world.history(DB1).length > 0, 3_600_000);
  const [history] = world.history(DB1);
  const tookMs = (history?.endedAtWallMs ?? Number.POSITIVE_INFINITY) - failedAtMs;
  expect(tookMs).toBeLessThan(found?.rtoMs ?? 0);
  expect(history?.predictedMs).toBeDefined();
});

test('a pause shows within a second, and goes with it', async () => {
  const { world } = await started();
  const isPaused = () => readinessOf(world)?.blockers.some(({ kind, stops }) => kind === 'paused' && stops) === true;
  expect(isPaused()).toBe(false);
  world.put(KEYS.pause('group/prod'), { scope: 'group/prod', who: 'ops', why: 'work', untilWallMs: null });
  await world.until('paused', isPaused, 2_000);
  expect(boardOf(world)?.counts).toMatchObject({ blocked: 4 });
  world.remove(KEYS.pause('group/prod'));
  await world.until('no longer', () => !isPaused(), 2_000);
});

test('a missed objective is a problem on show before anything fails', async () => {
  const { world } = await started({ objectives: { rtoMs: 5_000, rpoMs: 0 } });
  await world.until('told', () => problemsOf(world).length > 0, 60_000);
  expect(problemsOf(world)[0]?.text).toContain('prod/db');
  expect(readinessOf(world)?.missed.map(({ objective }) => objective)).toEqual(['rtoMs', 'rpoMs']);
  expect(world.launches).toBe(0);
});
