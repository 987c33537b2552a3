import type { CallEvent } from '@understudy/cloud-sim';
import { HistoryRecordSchema, type KvWrite, type MemberId, parseRecord, TAG } from '@understudy/shared';
import type { SimKvCommit } from '@understudy/shared/testing';
import { type CarriedItem, ELSEWHERE, isOperators } from '../cluster/carried-identities.ts';
import type { ClusterEvent } from '../cluster/cluster-event.ts';
import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';
import { holdOf } from './end-state.ts';
import type { MakeWatcher, Report, Watcher } from './invariant.ts';

/** Calls that move something of an identity from one instance to another. */
const MOVING: ReadonlySet<string> = new Set([
  ...['AssignPrivateIpAddresses', 'UnassignPrivateIpAddresses', 'AttachNetworkInterface', 'DetachNetworkInterface'],
  ...['AssignIpv6Addresses', 'UnassignIpv6Addresses', 'route53:ChangeResourceRecordSets'],
  ...['elasticloadbalancing:RegisterTargets', 'elasticloadbalancing:DeregisterTargets'],
]);

const memberOf = (cluster: SimulatedCluster, instanceId: string): MemberId => {
  const tags = cluster.cloud.core.region.instances.get(instanceId)?.tags;
  return `${tags?.[TAG.group] ?? ''}/${tags?.[TAG.member] ?? ''}`;
};

const isDown = (cluster: SimulatedCluster, instanceId: string): boolean => {
  const state = cluster.cloud.core.region.instances.get(instanceId)?.state;
  return state === undefined || state === 'stopped' || state === 'terminated';
};

/**
 * I6 for what a member is known by beside its Elastic IP. A call of ours gives a thing to the
 * activated instance, or to one of the member's that is down (a call that landed late), and to
 * nobody else. It takes it from the activated one never, and from nobody who is none of the
 * member's.
 */
class Carried implements Watcher {
  readonly #cluster: SimulatedCluster;
  readonly #report: Report;
  #before: ReadonlyMap<string, CarriedItem> = new Map();

  constructor(cluster: SimulatedCluster, report: Report) {
    this.#cluster = cluster;
    this.#report = report;
    cluster.identities.onChange(() => this.#note(cluster.identities.items()));
  }

  #note(items: readonly CarriedItem[]): void {
    this.#before = new Map(items.map((item) => [item.name, item]));
  }

  onClusterEvent(clusterEvent: ClusterEvent): void {
    if (clusterEvent.kind === 'commit') this.#committed(clusterEvent.commit);
    if (clusterEvent.kind !== 'cloud') return;
    const { event } = clusterEvent;
    // An address that follows leads to whoever is launched with it, by no call that moves anything.
    if (event.kind === 'transition') {
      if (this.#cluster.shape.follows === true && event.resourceKind === 'network-interface')
        this.#note(this.#cluster.identities.items());
      return;
    }
    if (!MOVING.has(event.action)) return;
    const items = this.#cluster.identities.items();
    if (event.executed && !isOperators(event.reader)) for (const item of items) this.#changed(event, item);
    this.#note(items);
  }

  #committed({ txn, revision }: SimKvCommit): void {
    for (const write of txn.writes) this.#written(write, revision);
  }

  #changed({ action }: CallEvent, { member, name, holders, says, isBorrowed }: CarriedItem): void {
    const before = this.#before.get(name)?.holders;
    if (!before) return;
    if (isBorrowed && says !== ELSEWHERE)
      this.#report('I6', `${action} changed ${name} to ${says}, which a person had pointed at ${ELSEWHERE}`);
    const active = this.#cluster.activeInstanceOf(member);
    for (const id of holders) {
      if (before.has(id) || id === active) continue;
      if (memberOf(this.#cluster, id) === member && isDown(this.#cluster, id)) continue;
      this.#report('I6', `${action} gave ${name} to ${id}, but ${member} is ${active ?? 'nobody'}`);
    }
    for (const id of before) {
      if (holders.has(id)) continue;
      if (id === active) this.#report('I6', `${action} took ${name} from ${id}, which is ${member}`);
      else if (memberOf(this.#cluster, id) !== member) this.#report('I6', `${action} took ${name} from ${id}`);
    }
  }

  /** A replacement is in charge once its balancer sends it something. */
  #written(write: KvWrite, revision: number): void {
    const { keys, kv, identities } = this.#cluster;
    if (write.kind !== 'put' || !write.key.startsWith(keys.history)) return;
    // Written again whenever something of it is collected.
    if (kv.state.get(write.key)?.createRevision !== revision) return;
    const { member, opId, newInstanceId, moved = [] } = parseRecord(HistoryRecordSchema, write.key, write.value);
    if (newInstanceId === null || !moved.some((one) => one.move === 'target')) return;
    if (identities.healthOf(newInstanceId) === 'initial')
      this.#report('I6', `${opId} of ${member} is closed, and no check of ${newInstanceId} has passed yet`);
  }
}

export const watchCarried: MakeWatcher = (cluster, report) => new Carried(cluster, report);

/**
 * What a recovery has moved, and is elsewhere although nobody is held, nothing is told of it, and
 * no person has moved it.
 */
export function strayIdentities(cluster: SimulatedCluster): readonly string[] {
  return cluster.identities.items().flatMap(({ member, name, mention, holders }) => {
    const active = cluster.activeInstanceOf(member);
    const told = movedOf(cluster, member, active).find((one) =>
      JSON.stringify(one).includes(mention.replace(/\.$/, '')),
    );
    if (!told || told.flip?.left !== undefined || holdOf(cluster, member) !== null) return [];
    const isThere = active !== null && holders.has(active) && holders.size === 1;
    return isThere
      ? []
      : [`${name} of ${member} is on ${[...holders].join(', ') || 'nothing'}, not on ${active ?? '?'}`];
  });
}

const movedOf = (cluster: SimulatedCluster, member: MemberId, active: string | null) =>
  cluster.kv
    .entries(cluster.keys.historyOf(member))
    .map((entry) => parseRecord(HistoryRecordSchema, entry.key, entry.value))
    .filter((one) => one.newInstanceId === active)
    .flatMap((one) => one.moved ?? []);
