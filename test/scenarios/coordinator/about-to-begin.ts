import { expect } from 'vitest';
import { ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
/** How far the coordinators' view of etcd is behind. */
export const LAG_MS = 3_000;

/**
 * `prod/db1` is dead in the leader's eyes, and its plan in the making: the last moment before the
 * intent.
 */
export async function aboutToBegin() {
  const world = new ScenarioCluster({ watchLatencyMs: LAG_MS });
  const old = world.seed(DB1);
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  world.crash(old.instanceId);
  const leader = world.mustLead();
  await world.until('dead', () => leader.coordinator.leader.judged(DB1)?.verdict === 'dead', 60_000);
  expect(world.intent(DB1)).toBeNull();
  return { world, old, leader };
}
