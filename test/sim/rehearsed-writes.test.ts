import { expect, test } from 'vitest';
import { SimulatedCluster } from './cluster/simulated-cluster.ts';

test('coordinators of a calm cluster that is listened to know that etcd takes their writes', async () => {
  const cluster = new SimulatedCluster({ seed: 1, members: 2, coordinators: 3 });
  cluster.listen(() => undefined);
  cluster.begin();
  await cluster.kernel.advance(180_000);
  const codes = cluster.hosts.map(({ life }) => life?.coordinator.api.notReady().map(({ code }) => code));
  expect(codes).toEqual([[], [], []]);
});
