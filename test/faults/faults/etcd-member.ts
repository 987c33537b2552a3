import * as z from 'zod';
import { PORTS } from '../lab/configuration.ts';
import { etcdHost, ZONES } from '../lab/network.ts';

/** Reads etcd's own JSON gateway and metrics. The coordinators' way in stays untouched. */

/** A member whose disk is slow answers late. */
const CALL_LIMIT_MS = 15_000;
const StatusSchema = z.object({
  header: z.object({ member_id: z.string() }),
  leader: z.string().optional(),
  dbSize: z.coerce.number().default(0),
});

const urlOf = (index: number): string => `http://${etcdHost.address(ZONES[index] ?? 'a')}:${PORTS.etcdClient}`;

async function ask(index: number, path: string, body: object): Promise<unknown> {
  const signal = AbortSignal.timeout(CALL_LIMIT_MS);
  const reply = await fetch(`${urlOf(index)}${path}`, { method: 'POST', body: JSON.stringify(body), signal });
  if (!reply.ok) throw new Error(`etcd ${path}: ${reply.status} ${await reply.text()}`);
  return reply.json();
}

const statusOf = async (index: number) => StatusSchema.parse(await ask(index, '/v3/maintenance/status', {}));

/**
 * Index of the member that leads etcd itself.
 * @throws while none does
 */
export async function raftLeader(): Promise<number> {
  const statuses = await Promise.all(ZONES.map((_, index) => statusOf(index)));
  const found = statuses.findIndex(({ header, leader }) => header.member_id === leader);
  if (found < 0) throw new Error('etcd has no leader');
  return found;
}

/** Database size of the member whose database is largest. The quota is compared with it. */
export async function databaseBytes(): Promise<number> {
  const statuses = await Promise.all(ZONES.map((_, index) => statusOf(index)));
  return Math.max(...statuses.map(({ dbSize }) => dbSize));
}

export async function makeRaftLeader(index: number): Promise<void> {
  const from = await raftLeader();
  if (from === index) return;
  const targetID = (await statusOf(index)).header.member_id;
  await ask(from, '/v3/maintenance/transfer-leadership', { targetID });
}

/**
 * How often etcd has waited for its write-ahead log to reach the disk, and for how many seconds in
 * all, since the member's start.
 */
export interface Fsyncs {
  readonly count: number;
  readonly sumS: number;
}

export async function walFsyncs(index: number): Promise<Fsyncs> {
  const reply = await fetch(`${urlOf(index)}/metrics`, { signal: AbortSignal.timeout(CALL_LIMIT_MS) });
  const text = await reply.text();
  const read = (name: string) =>
    Number(new RegExp(`^etcd_disk_wal_fsync_duration_seconds_${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  return { count: read('count'), sumS: read('sum') };
}

/** Mean wait between two readings, ms. */
export const meanFsyncMs = (before: Fsyncs, after: Fsyncs): number =>
  ((after.sumS - before.sumS) / (after.count - before.count)) * 1_000;
