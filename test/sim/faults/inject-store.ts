import {
  coordinatorOf,
  always,
  gained,
  nothing,
  type Injection,
  type InjectionContext,
  type InjectionTable,
  type ActiveFault,
} from './active-fault.ts';

/** Requests that found nobody, of all coordinators that are up. */
const unanswered = ({ cluster }: InjectionContext): number =>
  cluster.hosts.reduce((sum, host) => sum + (host.life?.client.fired.cutRequest ?? 0), 0);

function suspend(context: InjectionContext): ActiveFault {
  const { kv } = context.cluster;
  const before = unanswered(context);
  kv.suspend();
  return { undo: () => kv.restore(), happened: () => unanswered(context) !== before };
}

/** Nobody answers until a new leader is there; then every lease has its whole time again. */
const leaderLoss: Injection<'etcd-leader-loss'> = (_fault, context) =>
  context.cluster.kv.isSuspended ? null : suspend(context);

const quorumLoss: Injection<'etcd-quorum-loss'> = (_fault, context) => {
  if (context.cluster.kv.isSuspended) return null;
  for (const host of context.cluster.hosts) host.life?.client.breakWatches();
  return suspend(context);
};

/** A disk that takes its time: every answer comes late. */
const slow: Injection<'etcd-slow'> = (fault, { cluster }) => {
  for (const host of cluster.hosts) host.slowStore(fault.latencyMs);
  return {
    undo: () => {
      for (const host of cluster.hosts) host.slowStore(null);
    },
    happened: always,
  };
};

const cut: Injection<'etcd-cut'> = (fault, context) => {
  const host = coordinatorOf(context, fault.coordinator);
  const client = host.life?.client;
  if (!client) return null;
  const lost = () => client.fired.cutRequest + client.fired.cutReply;
  const before = lost();
  host.cutFromStore(fault.id, fault.direction);
  return { undo: () => host.reachStore(fault.id), happened: () => lost() > before };
};

/** Applied, and nobody is told. */
const lostReply: Injection<'etcd-lost-reply'> = (fault, context) => {
  const client = coordinatorOf(context, fault.coordinator).life?.client;
  if (!client) return null;
  const before = client.fired.loseReply;
  client.inject({ kind: 'loseReply', operation: 'txn', times: fault.times });
  return { undo: nothing, happened: () => client.fired.loseReply > before };
};

const compaction: Injection<'etcd-compaction'> = (_fault, { cluster }) => {
  const before = cluster.kv.state.compactedRevision;
  for (const host of cluster.hosts) host.life?.client.breakWatches();
  cluster.kv.compact();
  return { undo: nothing, happened: () => cluster.kv.state.compactedRevision > before };
};

/** Out of space, for every coordinator alike. */
const refusesWrites: Injection<'etcd-refuses-writes'> = (_fault, { cluster }) => {
  const { kv, hosts } = cluster;
  if (kv.refusesWrites !== null) return null;
  kv.refusesWrites = 'STORE_NO_SPACE';
  const undo = () => {
    kv.refusesWrites = null;
  };
  return {
    undo,
    happened: gained(() => hosts.reduce((sum, { life }) => sum + (life?.client.fired.refusedWrite ?? 0), 0)),
  };
};

const leaseLate: Injection<'lease-late'> = (fault, { cluster }) => {
  const { kv } = cluster;
  kv.expiryLagMs = fault.byMs;
  for (const leaseId of kv.leaseIds()) kv.renew(leaseId);
  return {
    undo: () => {
      kv.expiryLagMs = 0;
    },
    happened: always,
  };
};

/** etcd ends leases before their time, the coordinator's own among them. */
const leaseEarly: Injection<'lease-early'> = (fault, context) => {
  const { kv, keys } = context.cluster;
  const { id } = coordinatorOf(context, fault.coordinator);
  const leases = kv
    .entries(keys.root)
    .filter((entry) => entry.key === keys.coordinator(id) || (entry.key === keys.leader && isOf(entry.value, id)))
    .flatMap((entry) => entry.leaseId ?? []);
  const ended = [...new Set(leases)].filter((leaseId) => kv.revoke(leaseId));
  return ended.length === 0 ? null : { undo: nothing, happened: always };
};

/**
 * As {@link leaseEarly}, and keepalives of leases that are gone are answered as if they lived (etcd
 * before 3.5.23, 3.6.5).
 */
const leaseLie: Injection<'lease-lie'> = (fault, context) => {
  const { kv } = context.cluster;
  const ended = leaseEarly({ ...fault, kind: 'lease-early' }, context);
  if (!ended) return null;
  kv.keepaliveLieMs = 10_000;
  return {
    undo: () => {
      kv.keepaliveLieMs = null;
    },
    happened: always,
  };
};

const isOf = (value: string, coordinatorId: string): boolean => value.includes(`"coordinatorId":"${coordinatorId}"`);

export const STORE_INJECTIONS: InjectionTable<
  | 'etcd-leader-loss'
  | 'etcd-quorum-loss'
  | 'etcd-slow'
  | 'etcd-cut'
  | 'etcd-lost-reply'
  | 'etcd-compaction'
  | 'lease-late'
  | 'etcd-refuses-writes'
  | 'lease-early'
  | 'lease-lie'
> = {
  'etcd-leader-loss': leaderLoss,
  'etcd-quorum-loss': quorumLoss,
  'etcd-slow': slow,
  'etcd-cut': cut,
  'etcd-lost-reply': lostReply,
  'etcd-compaction': compaction,
  'etcd-refuses-writes': refusesWrites,
  'lease-late': leaseLate,
  'lease-early': leaseEarly,
  'lease-lie': leaseLie,
};
