import { join } from 'node:path';
import type { ProcessGroup, RunningProcess } from './process-group.ts';

export interface EtcdCluster {
  readonly hosts: readonly string[];
  readonly members: readonly RunningProcess[];
}

/** A three-member etcd on loopback below `dir`. Ports: two per member, client then peer. */
export function startEtcdCluster(
  group: ProcessGroup,
  options: { binary: string; dir: string; ports: readonly number[] },
): EtcdCluster {
  const members = [0, 1, 2].map((index) => ({
    name: `etcd-${index + 1}`,
    client: `http://127.0.0.1:${options.ports[index * 2]}`,
    peer: `http://127.0.0.1:${options.ports[index * 2 + 1]}`,
  }));
  const initial = members.map((each) => `${each.name}=${each.peer}`).join(',');
  const started = members.map(({ name, client, peer }) =>
    group.start({
      name,
      command: options.binary,
      args: [
        ...['--name', name, '--data-dir', join(options.dir, name), '--log-level', 'warn'],
        ...['--listen-client-urls', client, '--advertise-client-urls', client],
        ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
        ...[
          '--initial-cluster',
          initial,
          '--initial-cluster-token',
          'understudy-local',
          '--initial-cluster-state',
          'new',
        ],
        // Nobody compacts etcd by itself: without this it keeps every revision until its quota is
        // full (docs/etcd-keys.md).
        ...['--auto-compaction-mode', 'periodic', '--auto-compaction-retention', '1m'],
        // The raft log stands in memory between two snapshots: with the catch-up below 2 500
        // entries, by default 105 000.
        ...['--snapshot-count', '2000'],
        // The data is thrown away: no need to wait for a disk that other people use too.
        '--unsafe-no-fsync',
      ],
      // The flag has other names in 3.5 and 3.6; a variable that is not known is only remarked on.
      environment: { ETCD_EXPERIMENTAL_SNAPSHOT_CATCHUP_ENTRIES: '500', ETCD_SNAPSHOT_CATCHUP_ENTRIES: '500' },
    }),
  );
  return { hosts: members.map((each) => each.client), members: started };
}
