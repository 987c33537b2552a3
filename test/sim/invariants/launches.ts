import type { SimEvent, TransitionEvent } from '@understudy/cloud-sim';
import { IntentRecordSchema, JournalRecordSchema, parseRecord, TAG } from '@understudy/shared';
import type { ClusterEvent } from '../cluster/cluster-event.ts';
import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';
import { beginsRecovery, type MakeWatcher, type Report, type Watcher } from './invariant.ts';

/** The same value with its keys in alphabetical order, all the way down. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, inOrder(inner)]),
  );
}

const isCreated = (event: SimEvent): event is TransitionEvent => event.kind === 'transition' && event.from === null;

/**
 * I1, I3 and half of I10: every instance and snapshot that a recovery makes, at the moment EC2
 * makes it.
 */
class Launches implements Watcher {
  readonly #cluster: SimulatedCluster;
  readonly #report: Report;
  /** By the instance they are to replace. */
  readonly #launched = new Map<string, string[]>();
  readonly #replacedBy = new Map<string, string>();
  /** Instances that were down since the intent that replaces them was written. */
  readonly #wasDown = new Set<string>();
  /** op and attempt → the one request that may be sent for it, as JSON. */
  readonly #requests = new Map<string, string>();

  constructor(cluster: SimulatedCluster, report: Report) {
    this.#cluster = cluster;
    this.#report = report;
  }

  onClusterEvent(clusterEvent: ClusterEvent): void {
    if (clusterEvent.kind === 'cloud' && clusterEvent.event.kind === 'transition') this.#followOld(clusterEvent.event);
    if (clusterEvent.kind === 'cloud' && isCreated(clusterEvent.event)) this.#created(clusterEvent.event);
    if (
      clusterEvent.kind === 'cloud' &&
      clusterEvent.event.kind === 'call' &&
      clusterEvent.event.action === 'RunInstances'
    )
      this.#asked(clusterEvent.event.input);
    if (clusterEvent.kind === 'commit')
      for (const write of clusterEvent.commit.txn.writes) {
        if (write.kind !== 'put') continue;
        if (beginsRecovery(this.#cluster, clusterEvent.commit, write)) this.#intended(write.value);
        if (write.key.startsWith(this.#cluster.keys.activations)) this.#activated(write.value);
      }
  }

  #created(event: TransitionEvent): void {
    const { instances, snapshots } = this.#cluster.cloud.core.region;
    const shelf = event.resourceKind === 'instance' ? instances : event.resourceKind === 'snapshot' ? snapshots : null;
    const tags = shelf?.get(event.resourceId)?.tags;
    const opId = tags?.[TAG.op];
    if (opId === undefined) return;
    if (event.resourceKind === 'instance') this.#oneAtATime(opId, event.resourceId);
    // What was asked for while it was only suspect (I14) lands when it lands.
    if (tags?.[TAG.preparedFor] === undefined) this.#afterTheFence(opId, event.resourceId);
  }

  /** Whoever sends it, however often: the same attempt is the same request, token included (S6). */
  #asked(input: Readonly<Record<string, unknown>>): void {
    // A question (DryRun) launches nothing; what it made all the same would show as created.
    if (input['DryRun'] === true) return;
    const request = JSON.stringify(inOrder(input));
    const tagOf = (key: string) => new RegExp(`"Key":"${key}","Value":"([^"]+)"`).exec(request)?.[1];
    const opId = tagOf(TAG.op);
    if (opId === undefined) return;
    const attempt = `${opId} attempt ${tagOf(TAG.attempt) ?? '?'}`;
    const first = this.#requests.get(attempt) ?? request;
    if (first !== request) this.#report('I1', `two different launch requests for ${attempt}`);
    this.#requests.set(attempt, first);
  }

  /** Checks one instance, however often its recovery was abandoned and begun anew. */
  #oneAtATime(opId: string, instanceId: string): void {
    const replaced = this.#replacedBy.get(opId) ?? opId;
    const earlier = this.#launched.get(replaced) ?? [];
    const alive = earlier.filter((id) => !this.#isIn(id, ['terminated']));
    if (alive.length > 0) this.#report('I1', `${instanceId} was launched for ${opId} beside ${alive.join(', ')}`);
    this.#launched.set(replaced, [...earlier, instanceId]);
  }

  #afterTheFence(opId: string, what: string): void {
    const old = this.#oldInstanceOf(opId);
    // A call that lands after its recovery has ended is judged by I1 and I7.
    if (old === null) return;
    if (this.#fenceOf(opId) === 'lease') return this.#servesNoMore(old, opId, what);
    if (!this.#wasDown.has(old))
      this.#report('I3', `${what} was made for ${opId} while ${old} is ${this.#stateOf(old)}`);
    else if (this.#fenceOf(opId) === null)
      this.#report('I3', `${what} was made for ${opId} before its fence was recorded`);
  }

  /** Only what is down from now on counts as fenced for this recovery. */
  #intended(value: string): void {
    const old = /"oldInstanceId":"([^"]+)"/.exec(value)?.[1] ?? '';
    const opId = /"opId":"([^"]+)"/.exec(value)?.[1] ?? '';
    this.#replacedBy.set(opId, old);
    // What was launched while it was only suspect is the recovery's first launch.
    this.#launched.set(old, [...(this.#launched.get(old) ?? []), ...(this.#launched.get(opId) ?? [])]);
    this.#launched.delete(opId);
    if (this.#isIn(old, ['stopped', 'terminated'])) this.#wasDown.add(old);
    else this.#wasDown.delete(old);
  }

  #activated(value: string): void {
    const opId = /"opId":"([^"]+)"/.exec(value)?.[1];
    if (opId === undefined) return;
    this.#afterTheFence(opId, 'an activation');
    this.#fitToServe(opId, /"instanceId":"([^"]+)"/.exec(value)?.[1] ?? '');
    const old = this.#oldInstanceOf(opId);
    if (this.#fenceOf(opId) === 'lease') return;
    if (old !== null && !this.#isIn(old, ['stopped', 'terminated']) && !this.#cluster.operators.startedLately(old))
      this.#report('I3', `an activation for ${opId} while ${old} is ${this.#stateOf(old)}`);
  }

  /**
   * What an operator starts again after it was seen down is the activation's business, which looks
   * once more.
   */
  #followOld(event: TransitionEvent): void {
    if (event.resourceKind !== 'instance') return;
    if (event.to === 'stopped' || event.to === 'terminated') this.#wasDown.add(event.resourceId);
  }

  /**
   * I10: a recovery that activates a machine on which nothing ever ran only looks as if it was
   * done.
   */
  #fitToServe(opId: string, instanceId: string): void {
    if (this.#cluster.machines.of(instanceId)?.isStillborn)
      this.#report('I10', `${instanceId} is activated for ${opId}, but nothing has ever run on it`);
  }

  #oldInstanceOf(opId: string): string | null {
    const { kv, keys } = this.#cluster;
    for (const entry of kv.entries(keys.intents)) {
      const intent = parseRecord(IntentRecordSchema, entry.key, entry.value);
      if (intent.opId === opId) return intent.oldInstanceId;
    }
    return null;
  }

  /**
   * Where a lease was waited out nobody has seen the old instance down; but here it can be seen
   * whether it serves.
   */
  #servesNoMore(old: string, opId: string, what: string): void {
    if (this.#cluster.machines.of(old)?.serves)
      this.#report('I3', `${what} was made for ${opId} while ${old} serves, although its lease was waited out`);
  }

  /** How, by the journal; null: it is not recorded as done. */
  #fenceOf(opId: string): string | null {
    const key = this.#cluster.keys.journalStep(opId, 'fence');
    const entry = this.#cluster.kv.state.get(key);
    const record = entry && parseRecord(JournalRecordSchema, key, entry.value);
    return record?.state === 'done' ? String(record.result?.['how']) : null;
  }

  #stateOf(instanceId: string): string {
    return this.#cluster.cloud.core.region.instances.get(instanceId)?.state ?? 'terminated';
  }

  #isIn(instanceId: string, states: readonly string[]): boolean {
    return states.includes(this.#stateOf(instanceId));
  }
}

export const watchLaunches: MakeWatcher = (cluster, report) => new Launches(cluster, report);
