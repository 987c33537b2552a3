import type { TransitionEvent } from '@understudy/cloud-sim';
import {
  type HistoryRecord,
  HistoryRecordSchema,
  type IntentRecord,
  IntentRecordSchema,
  type KvWrite,
  parseRecord,
  TAG,
} from '@understudy/shared';
import type { ClusterEvent } from '../cluster/cluster-event.ts';
import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';
import type { MakeWatcher, Report, Watcher } from './invariant.ts';

const MOVING: ReadonlySet<string> = new Set(['reattach', 'multi-attach']);

/** The disks that an open recovery moves, and that nobody else writes to. */
const movingOf = ({ plan }: IntentRecord): readonly string[] =>
  plan.volumes.filter((one) => MOVING.has(one.path ?? '')).map((one) => one.volumeId);

/**
 * I12, of disks that move: they are on nobody but the old instance and what its recovery has
 * launched; what starts has all of them or none; none is deleted; none is on a machine that its own
 * recovery ends; and who gives up has given them back.
 */
class MovedDisks implements Watcher {
  readonly #cluster: SimulatedCluster;
  readonly #report: Report;
  readonly #intents = new Map<string, IntentRecord>();

  constructor(cluster: SimulatedCluster, report: Report) {
    this.#cluster = cluster;
    this.#report = report;
  }

  onClusterEvent(clusterEvent: ClusterEvent): void {
    if (clusterEvent.kind === 'commit') for (const write of clusterEvent.commit.txn.writes) this.#read(write);
    if (clusterEvent.kind !== 'cloud') return;
    const { event } = clusterEvent;
    if (event.kind === 'transition') this.#moved(event);
    else if (event.executed && event.input['DryRun'] !== true) this.#asked(event.action, event.input);
  }

  #read(write: KvWrite): void {
    const { intents, history } = this.#cluster.keys;
    if (write.kind !== 'put') return;
    if (write.key.startsWith(intents)) {
      const intent = parseRecord(IntentRecordSchema, write.key, write.value);
      this.#intents.set(intent.opId, intent);
    }
    if (write.key.startsWith(history)) this.#closed(parseRecord(HistoryRecordSchema, write.key, write.value));
  }

  /** Whoever gives up for the next way leaves the old instance with its disks. */
  #closed({ opId, outcome, oldInstanceId, fencedBy, lateCalls = [] }: HistoryRecord): void {
    const intent = this.#intents.get(opId);
    if (!intent || !this.#intents.delete(opId)) return;
    if (outcome !== 'not-mended' || fencedBy !== 'stopped' || lateCalls.includes('detach')) return;
    const missing = movingOf(intent).filter((id) => !this.#has(oldInstanceId, id));
    if (missing.length > 0) this.#report('I12', `${opId} was given up, and ${oldInstanceId} has not ${missing.join()}`);
  }

  #has(instanceId: string, volumeId: string): boolean {
    const { attachments = [] } = this.#cluster.cloud.core.region.volumes.get(volumeId) ?? {};
    return attachments.some((one) => one.instanceId === instanceId);
  }

  /** At rest. EC2 has not attached what is `attaching`. */
  #sees(instanceId: string, volumeId: string): boolean {
    const { attachments = [] } = this.#cluster.cloud.core.region.volumes.get(volumeId) ?? {};
    return attachments.some((one) => one.instanceId === instanceId && one.state === 'attached');
  }

  #moved({ resourceKind, resourceId, to, detail }: TransitionEvent): void {
    if (resourceKind === 'instance' && (to === 'pending' || to === 'running')) this.#starts(resourceId);
    if (resourceKind !== 'volume' || to !== null) return;
    for (const intent of this.#intents.values())
      if (movingOf(intent).includes(resourceId))
        this.#report('I12', `${resourceId}, which ${intent.opId} moves, was deleted (${JSON.stringify(detail)})`);
  }

  #starts(instanceId: string): void {
    for (const intent of this.#intents.values()) {
      const moving = movingOf(intent);
      const has = moving.filter((id) => this.#has(instanceId, id));
      const seen = moving.filter((id) => this.#sees(instanceId, id));
      if (has.length > 0 && seen.length < moving.length && this.#isOf(intent, instanceId))
        this.#report('I12', `${instanceId} starts with ${seen.join()} attached, of ${moving.join()}`);
    }
  }

  /** The old instance, or one that the recovery has launched. */
  #isOf({ opId, oldInstanceId }: IntentRecord, instanceId: string): boolean {
    const tags = this.#cluster.cloud.core.region.instances.get(instanceId)?.tags ?? {};
    return instanceId === oldInstanceId || tags[TAG.op] === opId;
  }

  #asked(action: string, input: Readonly<Record<string, unknown>>): void {
    for (const intent of this.#intents.values()) {
      if (action === 'AttachVolume' && movingOf(intent).includes(String(input['VolumeId'])))
        this.#attached(intent, String(input['VolumeId']), String(input['InstanceId']));
      if (action === 'TerminateInstances') this.#ended(intent, input['InstanceIds']);
    }
  }

  #attached(intent: IntentRecord, volumeId: string, instanceId: string): void {
    if (!this.#isOf(intent, instanceId))
      this.#report('I12', `${volumeId}, which ${intent.opId} moves, was attached to ${instanceId}`);
  }

  /** EC2 lets go of a disk some time after the end: nobody saw it come off. */
  #ended(intent: IntentRecord, ids: unknown): void {
    for (const instanceId of Array.isArray(ids) ? ids.map(String) : []) {
      const has = movingOf(intent).filter((id) => this.#has(instanceId, id));
      if (has.length > 0 && instanceId !== intent.oldInstanceId)
        this.#report('I12', `${instanceId} is terminated while it has ${has.join()}`);
    }
  }
}

export const watchMovedDisks: MakeWatcher = (cluster, report) => new MovedDisks(cluster, report);
