import { describe, expect, test } from 'vitest';
import { ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';

/**
 * Both are of a build that takes no new boot epoch when it is told that it is stale: what holds
 * here rests on the coordinators alone.
 */
async function withTwoAgents() {
  const world = new ScenarioCluster();
  const old = world.seed(DB1);
  await world.up();
  await world.clock.advance(30_000);
  return { world, old, byHand: world.startSecondAgent(DB1, old.instanceId) };
}

describe('a second agent on the host of a healthy member, for six seconds', () => {
  test('is held in sight, and afterwards all is as before: nothing fenced, nothing launched', async () => {
    const { world, byHand } = await withTwoAgents();
    await world.clock.advance(6_000);
    expect(world.hold(DB1)).toMatchObject({ reason: 'TwoAgents', untilWallMs: null });
    await byHand.stop();
    for (let seconds = 0; seconds < 300; seconds++) {
      await world.clock.advance(1_000);
      expect(world.mustLead().coordinator.leader.judged(DB1)?.verdict).toBe('alive');
    }
    expect([world.intent(DB1), world.launches]).toEqual([null, 0]);
  });

  test('both gone, and that was the machine: it is replaced as ever', async () => {
    const { world, old, byHand } = await withTwoAgents();
    await world.clock.advance(6_000);
    await byHand.stop();
    world.crash(old.instanceId);
    await world.clock.advance(300_000);
    expect(world.launches).toBe(1);
  });
});

describe('an agent that speaks for the member of another machine', () => {
  test('is named on every coordinator, in words, and nothing is done to anybody', async () => {
    const world = new ScenarioCluster();
    const one = world.seed(DB1);
    const two = world.seed('prod/db2', { az: 'us-east-1b' });
    await world.up();
    await world.clock.advance(30_000);
    const codes = () => world.nodes.map(({ coordinator: { api } }) => api.status().problems.map(({ code }) => code));
    expect(codes()).toEqual(world.nodes.map(() => []));
    const stray = world.startSecondAgent(DB1, two.instanceId);
    await world.clock.advance(5_000);
    expect(codes()).toEqual(world.nodes.map(() => ['AGENT_ELSEWHERE']));
    for (const { coordinator } of world.nodes) {
      const [said] = coordinator.api.explain(DB1)?.evidence.filter(({ source }) => source === 'odd heartbeats') ?? [];
      expect(said?.text).toMatch(
        new RegExp(
          `^heartbeats for ${DB1} come from ${two.instanceId} \\(.+\\), which is not the activated ${one.instanceId}$`,
        ),
      );
    }
    await stray.stop();
    await world.clock.advance(60_000);
    expect(codes()).toEqual(world.nodes.map(() => []));
    expect([world.launches, world.hold(DB1), world.hold('prod/db2')]).toEqual([0, null, null]);
  });
});
