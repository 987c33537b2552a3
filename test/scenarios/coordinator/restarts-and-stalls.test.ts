import { describe, expect, test } from 'vitest';
import { ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';

describe('a coordinator that starts again', () => {
  test('asks its agents something new: nothing they ever echoed is worth anything to it', async () => {
    const world = new ScenarioCluster();
    const { instanceId } = world.seed(DB1);
    await world.up();
    const agent = world.agents.get(instanceId);
    const asked = () => agent?.challenges.get('10.1.0.1:7946');
    const seen = new Set([asked()]);
    for (let restart = 0; restart < 3; restart += 1) {
      const node = world.nodes.findLast((one) => one.id === 'c1');
      if (node) await world.stop(node);
      world.start(0);
      await world.clock.advance(5_000);
      seen.add(asked());
    }
    expect(seen.size).toBe(4);
    expect(seen.has(undefined)).toBe(false);
  });
});

describe('a coordinator that was paused', () => {
  const serveLease = { stopWithinMs: 60_000, requireWatchdog: true, fenceAfterMs: 0 };

  /** What the leader says of the member's serve lease. */
  async function leased() {
    const world = new ScenarioCluster({ policy: { recover: { serveLease } } });
    const { instanceId } = world.seed(DB1);
    await world.up();
    const agent = world.agents.get(instanceId);
    if (agent) agent.servePromise = { stopWithinSeconds: 60, watchdog: true };
    const leader = world.mustLead();
    const said = () => {
      const { evidence } = leader.coordinator.api.explain(DB1) ?? { evidence: [] };
      return (
        evidence
          .map((one) => JSON.stringify(one))
          .find((text) => text.includes('counts') || text.includes('does not count')) ?? ''
      );
    };
    await world.until('it counts', () => said().includes('counts: over'), 120_000);
    return { world, leader, said };
  }

  test('remembers it: a promise that waited in its socket meanwhile makes no lease count', async () => {
    const { world, leader, said } = await leased();
    leader.clock.pause();
    await world.clock.advance(3_000);
    leader.clock.resume();
    await world.clock.advance(2_000);
    expect(said()).toContain('does not count: its promise was not heard');
    await world.clock.advance(20_000);
    expect(said()).toContain('does not count');
    await world.clock.advance(10_000);
    expect(said()).toContain('counts: over');
  });
});
