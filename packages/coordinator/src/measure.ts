import type { LimitCounts } from './api/http/connection-limits.ts';
import type { ListenerStats, ObserverTable } from '@understudy/observer';
import type { LeadershipView } from './store/leadership-view.ts';
import type { MetricsSnapshot } from './metrics.ts';
import type { CoordinatorApi } from './api/api-view.ts';
import type { ClusterState } from './store/cluster-state.ts';

export interface Measured {
  readonly view: ClusterState;
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
    featureLevels: view.featureLevels(),
    members: status.judgement.standing === 'current' ? verdicts : null,
    judgementAgeMs: status.judgement.ageMs,
    opinions: status.observer.opinions,
    openRecoveries: recovering,
    pendingRequests: view.records.requests.size,
    runningRecoveries: parts.runningRecoveries,
    holds: countBy([...view.records.holds.values()].map(({ record }) => record.reason)),
    leftovers: countBy(left.map((one) => one.kind)),
    leftoversObstructed: left.filter((one) => one.obstacle !== null).length,
    unreadableRecords: view.records.unreadable.size,
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
