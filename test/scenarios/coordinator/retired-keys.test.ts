import { deriveAgentKey } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import type { Node } from './node.ts';
import { ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';

/** As a forced change of `keys` does; agents speak with id 1. */
const giveKeys = (world: ScenarioCluster, node: Node, keyIds: readonly number[], kept: readonly number[]) =>
  node.coordinator.observer.setKeys({
    keyIds,
    keyOf: (keyId, member) => deriveAgentKey(world.master, keyId, member),
    kept: new Set(kept),
  });

async function twoMembers() {
  const world = new ScenarioCluster();
  const old = world.seed(DB1);
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  return { world, old };
}

describe('a key that is taken from every coordinator while agents speak with it', () => {
  test('is no silence: nobody is suspect or replaced, every member is held in sight; given back, all is well again', async () => {
    const { world } = await twoMembers();
    for (const node of world.nodes) giveKeys(world, node, [2], []);
    await world.clock.advance(120_000);
    const leader = world.mustLead();
    for (const member of [DB1, 'prod/db2'] as const) {
      expect(leader.coordinator.leader.judged(member)).toMatchObject({ verdict: 'unknown' });
      expect(world.hold(member)?.reason).toBe('KeyRetired');
      expect(world.hold(member)?.text).toContain('docs/key-rotation.md');
      expect([world.intent(member), world.launches]).toEqual([null, 0]);
    }
    expect(leader.coordinator.observer.abstention).toBeNull();
    for (const node of world.nodes) giveKeys(world, node, [2, 1], [2]);
    await world.clock.advance(10_000);
    for (const member of [DB1, 'prod/db2'] as const) {
      expect(leader.coordinator.leader.judged(member)?.verdict).toBe('alive');
      expect(world.hold(member)).toBeNull();
    }
  });

  test('a member that really dies meanwhile is not replaced, and is seen to be held', async () => {
    const { world, old } = await twoMembers();
    for (const node of world.nodes) giveKeys(world, node, [2], []);
    await world.clock.advance(10_000);
    world.crash(old.instanceId);
    await world.clock.advance(300_000);
    expect([world.intent(DB1), world.launches]).toEqual([null, 0]);
    expect(world.hold(DB1)?.reason).toBe('KeyRetired');
  });
});

test('taken from one coordinator only, the others judge on: a death is found and its member replaced', async () => {
  const { world, old } = await twoMembers();
  // Not the leader: it could not hear the replacement, which it has to.
  const follower = world.nodes.find((node) => node !== world.leader());
  if (!follower) throw new Error('no follower');
  giveKeys(world, follower, [2], []);
  await world.clock.advance(20_000);
  expect(world.mustLead().coordinator.leader.judged(DB1)?.verdict).toBe('alive');
  world.crash(old.instanceId);
  await world.until('replaced', () => world.history(DB1).length > 0, 3_600_000);
  world.expectReplaced(DB1, old.instanceId);
});
