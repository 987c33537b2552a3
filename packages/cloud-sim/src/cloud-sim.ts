import { createHash } from 'node:crypto';
import { type Clock, type Log, type Random, SeededRandom, silentLog, type Timer } from '@understudy/shared';
import { copyValue } from './copy-value.ts';
import type { Authorize } from './core/authorization/access-request.ts';
import { type CallResult, CloudSimCore } from './core/cloud-sim-core.ts';
import type { DefaultResources } from './core/default-resources.ts';
import { rebalanceRecommendation, spotInterruption } from './core/event-bus/bus-event.ts';
import type { EventBus } from './core/event-bus/event-bus.ts';
import type { EventLog, SimCaller, SimEvent } from './core/event-log.ts';
import { served } from './core/elbv2/health.ts';
import type { LoadBalancing } from './core/elbv2/target-groups.ts';
import { failHost, failZone, healZone, holdBackIo } from './core/failures.ts';
import type { Fault, FaultState } from './core/faults.ts';
import type { LatencyOverrides, Range } from './core/latency.ts';
import type { NewKey, SimKmsKey } from './core/kms/keys.ts';
import { RECEIVE, waitOf } from './core/sqs/index.ts';
import type { SimQueue } from './core/sqs/queue.ts';
import type { RunCommand } from './core/ssm/run-command.ts';
import type { SimTopics } from './core/sns/topics.ts';
import type { SimQueues } from './core/sqs/queues.ts';
import type { DnsZones } from './core/route53/zones.ts';
import type { SecretStoreName, SimSecret } from './core/secrets/store.ts';
import type { HostFailure, SimHost, SimInstanceEvent, StatusCheck } from './core/model.ts';
import { ACCOUNT_ID, type Kept, type Quotas } from './core/region.ts';
import { IdentitySigner } from './identity-signer.ts';
import { SimNoReplyError } from './transport.ts';

export interface CloudSimOptions {
  readonly clock: Clock;
  /** The same seed and the same calls give the same run. Default 1. */
  readonly seed?: number;
  /** Default `us-east-1`; its zones are a, b and c. */
  readonly region?: string;
  /** Latencies are divided, bucket refills multiplied by this. Default 1. */
  readonly speed?: number;
  /**
   * Per-operation ranges in ms, e.g. `{ 'instance.pending': [500, 500],
   * 'api.RunInstances.response': [0, 0] }`.
   */
  readonly latency?: LatencyOverrides;
  readonly quotas?: Partial<Quotas>;
  readonly kept?: Kept;
  readonly random?: Random;
  readonly log?: Log;
}

export interface SimCallOptions {
  /** Ends the wait, not the effect: a request that was sent is executed. */
  readonly signal?: AbortSignal;
  readonly reader?: string;
  /** For the trail. */
  readonly caller?: SimCaller;
}

/**
 * A reply, after all latencies: an output, an error, or nothing (`lost`), which the caller learns
 * by waiting.
 */
export type SimReply = CallResult;

/**
 * The simulated Region, alive on a clock. It applies latency, performs transitions when they are
 * due, and injects faults. All semantics are in {@link CloudSimCore}; this shell only waits and
 * forwards.
 */
export class CloudSim {
  readonly core: CloudSimCore;
  readonly clock: Clock;
  /** Signs what the metadata service says of an instance's identity. */
  readonly identity = new IdentitySigner();
  readonly #log: Log;
  #timer: Timer | null = null;
  #timerDueAtMs: number | null = null;
  #closed = false;
  /** Ends each long poll that waits. */
  readonly #polls = new Set<() => void>();

  constructor(options: CloudSimOptions) {
    const seed = options.seed ?? 1;
    this.clock = options.clock;
    this.#log = options.log ?? silentLog;
    this.core = new CloudSimCore({
      name: options.region ?? 'us-east-1',
      random: options.random ?? new SeededRandom(seed),
      seed,
      speed: options.speed ?? 1,
      md5: (body) => createHash('md5').update(body).digest('hex'),
      ...(options.latency && { latency: options.latency }),
      ...(options.quotas && { quotas: options.quotas }),
      ...(options.kept && { kept: options.kept }),
    });
    this.core.advanceTo(this.clock.monotonicMs(), this.clock.wallMs());
  }

  get defaultResources(): DefaultResources {
    return this.core.defaultResources;
  }

  /** Calls, transitions and launches, with helpers. */
  get log(): EventLog {
    return this.core.region.log;
  }

  get region(): string {
    return this.core.region.name;
  }

  get zones(): readonly string[] {
    return this.core.region.zones;
  }

  /**
   * One request: request latency, execution, response latency. Rejects only with {@link
   * SimNoReplyError} when `signal` aborts.
   */
  async call(action: string, input: Record<string, unknown>, options: SimCallOptions = {}): Promise<SimReply> {
    const { signal } = options;
    if (signal?.aborted) throw new SimNoReplyError('AbortError', 'Request aborted');
    const work = this.#deliver(action, copyValue(input), options);
    if (!signal) return work;
    return new Promise<SimReply>((resolve, reject) => {
      const onAbort = () => reject(new SimNoReplyError('AbortError', 'Request aborted'));
      signal.addEventListener('abort', onAbort, { once: true });
      work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  async #deliver(action: string, input: Record<string, unknown>, options: SimCallOptions): Promise<SimReply> {
    const { reader, caller } = options;
    const { latency } = this.core.region;
    const sentAtMs = this.clock.monotonicMs();
    const responseMs = latency.apiMs(action, 'response');
    await this.clock.sleep(latency.apiMs(action, 'request'));
    if (action === RECEIVE) {
      const queue = this.queues.byUrl(String(input['QueueUrl']));
      const endsAtMs = this.clock.monotonicMs() + this.#waitOf(input);
      for (let next; (next = this.#nextMessage(queue, endsAtMs)); ) await next;
    }
    const moment = { ...this.#now(), sentAtMs, ...(reader !== undefined && { reader }), ...(caller && { caller }) };
    const result = copyValue(this.core.handle(action, input, moment));
    this.#arm();
    if ('lost' in result) {
      await this.clock.sleep(result.lost.hangMs);
      return result;
    }
    await this.clock.sleep(responseMs);
    return result;
  }

  /**
   * A long poll waits for a message of its queue. Null: one can be received, or it has waited long
   * enough. Whoever waits asks again: another poll may have taken it.
   */
  #nextMessage(queue: SimQueue | undefined, endsAtMs: number): Promise<void> | null {
    this.core.advanceTo(this.clock.monotonicMs(), this.clock.wallMs());
    const leftMs = endsAtMs - this.clock.monotonicMs();
    if (!queue || this.#closed || leftMs <= 0 || queue.hasVisible()) return null;
    return new Promise<void>((resolve) => {
      const end = () => {
        timer.cancel();
        forget();
        this.#polls.delete(end);
        resolve();
      };
      const timer = this.clock.setTimer(leftMs, end);
      const forget = queue.onVisible(end);
      this.#polls.add(end);
    });
  }

  /** A wait that is not allowed is refused by the call itself. */
  #waitOf(input: Record<string, unknown>): number {
    try {
      return waitOf(this.core.region, input as never);
    } catch {
      return 0;
    }
  }

  /**
   * Builds the Region as it was long ago: at once, without latency, lag, buckets, faults or log.
   * @throws Ec2Error
   */
  seed(action: string, input: Record<string, unknown>): Record<string, unknown> {
    const output = this.core.seed(action, copyValue(input), this.#now());
    this.#arm();
    return copyValue(output);
  }

  addFault(fault: Fault): void {
    this.core.region.faults.add(fault);
    this.#log.info('cloud-sim.fault.added', { fault });
  }

  /** Takes the fault away. Returns how often it fired. */
  removeFault(faultId: string): number {
    return this.core.region.faults.remove(faultId);
  }

  clearFaults(): void {
    this.core.region.faults.clear();
  }

  faults(): readonly FaultState[] {
    return this.core.region.faults.states();
  }

  /** How often the fault fired; 0 for one that does not exist. */
  fired(faultId: string): number {
    return this.core.region.faults.fired(faultId);
  }

  /**
   * Calls the listener synchronously, in the middle of what happens. Returns the unsubscribe
   * function.
   */
  onEvent(listener: (event: SimEvent) => void): () => void {
    return this.log.onEvent(listener);
  }

  /** Limits what still fits into a zone; `null` lifts the limit. */
  setCapacity(az: string, instanceType: string, left: number | null): void {
    if (left === null) this.core.region.capacity.delete(`${az}/${instanceType}`);
    else this.core.region.capacity.set(`${az}/${instanceType}`, left);
  }

  /** Says where a type is sold. At the start every type is sold everywhere. */
  setOffered(az: string, instanceType: string, offered: boolean): void {
    if (offered) this.core.region.notOffered.delete(`${az}/${instanceType}`);
    else this.core.region.notOffered.add(`${az}/${instanceType}`);
  }

  /** Fast snapshot restore of a snapshot in a zone: volumes made there come initialized. */
  setFastRestore(az: string, snapshotId: string, enabled: boolean): void {
    if (enabled) this.core.region.fastRestores.add(`${az}/${snapshotId}`);
    else this.core.region.fastRestores.delete(`${az}/${snapshotId}`);
  }

  /** IAM is not simulated: an instance profile is a name that exists or not. */
  setInstanceProfile(name: string, exists: boolean): void {
    const { instanceProfiles } = this.core.region;
    if (exists) instanceProfiles.add(name);
    else instanceProfiles.delete(name);
  }

  /** License Manager is not simulated either. */
  setLicenseConfiguration(arn: string, exists: boolean): void {
    const { licenseConfigurations } = this.core.region;
    if (exists) licenseConfigurations.add(arn);
    else licenseConfigurations.delete(arn);
  }

  /** Makes a customer's key for volumes, enabled. KMS's own work on keys is done here, at once. */
  createKmsKey(wanted: NewKey = {}): SimKmsKey {
    return this.core.region.kmsKeys.make(wanted, this.clock.wallMs());
  }

  /**
   * Finds the key by id, ARN or alias. False: there is none, or it is AWS's own, which nobody can
   * change.
   */
  changeKmsKey(name: string, change: Partial<Pick<SimKmsKey, 'state' | 'access' | 'deletionAtWallMs'>>): boolean {
    return this.core.region.kmsKeys.change(name, change);
  }

  /** Deletes the key as when its waiting period is over. Nothing brings it back. */
  deleteKmsKey(name: string): boolean {
    return this.core.region.kmsKeys.remove(name);
  }

  /** Puts a value into Parameter Store or Secrets Manager, or takes it out (null). */
  putSecret(store: SecretStoreName, name: string, value: string | null, access: SimSecret['access'] = 'all'): void {
    const { secretValues } = this.core.region;
    if (value === null) secretValues.remove(store, name);
    else secretValues.put(store, name, value, this.clock.wallMs(), access);
  }

  /** The hosted zones of the account, for whoever operates the simulator. */
  get dns(): DnsZones {
    return this.core.region.dns;
  }

  /** Its queues. */
  get queues(): SimQueues {
    return this.core.region.queues;
  }

  /** Run Command of Systems Manager, and the agents that it reaches. */
  get commands(): RunCommand {
    return this.core.region.commands;
  }

  /** An agent registers, is cut off from the service, or stands still with what it has fetched. */
  setManaged(instanceId: string, how: { readonly cutOff?: boolean; readonly frozen?: boolean } = {}): boolean {
    if (!this.core.region.instances.get(instanceId)) return false;
    return this.#act(() => {
      this.commands.register(instanceId);
      if (how.cutOff !== undefined) this.commands.cutOff(instanceId, how.cutOff);
      if (how.frozen !== undefined) this.commands.freeze(instanceId, how.frozen);
      return true;
    });
  }

  /** Its topics. */
  get topics(): SimTopics {
    return this.core.region.topics;
  }

  /** EventBridge: its buses and rules, and whether there is a trail. */
  get events(): EventBus {
    return this.core.region.events;
  }

  /** Puts an event on the bus that nobody's doing led to. */
  forgeEvent(event: Readonly<Record<string, unknown>>): void {
    this.#act(() => this.events.forge(event));
  }

  /** Tells that a Spot instance is about to be interrupted; what then happens is `takeDown`. */
  tellInterruption(instanceId: string, action: 'stop' | 'terminate' | 'hibernate'): void {
    const az = this.core.region.instances.get(instanceId)?.az ?? '';
    this.#act(() => this.events.put(spotInterruption(instanceId, az, action)));
  }

  tellRebalance(instanceId: string): void {
    const place = { region: this.region, account: ACCOUNT_ID };
    this.#act(() => this.events.put(rebalanceRecommendation(place, instanceId)));
  }

  /** Puts a message into a queue, as anybody might who may. `delayMs` is at speed 1. */
  sendToQueue(name: string, body: string, delayMs = 0): void {
    const { latency, queues } = this.core.region;
    this.#act(() => queues.byName(name)?.send(body, delayMs / latency.speed));
  }

  /** Its load balancers and target groups. */
  get balancing(): LoadBalancing {
    return this.core.region.balancing;
  }

  /** Targets as they were registered, or taken out, long ago: at once, and healthy. */
  seedTargets(TargetGroupArn: string, registered: readonly object[], removed: readonly object[] = []): void {
    if (registered.length > 0)
      this.seed('elasticloadbalancing:RegisterTargets', { TargetGroupArn, Targets: registered });
    if (removed.length > 0) this.seed('elasticloadbalancing:DeregisterTargets', { TargetGroupArn, Targets: removed });
  }

  /** Ids of the targets that the balancer sends traffic to now, failing open. */
  servedTargets(targetGroupArn: string): readonly string[] {
    return this.#act(() => served(this.core.region, this.balancing.require(targetGroupArn)).map((one) => one.id));
  }

  /** Adds or removes a Dedicated Host. Its room has no limit. */
  setHost(host: SimHost, exists: boolean): void {
    if (exists) this.core.region.hosts.set(host.id, host);
    else this.core.region.hosts.delete(host.id);
  }

  /**
   * Sets the Marketplace codes of the image's root disk, and so of what is copied from it. False:
   * no such image.
   */
  setProductCodes(imageId: string, codes: readonly string[]): boolean {
    const image = this.core.region.images.get(imageId);
    if (image) this.core.region.productCodes.set(image.rootSnapshotId, codes);
    return image !== undefined;
  }

  setZoneImpaired(az: string, impaired: boolean): void {
    if (impaired) this.core.region.impairedZones.add(az);
    else this.core.region.impairedZones.delete(az);
  }

  /** The zone's hosts and its control plane fail: {@link failZone}. */
  failZone(az: string, how: HostFailure = 'power'): void {
    this.#act(() => failZone(this.core.region, az, how));
  }

  /** The zone is well again: {@link healZone}. */
  healZone(az: string, instances: 'come-back' | 'stay-down' = 'come-back'): void {
    this.#act(() => healZone(this.core.region, az, instances));
  }

  /**
   * The instance's host fails; EC2 may move the instance to another one later: {@link failHost}.
   */
  failHost(instanceId: string, recoverAfterMs: number | null = null): boolean {
    return this.#act(() => failHost(this.core.region, instanceId, recoverAfterMs));
  }

  holdBackIo(volumeId: string): boolean {
    return this.#act(() => holdBackIo(this.core.region, volumeId));
  }

  /** Rows of the latency table from now on, in ms at speed 1. Null: as at the start. */
  setLatency(rows: Readonly<Record<string, Range | null>>): void {
    this.core.region.latency.set(rows);
  }

  setQuotas(quotas: Partial<Quotas>): void {
    this.core.region.quotas = { ...this.core.region.quotas, ...quotas };
  }

  /**
   * Sets the keys that everything made from now on must be tagged with, as an organisation may want
   * it.
   */
  setRequiredTags(keys: readonly string[]): void {
    this.core.region.requiredTags.clear();
    for (const key of keys) this.core.region.requiredTags.add(key);
  }

  /** Sets the actions that answer UnauthorizedOperation. */
  setDeniedActions(actions: readonly string[]): void {
    this.core.region.deniedActions.clear();
    for (const action of actions) this.core.region.deniedActions.add(action);
  }

  /**
   * Sets who says what callers may do, as IAM does. Null: everything is allowed. What is seeded is
   * never asked about.
   */
  setAuthorize(authorize: Authorize | null): void {
    this.core.setAuthorize(authorize);
  }

  crashInstance(instanceId: string): boolean {
    return this.#act(() => this.core.crashInstance(instanceId));
  }

  shutDownFromInside(instanceId: string): boolean {
    return this.#act(() => this.core.shutDownFromInside(instanceId));
  }

  setImpairedChecks(instanceId: string, checks: readonly StatusCheck[]): boolean {
    return this.#act(() => this.core.setImpairedChecks(instanceId, checks));
  }

  setScheduledEvents(instanceId: string, events: readonly SimInstanceEvent[]): boolean {
    return this.#act(() => this.core.setScheduledEvents(instanceId, events));
  }

  takeDown(instanceId: string, stateReasonCode: string, how: 'stop' | 'terminate'): boolean {
    return this.#act(() => this.core.takeDown(instanceId, stateReasonCode, how));
  }

  /** Ends all further transitions. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const end of [...this.#polls]) end();
    this.#timer?.cancel();
    this.#timer = null;
  }

  #act<T>(action: () => T): T {
    const { nowMs, wallMs } = this.#now();
    this.core.advanceTo(nowMs, wallMs);
    const result = action();
    this.#arm();
    return result;
  }

  #now(): { nowMs: number; wallMs: number } {
    return { nowMs: this.clock.monotonicMs(), wallMs: this.clock.wallMs() };
  }

  /** Arms one timer, for the transition that is due next. */
  #arm(): void {
    const dueAtMs = this.core.nextDueAtMs();
    if (this.#closed || dueAtMs === null || (this.#timer && this.#timerDueAtMs === dueAtMs)) return;
    this.#timer?.cancel();
    this.#timerDueAtMs = dueAtMs;
    this.#timer = this.clock.setTimer(dueAtMs - this.clock.monotonicMs(), () => this.#wake());
  }

  #wake(): void {
    this.#timer = null;
    const { nowMs, wallMs } = this.#now();
    this.core.advanceTo(nowMs, wallMs);
    this.#arm();
  }
}
