import type { ProcessSpec } from './process-group.ts';

/** PEM files of a server. */
export interface EtcdTlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Members speak TLS to each other with these, too. Default: only with clients. */
  readonly isForPeers?: boolean;
}

/** One member, as its process is started. */
export interface EtcdMember {
  /** Name of the member and of its process. */
  readonly name: string;
  readonly address: string;
  /** Words that put a command somewhere else (`ip netns exec NAME`); none on loopback. */
  readonly prefix: readonly string[];
  readonly dataDir: string;
  readonly clientPort: number;
  readonly peerPort: number;
  /** Health is asked here when clients need a certificate. */
  readonly metricsPort: number;
}

export interface EtcdSetting {
  readonly binary: string;
  readonly tls: EtcdTlsFiles | null;
  /** Whether a write waits for the disk. Data that is thrown away need not. */
  readonly fsync: boolean;
  /** Further ones of the server. */
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** Where clients reach it. */
export const clientUrlOf = (member: EtcdMember, tls: EtcdTlsFiles | null): string =>
  `${tls ? 'https' : 'http'}://${member.address}:${member.clientPort}`;

const peerUrlOf = (member: EtcdMember, tls: EtcdTlsFiles | null): string =>
  `${tls?.isForPeers === true ? 'https' : 'http'}://${member.address}:${member.peerPort}`;

const peerTlsArgs = ({ ca, cert, key, isForPeers }: EtcdTlsFiles): string[] =>
  isForPeers === true
    ? ['--peer-client-cert-auth', '--peer-trusted-ca-file', ca, '--peer-cert-file', cert, '--peer-key-file', key]
    : [];

const tlsArgs = (member: EtcdMember, tls: EtcdTlsFiles): string[] => [
  ...peerTlsArgs(tls),
  ...['--client-cert-auth', '--trusted-ca-file', tls.ca, '--cert-file', tls.cert, '--key-file', tls.key],
  // Health is asked without a certificate.
  ...['--listen-metrics-urls', `http://127.0.0.1:${member.metricsPort}`],
];

/** How a member is started. `args`: further ones, for this start only. */
export function etcdProcess(
  member: EtcdMember,
  members: readonly EtcdMember[],
  { binary, tls, fsync, args: always, environment }: EtcdSetting,
  args: readonly string[] = [],
): ProcessSpec {
  const [client, peer] = [clientUrlOf(member, tls), peerUrlOf(member, tls)];
  const [command = '', ...before] = [...member.prefix, binary];
  const initial = members.map((each) => `${each.name}=${peerUrlOf(each, tls)}`).join(',');
  return {
    name: member.name,
    command,
    args: [
      ...before,
      ...['--name', member.name, '--data-dir', member.dataDir, '--log-level', 'warn'],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--initial-cluster', initial, '--initial-cluster-state', 'new'],
      ...(fsync ? [] : ['--unsafe-no-fsync']),
      ...(tls ? tlsArgs(member, tls) : []),
      ...always,
      ...args,
    ],
    environment,
  };
}

/**
 * For clusters that run for hours. Nobody compacts etcd by itself: without this it keeps every
 * revision until its quota is full (docs/etcd-keys.md). The raft log stands in memory between two
 * snapshots: with this catch-up below 2 500 entries, by default 105 000. The flag of the catch-up
 * has other names in 3.5 and 3.6; a variable that is not known is only remarked on.
 */
export const SELF_COMPACTING = {
  args: ['--auto-compaction-mode', 'periodic', '--auto-compaction-retention', '1m', '--snapshot-count', '2000'],
  environment: { ETCD_EXPERIMENTAL_SNAPSHOT_CATCHUP_ENTRIES: '500', ETCD_SNAPSHOT_CATCHUP_ENTRIES: '500' },
} as const;
