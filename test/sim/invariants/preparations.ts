import type { CallEvent, TransitionEvent } from '@understudy/cloud-sim';
import { launchPlan } from '@understudy/recovery';
import {
  type ActivationRecord,
  ActivationRecordSchema,
  type IntentRecord,
  IntentRecordSchema,
  parseRecord,
  type PreparationRecord,
  PreparationRecordSchema,
  type RecoveryPlan,
  TAG,
} from '@understudy/shared';
import type { ClusterEvent } from '../cluster/cluster-event.ts';
import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';
import { beginsRecovery, type MakeWatcher, type Report, type Watcher } from './invariant.ts';

/** What decides the first launch by a plan. */
function launchOf(plan: RecoveryPlan): string {
  const launch = launchPlan(plan);
  return JSON.stringify([
    ...[launch?.candidates[0], launch?.securityGroupIds, launch?.networkInterfaceTags, launch?.launchBase],
    launch?.seed?.imageId,
  ]);
}

/**
 * I14, of what is made while a member is only suspect (S31): until a recovery takes it over it
 * carries no member's name, serves nobody, is named by no activation and gets no disk; it is never
 * open beside a recovery of its name; a recovery takes it over only by the launch that was sent;
 * and who drops it raises the ordinal with it.
 */
class Preparations implements Watcher {
  readonly #cluster: SimulatedCluster;
  readonly #report: Report;
  /** As they stood last, also those that were taken over or are gone. */
  readonly #seen = new Map<string, PreparationRecord>();
  /** Names of those that a recovery has taken over. */
  readonly #taken = new Set<string>();

  constructor(cluster: SimulatedCluster, report: Report) {
    this.#cluster = cluster;
    this.#report = report;
  }

  onClusterEvent(clusterEvent: ClusterEvent): void {
    if (clusterEvent.kind === 'serving' && clusterEvent.serving) this.#isFree(clusterEvent.instanceId, 'serves');
    if (clusterEvent.kind === 'cloud') {
      const { event } = clusterEvent;
      if (event.kind === 'transition') this.#made(event);
      else if (event.executed && event.input['DryRun'] !== true) this.#asked(event);
    }
    if (clusterEvent.kind !== 'commit') return;
    const { keys } = this.#cluster;
    const { commit } = clusterEvent;
    for (const write of commit.txn.writes) {
      if (write.kind !== 'put') continue;
      if (write.key.startsWith(keys.preparations))
        this.#written(parseRecord(PreparationRecordSchema, write.key, write.value));
      if (beginsRecovery(this.#cluster, commit, write))
        this.#begun(parseRecord(IntentRecordSchema, write.key, write.value));
      if (write.key.startsWith(keys.activations))
        this.#named(parseRecord(ActivationRecordSchema, write.key, write.value));
    }
  }

  /** The state after the commit is looked at: what one transaction does is seen together. */
  #written(record: PreparationRecord): void {
    const { records, keys, kv } = this.#cluster;
    const { opId, member, oldInstanceId, ordinal, dropped } = record;
    this.#seen.set(opId, record);
    if (kv.state.get(keys.preparation(opId)) && records.intent(member)?.opId === opId)
      this.#report('I14', `${opId} is prepared while its recovery is open`);
    const activation = records.activation(member);
    if (dropped && activation?.instanceId === oldInstanceId && activation.ordinal <= ordinal)
      this.#report('I14', `${opId} was dropped, and the next recovery of ${member} would have its name`);
  }

  #begun({ opId, member, plan, prepared }: IntentRecord): void {
    const made = this.#seen.get(opId);
    if (!made) return;
    const { keys, kv } = this.#cluster;
    if (kv.state.get(keys.preparation(opId))) this.#report('I14', `${opId} begins beside its preparation`);
    if (made.dropped) this.#report('I14', `${opId} of ${member} goes on with what was dropped: ${made.dropped.why}`);
    if (!prepared) this.#report('I14', `${opId} has the name of what was made for ${member}, and does not know of it`);
    if (made.makes.includes('seed') && launchOf(made.plan) !== launchOf(plan))
      this.#report('I14', `${opId} has taken over another launch than it would send`);
    this.#taken.add(opId);
  }

  #named({ member, instanceId }: ActivationRecord): void {
    this.#isFree(instanceId, `is activated as ${member}`);
  }

  /** What was made, and is nobody's yet. Null: it is none of these. */
  #preparedAs(instanceId: string): string | null {
    const { tags = {} } = this.#cluster.cloud.core.region.instances.get(instanceId) ?? {};
    const opId = tags[TAG.op] ?? '';
    return this.#seen.has(opId) && !this.#taken.has(opId) ? opId : null;
  }

  #isFree(instanceId: string, what: string): void {
    const opId = this.#preparedAs(instanceId);
    if (opId !== null) this.#report('I14', `${instanceId}, made for the suspect of ${opId}, ${what}`);
  }

  #made({ resourceKind, resourceId, from }: TransitionEvent): void {
    if (resourceKind !== 'instance') return;
    const opId = this.#preparedAs(resourceId);
    const { tags = {} } = this.#cluster.cloud.core.region.instances.get(resourceId) ?? {};
    if (opId === null || (tags[TAG.member] === undefined && tags[TAG.preparedFor] !== undefined)) return;
    this.#report(
      'I14',
      `${resourceId}, ${from === null ? 'launched' : 'there'} for the suspect of ${opId}, has its name`,
    );
  }

  #asked({ action, input }: CallEvent): void {
    if (action === 'AttachVolume') this.#isFree(String(input['InstanceId']), `gets ${String(input['VolumeId'])}`);
  }
}

export const watchPreparations: MakeWatcher = (cluster, report) => new Preparations(cluster, report);
