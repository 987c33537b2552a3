import { describe, expect, test } from 'vitest';
import { World } from './world.ts';

const DB1 = 'prod/db1';

/** Both are of a build that takes no new boot epoch when it is told that it is stale: what holds here rests on the coordinators alone. */
async function withTwoAgents() {
  const world = new World();
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
      expect(world.mustLead().coordinator.seat.judged(DB1)?.verdict).toBe('alive');
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
