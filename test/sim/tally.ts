import {
  type HistoryRecord,
  HistoryRecordSchema,
  IntentRecordSchema,
  parseRecord,
  type RecoveryPlan,
} from '@understudy/shared';
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
  /** Ended recoveries, by strategy and outcome. */
  readonly ended = new Map<string, number>();
  /** Disks of replacements, by their path. */
  readonly paths = new Map<string, number>();
  /** Replacements in another zone, or of another type. */
  readonly elsewhere = new Map<string, number>();
  /** What was made for suspects: begun, taken over, dropped. */
  readonly prepared = new Map<string, number>();
  /** What CloudTrail told of who did something, by where it was written. */
  readonly deeds = new Map<string, number>();
  readonly #plans = new Map<string, RecoveryPlan>();
  /** What recoveries have moved, by kind, as their history says. */
  readonly moved = new Map<string, number>();
  /** Hooks that were begun. */
  hooksBegun = 0;
  /** Crawls that were written into the inventory history. */
  crawls = 0;
  /** What became of scripts on instances. */
  readonly scripts = new Map<string, number>();
  readonly holdsSeen = new Map<string, number>();
  readonly heldLast = new Map<string, number>();

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
  }

  onClusterEvent(clusterEvent: ClusterEvent): void {
    if (clusterEvent.kind === 'reset') this.watchdogResets += 1;
    if (clusterEvent.kind === 'hook' && clusterEvent.what === 'begun') this.hooksBegun += 1;
    if (clusterEvent.kind === 'crawl') this.crawls += 1;
    if (clusterEvent.kind === 'script') count(this.scripts, `script ${clusterEvent.what}`);
    if (clusterEvent.kind !== 'commit') return;
    const { keys } = this.#cluster;
    for (const write of clusterEvent.commit.txn.writes) {
      if (write.kind !== 'put') continue;
      if (write.key === keys.leader) this.leaderChanges += 1;
      if (write.key.startsWith(keys.intents)) this.#planned(write.key, write.value);
      if (write.key.startsWith(keys.preparations)) this.#prepared(write.value, this.#isNew(clusterEvent, write.key));
      if (beginsRecovery(this.#cluster, clusterEvent.commit, write)) this.recoveriesBegun += 1;
      if (write.key.endsWith('/fence') && write.value.includes('"how":"lease"')) this.leaseFences += 1;
      if (write.key.startsWith(keys.holds)) count(this.holdsSeen, /"reason":"([^"]+)"/.exec(write.value)?.[1] ?? '?');
      if (write.key.startsWith(keys.deeds)) count(this.deeds, 'deed waits');
      if (write.key.startsWith(keys.history) && write.value.includes('"deeds":['))
        count(this.deeds, 'deed in a history');
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
    const history = parseRecord(HistoryRecordSchema, key, value);
    this.launchAttempts += history.launchAttempts;
    for (const { move } of history.moved ?? []) count(this.moved, move);
    const plan = this.#plans.get(history.opId);
    if (!plan) return;
    count(this.ended, `${plan.strategy} ${history.outcome}`);
    if (history.outcome !== 'replaced') return;
    for (const volume of plan.volumes) count(this.paths, volume.path ?? 'snapshot');
    this.#placed(history);
  }

  #prepared(value: string, isNew: boolean): void {
    if (isNew) count(this.prepared, 'preparation begun');
    else if (value.includes('"dropped":')) count(this.prepared, 'preparation dropped');
  }

  #planned(key: string, value: string): void {
    const { opId, plan, prepared } = parseRecord(IntentRecordSchema, key, value);
    if (prepared && !this.#plans.has(opId)) count(this.prepared, `preparation taken over: ${prepared.makes.join()}`);
    this.#plans.set(opId, plan);
  }

  #placed({ oldAz, oldInstanceId, newInstanceId }: HistoryRecord): void {
    const { instances } = this.#cluster.cloud.core.region;
    const [before, after] = [instances.get(oldInstanceId), instances.get(newInstanceId ?? '')];
    if (after && after.az !== oldAz) count(this.elsewhere, 'another zone');
    if (before && after && before.instanceType !== after.instanceType) count(this.elsewhere, 'another type');
  }

  heldAtEnd(reason: string): void {
    count(this.heldLast, reason);
  }

  /**
   * How often each strategy ended how, each path was taken, a replacement was elsewhere, what was
   * made for a suspect was begun, taken over, dropped; what became of events, and of deeds.
   */
  did(): Readonly<Record<string, number>> {
    const paths = [...this.paths].map(([path, n]) => [`disk by ${path}`, n] as const);
    const crawls = this.crawls > 0 ? [['inventory crawled', this.crawls] as const] : [];
    const events = Object.entries(this.#cluster.cloud.events.fates).flatMap(([fate, n]) =>
      n > 0 ? [[`event ${fate}`, n] as const] : [],
    );
    return Object.fromEntries([
      ...[...this.ended, ...paths, ...this.elsewhere, ...this.prepared],
      ...[...events, ...this.deeds, ...this.scripts, ...crawls],
    ]);
  }

  text(): string {
    const maps = [this.holdsSeen, this.heldLast, this.moved, this.ended, this.paths, this.elsewhere, this.prepared].map(
      (map) => [...map].map(([name, n]) => `${name} ${n}`).join(', '),
    );
    return [
      `${this.recoveriesBegun} recoveries begun, ${this.recoveriesFinished} finished, ${this.launchAttempts} launch attempts`,
      `${this.leaderChanges} elections`,
      ...(this.leaseFences + this.watchdogResets > 0
        ? [`${this.leaseFences} leases waited out, ${this.watchdogResets} resets by watchdogs`]
        : []),
      `moved: ${maps[2] || 'nothing'}`,
      ...(this.scripts.size > 0 ? [[...this.scripts].map(([name, n]) => `${name} ${n}`).join(', ')] : []),
      ...(this.crawls > 0 ? [`${this.crawls} crawls`] : []),
      ...(this.hooksBegun > 0 ? [`${this.hooksBegun} hooks begun`] : []),
      `holds: ${maps[0] || 'none'}`,
      `held at the end: ${maps[1] || 'none'}`,
      `ended: ${maps[3] || 'none'}`,
      `disks: ${maps[4] || 'none'}`,
      ...(maps[5] ? [`elsewhere: ${maps[5]}`] : []),
      ...(maps[6] ? [`prepared: ${maps[6]}`] : []),
    ].join('; ');
  }
}

const count = (map: Map<string, number>, name: string): void => {
  map.set(name, (map.get(name) ?? 0) + 1);
};
