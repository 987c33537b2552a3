import type { ClusterEvent } from '../cluster/cluster-event.ts';
import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';
import type { MakeWatcher, Report, Watcher } from './invariant.ts';

/** How fast or slow a coordinator's clock may run for its deadline to mean anything (S1). */
const DRIFT_MAX = 0.0101;

/**
 * The other half of I4: whoever still believes to lead when somebody else is elected has a wrong
 * deadline (S1), unless etcd ended its lease before the time, or its clock runs wilder than assumed
 * (A2, A3).
 */
class LeadershipOverlap implements Watcher {
  readonly #cluster: SimulatedCluster;
  readonly #report: Report;
  /** Coordinators whose lease etcd has broken, in the term they had then. */
  #excusedTerm = 0;

  constructor(cluster: SimulatedCluster, report: Report) {
    this.#cluster = cluster;
    this.#report = report;
  }

  onClusterEvent(clusterEvent: ClusterEvent): void {
    const { keys, kv } = this.#cluster;
    if (clusterEvent.kind === 'fault' && / lease-(early|lie),/.test(clusterEvent.what))
      this.#excusedTerm = Math.max(this.#excusedTerm, kv.revision);
    if (clusterEvent.kind !== 'commit') return;
    const { client, txn } = clusterEvent.commit;
    if (txn.writes.some((write) => write.kind === 'put' && write.key === keys.leader)) this.#elected(client ?? '');
  }

  #elected(client: string): void {
    for (const host of this.#cluster.hosts) {
      const term = host.runs ? host.life?.coordinator.leadership.current() : null;
      if (!term || client.startsWith(`${host.id}.`) || term.number <= this.#excusedTerm) continue;
      if (Math.abs(host.rate - 1) > DRIFT_MAX) continue;
      this.#report('I4', `${client} is elected while ${host.id} still believes to lead in term ${term.number}`);
    }
  }
}

export const watchLeadershipOverlap: MakeWatcher = (cluster, report) => new LeadershipOverlap(cluster, report);
