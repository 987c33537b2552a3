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

test('a spent budget is told once of all: bystanders stay as they were, and no log line tells of them', async () => {
  const world = new ScenarioCluster({
    policy: { guard: { concurrency: 10 } },
    guard: { massMinimum: 10, zoneMinimum: 10, budgetPerMinute: 1, budgetBurst: 1 },
  });
  const old = world.seed(DB1);
  for (const name of ['b1', 'b2', 'b3']) world.seed(`prod/${name}`);
  await world.up();
  const verdicts = () =>
    boardOf(world)
      ?.members.filter(({ member }) => member !== DB1)
      .map(({ verdict }) => verdict);
  await world.until('looked at', () => verdicts()?.every((one) => one !== 'unknown') === true, 600_000);
  const before = verdicts();
  const told = () =>
    world
      .mustLead()
      .log.linesOf('member.readiness')
      .filter(({ fields }) => fields['member'] !== DB1).length;
  world.crash(old.instanceId);
  await world.until('begun', () => world.intent(DB1) !== null, 60_000);
  const linesBefore = told();
  await world.until('the budget is spent', () => boardOf(world)?.ofFleet?.[0]?.code === 'BudgetExhausted', 5_000);
  expect(verdicts()).toEqual(before);
  await world.until('there is one again', () => boardOf(world)?.ofFleet?.length === 0, 120_000);
  expect(verdicts()).toEqual(before);
  expect(before).toHaveLength(3);
  expect(told()).toBe(linesBefore);
});
