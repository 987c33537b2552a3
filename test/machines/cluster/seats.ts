/** The three machines that carry a coordinator and an etcd member each. */
export const SEATS = [
  { id: 'c1', zone: 'us-east-1a', address: '172.31.0.10' },
  { id: 'c2', zone: 'us-east-1b', address: '172.31.16.10' },
  { id: 'c3', zone: 'us-east-1c', address: '172.31.32.10' },
] as const;
export type Seat = (typeof SEATS)[number];

export const PORTS = { heartbeat: 7946, http: 8080, etcdClient: 2379, etcdPeer: 2380 } as const;
export const etcdHosts = (seats: readonly Seat[]): readonly string[] =>
  seats.map(({ address }) => `https://${address}:${PORTS.etcdClient}`);

/** Where a machine finds what is handed to it (`handout.ts`), read-only. */
export const HANDOUT = '/mnt/cluster';
