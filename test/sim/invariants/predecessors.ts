import type { CallEvent, TransitionEvent } from '@understudy/cloud-sim';
import { type IntentRecord, IntentRecordSchema, isUndo, LaunchPlanSchema, parseRecord, TAG } from '@understudy/shared';
import { OPERATOR } from '../cluster/operators.ts';
import type { ClusterEvent } from '../cluster/cluster-event.ts';
import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';
import type { MakeWatcher, Report, Watcher } from './invariant.ts';

const addressOf = ({ plan }: IntentRecord) =>
  isUndo(plan) ? undefined : LaunchPlanSchema.safeParse(plan).data?.primaryAddress;

/**
 * I12 and I3 where an address follows: a predecessor is ended by us only once each of its disks is
 * captured whole by that very recovery, or off it; none of its disks goes with it; and nothing is
 * launched with its address before it has ended.
 */
class Predecessors implements Watcher {
  readonly #cluster: SimulatedCluster;
  readonly #report: Report;
  /** Instance → its volumes, where we have ended it with its recovery open. */
  readonly #ended = new Map<string, readonly string[]>();

  constructor(cluster: SimulatedCluster, report: Report) {
    this.#cluster = cluster;
    this.#report = report;
  }

  onClusterEvent(clusterEvent: ClusterEvent): void {
    if (clusterEvent.kind !== 'cloud') return;
    const { event } = clusterEvent;
    if (event.kind === 'call') {
      if (event.action === 'TerminateInstances' && event.executed && event.reader !== OPERATOR) this.#asked(event);
    } else if (event.resourceKind === 'instance') this.#moved(event);
  }

  #asked({ input }: CallEvent): void {
    if (input['DryRun'] === true) return;
    for (const id of [input['InstanceIds']].flat()) {
      const intent = this.#intents().find((one) => one.oldInstanceId === id);
      if (intent) this.#ending(intent);
    }
  }

  #ending({ oldInstanceId, opId, plan }: IntentRecord): void {
    if (this.#ended.has(oldInstanceId)) return;
    const ids = plan.volumes.map((one) => one.volumeId);
    this.#ended.set(oldInstanceId, ids);
    const open = ids.filter((id) => !this.#isSecured(id, oldInstanceId, opId));
    if (open.length > 0)
      this.#report('I12', `${oldInstanceId} is ended for ${opId} before ${open.join(', ')} is secured`);
  }

  /** A disk that comes back older is secured by nothing but its own outliving. */
  #isSecured(volumeId: string, oldInstanceId: string, opId: string): boolean {
    const { volumes, snapshots } = this.#cluster.cloud.core.region;
    const volume = volumes.get(volumeId);
    if (volume && !volume.attachments.some((one) => one.instanceId === oldInstanceId)) return true;
    if (volumes.all().some((one) => one.sourceVolumeId === volumeId && one.tags[TAG.op] === opId)) return true;
    const isOld = this.#intents()
      .find((one) => one.opId === opId)
      ?.plan.volumes.some((one) => one.volumeId === volumeId && one.from !== undefined);
    return (
      isOld === true ||
      snapshots.all().some((one) => one.volumeId === volumeId && one.state === 'completed' && one.tags[TAG.op] === opId)
    );
  }

  #moved({ resourceId, from, to }: TransitionEvent): void {
    const { volumes, instances } = this.#cluster.cloud.core.region;
    if (to === 'terminated') {
      const gone = (this.#ended.get(resourceId) ?? []).filter((id) => !volumes.get(id));
      if (gone.length > 0)
        this.#report('I12', `${gone.join(', ')} went with ${resourceId}, which a recovery has ended`);
    }
    if (from !== null) return;
    const opId = instances.get(resourceId)?.tags[TAG.op];
    const intent = this.#intents().find((one) => one.opId === opId);
    const following = intent && addressOf(intent);
    if (!intent || !following || following.givenUp) return;
    const old = instances.get(intent.oldInstanceId)?.state;
    if (old !== undefined && old !== 'terminated')
      this.#report('I3', `${resourceId} is launched beside ${intent.oldInstanceId} (${old}), which was to end before`);
  }

  #intents(): readonly IntentRecord[] {
    const { kv, keys } = this.#cluster;
    return kv.entries(keys.intents).map((entry) => parseRecord(IntentRecordSchema, entry.key, entry.value));
  }
}

/** Where no address follows there is nothing to watch. */
export const watchPredecessors: MakeWatcher = (cluster, report) =>
  cluster.shape.follows === true ? new Predecessors(cluster, report) : { onClusterEvent: () => undefined };
