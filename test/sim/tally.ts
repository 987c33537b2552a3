import { HistoryRecordSchema, parseRecord } from '@understudy/shared';
import type { ClusterEvent } from './cluster/cluster-event.ts';
import type { SimulatedCluster } from './cluster/simulated-cluster.ts';
import { beginsRecovery } from './invariants/invariant.ts';

/** What a run did, for people: a run in which nothing was recovered proves little. */
export class Tally {
  readonly #cluster: SimulatedCluster;
  recoveriesBegun = 0;
  recoveriesFinished = 0;
  launchAttempts = 0;
  leaderChanges = 0;
  /** Fences that nobody saw, because a serve lease was waited out. */
  leaseFences = 0;
  watchdogResets = 0;
  /** What recoveries have moved, by kind, as their history says. */
  readonly moved = new Map<string, number>();
  /** Hooks that were begun. */
  hooksBegun = 0;
  readonly holdsSeen = new Map<string, number>();
  readonly heldLast = new Map<string, number>();

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
  }

  onClusterEvent(clusterEvent: ClusterEvent): void {
    if (clusterEvent.kind === 'reset') this.watchdogResets += 1;
    if (clusterEvent.kind === 'hook' && clusterEvent.what === 'begun') this.hooksBegun += 1;
    if (clusterEvent.kind !== 'commit') return;
    const { keys } = this.#cluster;
    for (const write of clusterEvent.commit.txn.writes) {
      if (write.kind !== 'put') continue;
      if (write.key === keys.leader) this.leaderChanges += 1;
      if (beginsRecovery(this.#cluster, clusterEvent.commit, write)) this.recoveriesBegun += 1;
      if (write.key.endsWith('/fence') && write.value.includes('"how":"lease"')) this.leaseFences += 1;
      if (write.key.startsWith(keys.holds)) count(this.holdsSeen, /"reason":"([^"]+)"/.exec(write.value)?.[1] ?? '?');
      // A history record is written again whenever something of it was collected.
      if (write.key.startsWith(keys.history) && this.#isNew(clusterEvent, write.key))
        this.#finished(write.key, write.value);
    }
  }

  #isNew(clusterEvent: Extract<ClusterEvent, { kind: 'commit' }>, key: string): boolean {
    const entry = this.#cluster.kv.state.get(key);
    return entry?.createRevision === clusterEvent.commit.revision;
  }

  #finished(key: string, value: string): void {
    this.recoveriesFinished += 1;
    const { launchAttempts, moved = [] } = parseRecord(HistoryRecordSchema, key, value);
    this.launchAttempts += launchAttempts;
    for (const { move } of moved) count(this.moved, move);
  }

  heldAtEnd(reason: string): void {
    count(this.heldLast, reason);
  }

  text(): string {
    const maps = [this.holdsSeen, this.heldLast, this.moved].map((map) =>
      [...map].map(([name, n]) => `${name} ${n}`).join(', '),
    );
    return [
      `${this.recoveriesBegun} recoveries begun, ${this.recoveriesFinished} finished, ${this.launchAttempts} launch attempts`,
      `${this.leaderChanges} elections`,
      ...(this.leaseFences + this.watchdogResets > 0
        ? [`${this.leaseFences} leases waited out, ${this.watchdogResets} resets by watchdogs`]
        : []),
      `moved: ${maps[2] || 'nothing'}`,
      ...(this.hooksBegun > 0 ? [`${this.hooksBegun} hooks begun`] : []),
      `holds: ${maps[0] || 'none'}`,
      `held at the end: ${maps[1] || 'none'}`,
    ].join('; ');
  }
}

const count = (map: Map<string, number>, name: string): void => {
  map.set(name, (map.get(name) ?? 0) + 1);
};
