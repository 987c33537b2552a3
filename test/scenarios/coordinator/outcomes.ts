import type { MemberId } from '@understudy/shared';
import { expect } from 'vitest';
import type { ScenarioCluster } from './scenario-cluster.ts';

/** Expects a recovery that got through: one launch, one activation, no hold, old instance down. */
export function expectReplaced(world: ScenarioCluster, member: MemberId, oldInstanceId: string): void {
  const [newInstanceId, second] = world.launchedFor(oldInstanceId);
  expect(second).toBeUndefined();
  expect(world.activation(member)).toMatchObject({ instanceId: newInstanceId, incarnation: 2 });
  expect(world.history(member)).toMatchObject([{ outcome: 'replaced', oldInstanceId, newInstanceId }]);
  expect(world.hold(member)).toBeNull();
  expect(['stopped', 'terminated']).toContain(world.cloud.core.region.instances.get(oldInstanceId)?.state);
}
