import { KeyEnrolmentRecordSchema, type MemberId, parseRecord, TAG } from '@understudy/shared';
import type { ClusterEvent } from '../cluster/cluster-event.ts';
import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';
import type { MakeWatcher, Report, Watcher } from './invariant.ts';

type Given = Extract<ClusterEvent, { kind: 'key-given' }>;

/**
 * I17, of keys that are given for identities (S34): only to whoever is on the instance that is
 * named, only one key pair on each, and never two instances that run at the same time in the same
 * incarnation of a member, which is what one recovery has launched. What is written down names the
 * activated instance, or what the open recovery has launched.
 */
class KeysGiven implements Watcher {
  readonly #cluster: SimulatedCluster;
  readonly #report: Report;
  /** Instance → the key pair that it was answered. */
  readonly #pairs = new Map<string, string>();
  /** Member and recovery (none: the first) → instances that were given the key. */
  readonly #holders = new Map<string, Set<string>>();

  constructor(cluster: SimulatedCluster, report: Report) {
    this.#cluster = cluster;
    this.#report = report;
  }

  onClusterEvent(clusterEvent: ClusterEvent): void {
    if (clusterEvent.kind === 'key-given') return this.#given(clusterEvent);
    if (clusterEvent.kind !== 'commit') return;
    for (const write of clusterEvent.commit.txn.writes) {
      if (write.kind !== 'put' || !write.key.startsWith(this.#cluster.keys.enrolments)) continue;
      const { member, instanceId } = parseRecord(KeyEnrolmentRecordSchema, write.key, write.value);
      this.#written(member, instanceId);
    }
  }

  #given({ member, instanceId, holder, publicKey }: Given): void {
    if (holder !== instanceId)
      this.#report('I17', `${holder} was given the key of ${member} as if it was ${instanceId}`);
    const pair = this.#pairs.get(instanceId) ?? publicKey;
    if (pair !== publicKey) this.#report('I17', `two key pairs were given the key of ${member} on ${instanceId}`);
    this.#pairs.set(instanceId, pair);
    const incarnation = `${member} ${this.#launchedBy(holder) ?? ''}`;
    const holders = this.#holders.get(incarnation) ?? new Set();
    this.#holders.set(incarnation, holders.add(holder));
    const running = [...holders].filter(
      (one) => this.#cluster.cloud.core.region.instances.get(one)?.state === 'running',
    );
    if (running.length > 1) this.#report('I17', `${running.join(' and ')} have the key of ${incarnation}`);
  }

  /** The state after the commit is looked at. */
  #written(member: MemberId, instanceId: string): void {
    const { records } = this.#cluster;
    const opId = this.#launchedBy(instanceId);
    if (records.activation(member)?.instanceId === instanceId) return;
    if (opId !== null && records.intent(member)?.opId === opId) return;
    this.#report('I17', `${instanceId} is neither activated as ${member}, nor launched by its open recovery`);
  }

  #launchedBy(instanceId: string): string | null {
    return this.#cluster.cloud.core.region.instances.get(instanceId)?.tags[TAG.op] ?? null;
  }
}

export const watchKeysGiven: MakeWatcher = (cluster, report) =>
  cluster.enrolment === null ? { onClusterEvent: () => undefined } : new KeysGiven(cluster, report);
