import { statSync } from 'node:fs';
import { join } from 'node:path';
import { seedInstance } from '@understudy/cloud-sim';
import { InventoryPageSchema } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { expect, test } from 'vitest';
import { clusterPerTest } from './cluster-per-test.ts';
import { understudy } from './coordinator-cluster.ts';

const now = clusterPerTest({ cloud: true });

test('a coordinator keeps what an instance looked like, in a file of its own, and the command tells it', async () => {
  const file = join(now.cluster.dir, 'inventory.sqlite');
  const inventory = { sqlite: { file }, everyMs: 600_000, paceMs: 50 };
  const sim = now.cluster.cloud?.sim;
  if (sim === undefined) throw new Error('there is no cloud');
  const { instanceId } = seedInstance(sim, { tags: { Name: 'bystander' } });
  const { path, httpPort } = await now.cluster.config(0, now.etcd.hosts, 1, { inventory });
  const coordinator = now.cluster.start(path, httpPort);
  const ask = (...words: readonly string[]) =>
    understudy('inventory', ...words, '--url', `http://127.0.0.1:${httpPort}`);
  const stateOf = async () => {
    const said = InventoryPageSchema.safeParse(await coordinator.json(`/v1/inventory/instance?id=${instanceId}`));
    return said.success ? said.data.versions[0] : undefined;
  };
  await until('crawled', async () => (await stateOf()) !== undefined);
  const before = await stateOf();
  expect(before?.document).toMatchObject({ State: { Name: 'running' }, Tags: { Name: 'bystander' } });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const from = new Date(before?.validFromWallMs ?? 0).toISOString();
  const shown = await ask('show', 'instance', instanceId, '--at', from);
  expect([shown.code, shown.out]).toEqual([0, expect.stringContaining('"Name": "running"')]);
  // Target groups may not be listed here. That is a remark, and keeps it from nothing.
  const remarks = async () => JSON.stringify(await coordinator.json('/v1/inventory'));
  await until('the whole round', async () => (await remarks()).includes('CLOUD_DENIED'));
  expect(await coordinator.json('/readyz')).not.toBe(null);
});
