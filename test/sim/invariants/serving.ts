import { type KvWrite, type MemberId, staysInPlace } from '@understudy/shared';
import type { ClusterEvent } from '../cluster/cluster-event.ts';
import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';
import type { MakeWatcher, Report, Watcher } from './invariant.ts';

/**
 * An answer of a coordinator was true in etcd at most this long before it is acted on: two leases,
 * and the wait for a stop hook.
 */
const ANSWER_AGE_MS = 25_000;

/**
 * I2: a workload serves from the beginning of its start hook to the end of its stop hook, or until
 * the power is gone. One at a time; and it begins only where the activation names it, or did when
 * the answer was given; and not where a recovery that replaces it has seen it stopped.
 */
class Serving implements Watcher {
  readonly #cluster: SimulatedCluster;
  readonly #report: Report;
  readonly #serving = new Map<MemberId, Set<string>>();
  /** The instance an activation named before, and until when. */
  readonly #before = new Map<MemberId, { readonly instanceId: string | null; readonly untilMs: number }>();
  readonly #now = new Map<MemberId, string | null>();

  constructor(cluster: SimulatedCluster, report: Report) {
    this.#cluster = cluster;
    this.#report = report;
  }

  onClusterEvent(clusterEvent: ClusterEvent, nowMs: number): void {
    if (clusterEvent.kind === 'commit')
      for (const write of clusterEvent.commit.txn.writes) this.#activated(write, nowMs);
    if (clusterEvent.kind === 'serving') this.#served(clusterEvent, nowMs);
  }

  #activated(write: KvWrite, nowMs: number): void {
    const { activations } = this.#cluster.keys;
    if (write.kind !== 'put' || !write.key.startsWith(activations)) return;
    const [group = '', name = ''] = write.key.slice(activations.length).split('/');
    const member: MemberId = `${group}/${name}`;
    this.#before.set(member, { instanceId: this.#now.get(member) ?? null, untilMs: nowMs });
    this.#now.set(member, this.#cluster.activeInstanceOf(member));
  }

  #served({ member, instanceId, serving }: Extract<ClusterEvent, { kind: 'serving' }>, nowMs: number): void {
    const known = this.#serving.get(member) ?? new Set<string>();
    this.#serving.set(member, known);
    if (!serving) {
      known.delete(instanceId);
      return;
    }
    known.add(instanceId);
    if (known.size > 1) this.#report('I2', `${member} is served by ${[...known].join(' and ')}`);
    const before = this.#before.get(member);
    const wasNamed = before?.instanceId === instanceId && nowMs - before.untilMs < ANSWER_AGE_MS;
    if (this.#isFenced(member, instanceId))
      this.#report('I2', `${instanceId} serves ${member}, and the recovery that replaces it has seen it stopped`);
    if (this.#now.get(member) !== instanceId && !wasNamed)
      this.#report('I2', `${instanceId} serves ${member}, whose activation names ${this.#now.get(member) ?? 'nobody'}`);
  }

  #isFenced(member: MemberId, instanceId: string): boolean {
    const { records, kv, keys } = this.#cluster;
    const intent = records.intent(member);
    if (!intent || intent.oldInstanceId !== instanceId || staysInPlace(intent.plan)) return false;
    const fence = kv.state.get(keys.journalStep(intent.opId, 'fence'))?.value ?? '';
    return fence.includes('"state":"done"') && fence.includes('"how":"stopped"');
  }
}

export const watchServing: MakeWatcher = (cluster, report) => new Serving(cluster, report);
