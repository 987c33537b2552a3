import assert from 'node:assert/strict';
import type { Cluster } from './cluster.ts';

/**
 * Every row that the server acknowledged is stored, and nothing is stored that was not sent. A row
 * that was sent and never answered may be there or not. Returns the figures in words.
 * @throws AssertionError that names the rows
 */
export async function ledgerIsWhole({ world, writer }: Cluster, instanceId: string): Promise<string> {
  const acknowledged = writer.acknowledged.map(({ n }) => n);
  const query = "runuser -u postgres -- psql -XAtc 'SELECT n FROM ledger'";
  const stored = new Set((await world.shell(instanceId, query)).split('\n').map(Number));
  const lost = acknowledged.filter((n) => !stored.has(n));
  const invented = [...stored].filter((n) => !(n >= 1 && n <= writer.sent));
  assert.deepEqual({ lost, invented }, { lost: [], invented: [] });
  return `${acknowledged.length} rows acknowledged, all of them among ${stored.size} stored`;
}
