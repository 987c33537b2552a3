import { describe, expect, test } from 'vitest';
import { World } from './world.ts';

const DB1 = 'prod/db1';

describe('coordinators with a dead member', () => {
  test('it is replaced, once, within the detection budget, by whoever leads', async () => {
    const world = new World();
    const old = world.seed(DB1, { elasticIp: true, dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 10 }] });
    world.seed('prod/db2');
    await world.up();
    expect(world.activation(DB1)).toMatchObject({ instanceId: old.instanceId, incarnation: 1 });
    world.crash(old.instanceId);
    const detectMs = await world.until('intent', () => world.intent(DB1) !== null, 30_000);
    expect(detectMs).toBeGreaterThanOrEqual(8_000);
    expect(detectMs).toBeLessThanOrEqual(11_000);
    await world.until('replaced', () => world.history(DB1).length > 0, 3_600_000);
    await world.clock.advance(30_000);
    world.expectReplaced(DB1, old.instanceId);
    expect(world.launches).toBe(1);
    world.expectHealthy();
  });
});
