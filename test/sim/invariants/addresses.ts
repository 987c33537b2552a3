import type { CallEvent } from '@understudy/cloud-sim';
import {
  type ActivationRecord,
  ActivationRecordSchema,
  type HistoryRecord,
  HistoryRecordSchema,
  type KvWrite,
  type MemberId,
  parseRecord,
  TAG,
} from '@understudy/shared';
import type { ClusterEvent } from '../cluster/cluster-event.ts';
import { OPERATOR } from '../cluster/operators.ts';
import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';
import type { MakeWatcher, Report, Watcher } from './invariant.ts';

/**
 * I6, as far as it can be seen at once: an address is given to the activated instance only, and
 * taken from nobody but the one it replaces. One that was released before the replacement was
 * activated is a loss, and the recovery says so when it is closed.
 */
class Addresses implements Watcher {
  readonly #cluster: SimulatedCluster;
  readonly #report: Report;
  /** Addresses a person has put on something of their own. */
  readonly #borrowed = new Set<string>();
  /** opId → addresses of its plan that did not exist any more when it activated its replacement. */
  readonly #goneAtActivation = new Map<string, readonly string[]>();

  constructor(cluster: SimulatedCluster, report: Report) {
    this.#cluster = cluster;
    this.#report = report;
  }

  onClusterEvent(clusterEvent: ClusterEvent): void {
    if (clusterEvent.kind === 'commit') for (const write of clusterEvent.commit.txn.writes) this.#written(write);
    if (clusterEvent.kind !== 'cloud' || clusterEvent.event.kind !== 'call' || !clusterEvent.event.executed) return;
    const { event } = clusterEvent;
    if (event.action !== 'AssociateAddress' && event.action !== 'DisassociateAddress') return;
    if (event.reader !== OPERATOR) {
      this.#notStolen(event);
      if (event.action === 'AssociateAddress') this.#wellGiven(String(event.input['AllocationId']));
    }
    this.#note();
  }

  #written(write: KvWrite): void {
    const { activations, history } = this.#cluster.keys;
    if (write.kind !== 'put') return;
    if (write.key.startsWith(activations)) this.#activated(parseRecord(ActivationRecordSchema, write.key, write.value));
    if (write.key.startsWith(history)) this.#closed(parseRecord(HistoryRecordSchema, write.key, write.value));
  }

  #activated({ member, opId }: ActivationRecord): void {
    const intent = this.#cluster.records.intent(member);
    if (opId === null || intent?.opId !== opId) return;
    const planned = intent.plan.addresses.map((one) => one.allocationId);
    const gone = planned.filter((id) => !this.#cluster.addressExists(id));
    this.#goneAtActivation.set(opId, gone);
  }

  /** Written again whenever something of it is collected: looked at the first time. */
  #closed({ opId, losses = [], owedAddresses = [] }: HistoryRecord): void {
    const gone = this.#goneAtActivation.get(opId) ?? [];
    this.#goneAtActivation.delete(opId);
    const said = [...losses.map((one) => one.text), ...owedAddresses.map((one) => one.allocationId)].join(' ');
    for (const id of gone.filter((one) => !said.includes(one)))
      this.#report('I6', `${opId} is closed, and nothing says that ${id}, which was released, is lost`);
  }

  #note(): void {
    for (const { id } of this.#cluster.cloud.core.region.addresses.all()) {
      if (this.#cluster.holderOf(id) === this.#cluster.bystanderOf(id)) this.#borrowed.add(id);
      else this.#borrowed.delete(id);
    }
  }

  #notStolen(event: CallEvent): void {
    for (const id of this.#borrowed)
      if (this.#cluster.addressExists(id) && this.#cluster.holderOf(id) !== this.#cluster.bystanderOf(id))
        this.#report(
          'I6',
          `${event.action} took ${id} from ${this.#cluster.bystanderOf(id)}, where a person had put it`,
        );
  }

  #wellGiven(allocationId: string): void {
    const holder = this.#cluster.holderOf(allocationId);
    const tags = holder === null ? undefined : this.#cluster.cloud.core.region.instances.get(holder)?.tags;
    const member: MemberId = `${tags?.[TAG.group] ?? ''}/${tags?.[TAG.member] ?? ''}`;
    const active = this.#cluster.activeInstanceOf(member);
    if (holder !== null && holder !== active)
      this.#report('I6', `${allocationId} was given to ${holder}, but ${member} is ${active ?? 'nobody'}`);
  }
}

export const watchAddresses: MakeWatcher = (cluster, report) => new Addresses(cluster, report);
