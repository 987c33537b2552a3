import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import type { EtcdFacts } from '../etcd-facts.ts';
import { type Finding, fault, ok, warning } from '../finding.ts';

export interface LatencyFacts {
  readonly etcd: readonly EtcdFacts[];
  readonly callTimeoutMs: number;
}

/** Above this share of the deadline a busy moment makes calls fail. */
const NEAR_DEADLINE = 0.25;
/** What etcd's documentation wants of a disk, in ms. */
const FSYNC_MAX_MS = 10;

/** How long a write through the cluster takes, and how slow the disks are. Pure. */
export function judgeLatency({ etcd, callTimeoutMs }: LatencyFacts): readonly Finding[] {
  return etcd.flatMap(({ host, silent, writeMs, fsyncMs }): Finding[] => {
    if (silent !== null) return [];
    const disk =
      fsyncMs !== null && fsyncMs > FSYNC_MAX_MS
        ? [warning(`${host} takes ${fsyncMs.toFixed(1)} ms to write to disk`, 'give etcd a faster disk of its own')]
        : [];
    if (writeMs === null)
      return [fault(`${host} takes no write`, 'look at its alarms, its quorum and the role of etcd.username'), ...disk];
    const text = `a write through ${host} takes ${writeMs.toFixed(0)} ms (etcd.callTimeoutMs is ${callTimeoutMs} ms)`;
    return writeMs > callTimeoutMs * NEAR_DEADLINE
      ? [warning(text, 'look at the disks of etcd and the way to it, or raise etcd.callTimeoutMs'), ...disk]
      : [ok(text), ...disk];
  });
}

export const etcdLatency = check(
  'etcd latency',
  async ({ etcd, config }: CoordinatorHost) => ({ etcd: await etcd(), callTimeoutMs: config.etcd.callTimeoutMs }),
  judgeLatency,
);
