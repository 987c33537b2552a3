import type { LimitCounts } from './adapters/http/connection-limits.ts';
import type { ListenerStats } from './adapters/udp/heartbeat-listener.ts';
import type { ObserverTable } from './core/observe/index.ts';
import type { LeadershipView } from './leadership/leadership-view.ts';
import type { MetricsSnapshot } from './metrics.ts';
import type { CoordinatorApi } from './view/api-view.ts';
import type { ClusterView } from './view/cluster-view.ts';

export interface Measured {
  readonly view: ClusterView;
  readonly leadership: LeadershipView;
  readonly observer: ObserverTable;
  readonly api: Pick<CoordinatorApi, 'status' | 'leftovers'>;
  readonly stats: ListenerStats;
  readonly store: {
    readonly writable: boolean;
    readonly refusals: MetricsSnapshot['storeRefusals'];
    readonly alarms: MetricsSnapshot['storeAlarms'];
  };
  readonly keysRefused: boolean;
  readonly idTaken: boolean;
  readonly runningRecoveries: number;
  readonly foreignAnswers: ReadonlyMap<string, number>;
  readonly serviceProbes: ReadonlyMap<string, number>;
  readonly receiveBufferBytes: number | null;
  readonly connections: LimitCounts | null;
}

/** What the metrics show, from the parts of a coordinator as they are now. */
export function measure(parts: Measured): MetricsSnapshot {
  const { view, leadership, observer, store, stats } = parts;
  const term = leadership.current();
  const status = parts.api.status();
  const { members: _members, recovering, held: _held, ...verdicts } = status.counts;
  const left = parts.api.leftovers();
  const { recorded, ...dropped } = observer.counts;
  return {
    leads: term !== null,
    term: term?.number ?? 0,
    termRemainingMs: term?.remainingMs() ?? 0,
    storeFresh: view.isFresh(),
    storeContactAgoMs: view.contactAgeMs(),
    storeWritable: store.writable,
    storeRefusals: store.refusals,
    storeAlarms: store.alarms,
    observerAbstains: observer.abstention !== null,
    keysRefused: parts.keysRefused,
    idTaken: parts.idTaken,
    members: status.judgement.standing === 'current' ? verdicts : null,
    judgementAgeMs: status.judgement.ageMs,
    opinions: status.observer.opinions,
    openRecoveries: recovering,
    pendingRequests: view.mirror.requests.size,
    runningRecoveries: parts.runningRecoveries,
    holds: countBy([...view.mirror.holds.values()].map(({ record }) => record.reason)),
    leftovers: countBy(left.map((one) => one.kind)),
    leftoversObstructed: left.filter((one) => one.obstacle !== null).length,
    unreadableRecords: view.mirror.unreadable.size,
    viewAnomalies: view.anomalies,
    heartbeats: recorded,
    droppedDatagrams: new Map(Object.entries(dropped)),
    foreignAnswers: parts.foreignAnswers,
    serviceProbes: parts.serviceProbes,
    kernelDrops: stats.kernelDropsCount,
    ringDrops: stats.ringDropsCount,
    receiveBufferBytes: parts.receiveBufferBytes,
    connections: parts.connections,
  };
}

function countBy(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
