import {
  CloudSim,
  inProcessKms,
  inProcessService,
  inProcessTransport,
  type LatencyOverrides,
  type SeededInstance,
  seedInstance,
} from '@understudy/cloud-sim';
import {
  Collector,
  gatherPlanInput,
  KeyLooks,
  NameLooks,
  planFor,
  RecoveryEngine,
  type RecoveryRunOutcome,
  type RecoverySettings,
} from '@understudy/recovery';
import { createEc2Cloud, dnsRecordsOver, kmsOver, remoteCommandsOver, targetGroupsOver } from '@understudy/aws';
import {
  type ActivationRecord,
  ActivationRecordSchema,
  type Cloud,
  type DnsRecords,
  type GroupPolicy,
  GroupPolicySchema,
  type HeartbeatReading,
  type HistoryRecord,
  HistoryRecordSchema,
  type HoldRecord,
  HoldRecordSchema,
  IntentRecordSchema,
  keyspace,
  type KvStore,
  LeaderTerm,
  type MemberId,
  type MonotonicMs,
  monotonicMs,
  OperationError,
  type OperatorRequestRecord,
  opIdOf,
  parseRecord,
  type RecoveryPlan,
  type RemoteCommands,
  type RequestKind,
  type RunHook,
  serializeRecord,
  TAG,
  type TargetGroups,
  type Term,
} from '@understudy/shared';
import type { LeaseKeeper } from '@understudy/coordinator/testing';
import { type OpenIntent, type RecoveryRegistry, REGISTERED, type Strategy } from '@understudy/recovery/testing';
import { RecordingLog, SeededRandom, SimClock, SimKv, type PolicyChange } from '@understudy/shared/testing';

export const KEYS = keyspace();
export const MEMBER: MemberId = 'db/primary';

export interface RecoveryFixtureOptions {
  readonly seed?: number;
  readonly latency?: LatencyOverrides;
  readonly policy?: PolicyChange;
  readonly settings?: Partial<RecoverySettings>;
  /** Default: one data volume and one Elastic IP. */
  readonly dataVolumes?: number;
  /** Size of each data volume. Default: 10. */
  readonly sizeGiB?: number;
  readonly elasticIp?: boolean;
  readonly request?: Readonly<Record<string, unknown>>;
  /** What recoveries are put together from. Default: what is registered. */
  readonly registry?: RecoveryRegistry;
  /** What plans are made by. Default: what the policy names. */
  readonly strategy?: Strategy;
  /** Runs the hooks of the policy. */
  readonly runHook?: RunHook;
  /** Runs the hooks of the policy through Run Command, as each leader has it. */
  readonly hooksOver?: (commands: RemoteCommands, scene: RecoveryFixture) => RunHook;
  /** The feature level in force; absent: this build's. */
  readonly level?: number;
  /**
   * The observer remembers whom it has heard, and each boot is another epoch, as real ones do.
   * Default: who is not heard now is not known, and there is one epoch.
   */
  readonly remembers?: boolean;
  /** `silent`: it cannot be reached. `none`: nobody asks. Default: it answers. */
  readonly kms?: 'silent' | 'none';
}

/**
 * One coordinator's worth of leadership: cloud, store and term of its own, and the engine on top.
 */
export interface Leader {
  readonly name: string;
  readonly term: LeaderTerm;
  readonly engine: RecoveryEngine;
  readonly cloud: Cloud;
  readonly kv: KvStore;
  /** Its lease is over, as its own deadline tells it. */
  endTerm(): void;
}

/** What stands between an engine and its region; for crash points. */
export interface Wrapping {
  cloud?(cloud: Cloud): Cloud;
  runHook?(runHook: RunHook): RunHook;
  commands?(commands: RemoteCommands): RemoteCommands;
  dns?(dns: DnsRecords): DnsRecords;
  targetGroups?(targetGroups: TargetGroups): TargetGroups;
  kv?(kv: KvStore): KvStore;
  term?(term: Term): Term;
  /** When this leader first saw the intent; absent: it sees it when it runs it. */
  intentSeenAtMs?(): MonotonicMs;
}

/**
 * A lease that is good until the test says otherwise: what keeps real leases is tested elsewhere.
 */
function testKeeper(leaseId: string): { keeper: LeaseKeeper; lose: () => void } {
  const lost = new AbortController();
  const keeper = {
    leaseId,
    signal: lost.signal,
    remainingMs: () => (lost.signal.aborted ? 0 : 8_400),
  };
  return {
    keeper: keeper as unknown as LeaseKeeper,
    lose: () => lost.abort(new OperationError('LEASE_LOST', 'the test ended the lease')),
  };
}

const STAMP = { schemaVersion: 1, writeId: 'scene', writtenBy: 'scene', writtenAtWallMs: 0 } as const;

/** A simulated Region and etcd with one failed member whose recovery is about to begin. */
export class RecoveryFixture {
  readonly clock = new SimClock();
  readonly kv: SimKv;
  readonly sim: CloudSim;
  readonly log = new RecordingLog();
  readonly random: SeededRandom;
  readonly policy: GroupPolicy;
  readonly settings: Partial<RecoverySettings>;
  readonly keyLooks: KeyLooks;
  readonly nameLooks: NameLooks;
  /** As the build that leads has it. */
  registry: RecoveryRegistry;
  strategy: Strategy | null;
  readonly level: number | undefined;
  readonly runHook: RunHook | undefined;
  readonly #hooksOver: RecoveryFixtureOptions['hooksOver'];
  /** Instances that never send a heartbeat, by `silent.add(id)`; or all, when it holds `*`. */
  readonly silent = new Set<string>();
  /** As the leader judges. */
  lostZones: readonly string[] = [];
  /** The leader does not trust its own ears. */
  abstains = false;
  /** From running to the first heartbeat. */
  readonly bootMs = 2_000;
  /** What was there before any recovery. */
  readonly seededIds = new Set<string>();
  readonly #remembered: Map<string, HeartbeatReading> | null;
  #terms = 0;

  constructor(options: RecoveryFixtureOptions = {}) {
    this.#remembered = options.remembers === true ? new Map() : null;
    const seed = options.seed ?? 1;
    this.random = new SeededRandom(seed + 7);
    this.kv = new SimKv({ clock: this.clock });
    this.sim = new CloudSim({ clock: this.clock, seed, ...(options.latency ? { latency: options.latency } : {}) });
    this.policy = GroupPolicySchema.parse(options.policy ?? {});
    this.settings = options.settings ?? {};
    this.registry = options.registry ?? REGISTERED;
    this.strategy = options.strategy ?? null;
    this.level = options.level;
    this.runHook = options.runHook;
    this.#hooksOver = options.hooksOver;
    const { clock, log } = this;
    const transport = options.kms === 'silent' ? () => new Promise<never>(() => undefined) : inProcessKms(this.sim);
    const kms = options.kms === 'none' ? null : kmsOver({ transport, clock, callTimeoutMs: 2_000 });
    this.keyLooks = new KeyLooks({ kms, clock, log });
    this.nameLooks = new NameLooks({ dns: this.#dns(), targetGroups: this.#targetGroups(), clock, log });
  }

  /** A running member, enrolled; `fail` kills its guest. */
  seedMember(member: MemberId = MEMBER, options: RecoveryFixtureOptions = {}): SeededInstance {
    const volumes = Array.from({ length: options.dataVolumes ?? 1 }, (_, index) => ({
      deviceName: `/dev/sd${String.fromCharCode(102 + index)}`,
      sizeGiB: options.sizeGiB ?? 10,
    }));
    const seeded = seedInstance(this.sim, {
      member,
      memberTag: member.split('/')[1] ?? '',
      dataVolumes: volumes,
      elasticIp: options.elasticIp ?? true,
      userData: 'member: x',
      ...(options.request ? { request: options.request } : {}),
    });
    this.#put(KEYS.activation(member), {
      member,
      incarnation: 1,
      instanceId: seeded.instanceId,
      opId: null,
      ordinal: 0,
    });
    for (const kind of this.resources()) for (const one of kind) this.seededIds.add(one.id);
    return seeded;
  }

  #put(key: string, record: object): void {
    this.kv.apply({ compare: [], writes: [{ kind: 'put', key, value: serializeRecord({ ...record, ...STAMP }) }] });
  }

  /** Plan and intent, as the leader would have written them. */
  async begin(seeded: SeededInstance, member: MemberId = MEMBER): Promise<OpenIntent> {
    const { plan, az } = await this.planOf(seeded, member);
    return this.beginBy(plan, az, seeded, member);
  }

  async planOf(
    seeded: SeededInstance,
    member: MemberId = MEMBER,
  ): Promise<{ readonly plan: RecoveryPlan; readonly az: string }> {
    const cloud = this.newCloud();
    const gathered = await this.clock.runUntilSettled(
      gatherPlanInput(cloud, seeded.instanceId, this.policy, {
        keyLooks: this.keyLooks,
        nameLooks: this.nameLooks,
        wallMs: () => this.clock.wallMs(),
        firstImageId: this.activation(member)?.firstImageId,
      }),
    );
    const { strategy, registry, policy, level } = this;
    const input = level === undefined ? gathered : { ...gathered, level };
    const result = strategy?.plan(input, policy, null, registry) ?? planFor(input, policy, null, registry);
    if (result.kind !== 'plan') throw new Error(`no plan: ${JSON.stringify(result.problems)}`);
    return { plan: result.plan, az: input.instance.az };
  }

  /** By a plan that is there already. */
  beginBy(plan: RecoveryPlan, oldAz: string, seeded: SeededInstance, member: MemberId = MEMBER): OpenIntent {
    const activation = this.kv.entries(KEYS.activation(member))[0];
    const ordinal = this.activation(member)?.ordinal ?? 0;
    const opId = opIdOf(seeded.instanceId, ordinal);
    this.#put(KEYS.intent(member), {
      opId,
      member,
      oldInstanceId: seeded.instanceId,
      ordinal,
      oldAz,
      oldIncarnation: 1,
      activationModRevision: activation?.modRevision ?? 0,
      term: 1,
      startedAtWallMs: this.clock.wallMs(),
      lastHeardWallMs: null,
      reason: 'dead',
      ...{ serveContract: null, serveLeaseOverAfterMs: null },
      plan,
    });
    return this.intent(member);
  }

  /** What an operator asks of the open recovery, as the leader writes it down. */
  ask(kind: RequestKind, over: Partial<OperatorRequestRecord> = {}, member: MemberId = MEMBER): void {
    const { opId } = this.intent(member).record;
    const asked = { member, kind, opId, by: 'ann', why: 'the test', loss: null, leaveOpen: false };
    this.#put(KEYS.request(member), { ...asked, atWallMs: this.clock.wallMs(), ...over });
  }

  intent(member: MemberId = MEMBER): OpenIntent {
    const entry = this.kv.entries(KEYS.intent(member))[0];
    if (!entry) throw new Error('no intent');
    return { record: parseRecord(IntentRecordSchema, entry.key, entry.value), modRevision: entry.modRevision };
  }

  newCloud(reader?: string): Cloud {
    const transport = inProcessTransport(this.sim, reader === undefined ? {} : { reader });
    return createEc2Cloud({ transport, clock: this.clock, callTimeoutMs: 5_000, rateShare: 0.9 });
  }

  /** What names members, for whoever watches it afterwards. */
  get names(): { readonly dns: DnsRecords; readonly targetGroups: TargetGroups } {
    return { dns: this.#dns(), targetGroups: this.#targetGroups() };
  }

  /** As if something else had ended for the member meanwhile. */
  raiseActivation(member: MemberId = MEMBER): void {
    const { schemaVersion: _, ...record } = this.activation(member) ?? { schemaVersion: 1, ordinal: 0 };
    this.#put(KEYS.activation(member), { ...record, ordinal: record.ordinal + 1 });
  }

  #dns(): DnsRecords {
    const transport = inProcessService(this.sim, 'route53');
    return dnsRecordsOver({ transport, clock: this.clock, callTimeoutMs: 5_000 });
  }

  #targetGroups(): TargetGroups {
    const transport = inProcessService(this.sim, 'elasticloadbalancing');
    return targetGroupsOver({ transport, clock: this.clock, callTimeoutMs: 5_000 });
  }

  /**
   * A new leader; whoever led before is superseded in the store at this moment (and may not know
   * it).
   */
  lead(wrapping: Wrapping = {}): Leader {
    this.#terms += 1;
    const name = `c${this.#terms}`;
    this.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.leader }] });
    this.#put(KEYS.leader, { coordinatorId: name, az: 'us-east-1a', httpUrl: 'http://test' });
    const entry = this.kv.entries(KEYS.leader)[0];
    if (!entry) throw new Error('no leader key');
    const store = this.kv.client(name);
    const { keeper, lose } = testKeeper(`${this.#terms}`);
    const term = new LeaderTerm({
      deps: { store, clock: this.clock, random: this.random },
      keys: KEYS,
      coordinatorId: name,
      keeper,
      entry,
    });
    const cloud = wrapping.cloud?.(this.newCloud(name)) ?? this.newCloud(name);
    const kv = wrapping.kv?.(store) ?? store;
    const engine = new RecoveryEngine({
      cloud,
      keyLooks: this.keyLooks,
      nameLooks: this.nameLooks,
      ...this.#hooks(wrapping),
      dns: wrapping.dns?.(this.#dns()) ?? this.#dns(),
      targetGroups: wrapping.targetGroups?.(this.#targetGroups()) ?? this.#targetGroups(),
      kv,
      keys: KEYS,
      clock: this.clock,
      random: this.random,
      log: this.log,
      heartbeats: {
        reading: (_member, instanceId) => this.#heard(instanceId),
        abstains: () => this.abstains,
      },
      policyOf: () => ({ policy: this.policy, modRevision: 0, lostZones: this.lostZones }),
      settings: this.settings,
      registry: this.registry,
      intentSeenAtMs: () => wrapping.intentSeenAtMs?.() ?? null,
    });
    return { name, term, engine, cloud, kv, endTerm: lose };
  }

  #hooks(wrapping: Wrapping): { readonly runHook?: RunHook } {
    if (this.runHook) return { runHook: wrapping.runHook?.(this.runHook) ?? this.runHook };
    if (!this.#hooksOver) return {};
    const transport = inProcessService(this.sim, 'ssm');
    const commands = remoteCommandsOver({ transport, clock: this.clock, callTimeoutMs: 5_000 });
    return { runHook: this.#hooksOver(wrapping.commands?.(commands) ?? commands, this) };
  }

  /** As the observer knows it; call it while it is heard, for it to be remembered. */
  #heard(instanceId: string): HeartbeatReading | null {
    const reading = this.#reading(instanceId);
    if (this.#remembered === null) return reading;
    const boots = this.sim.log.transitions(instanceId).filter((one) => one.to === 'running');
    const passingSinceMs = monotonicMs((boots.at(-1)?.atMs ?? 0) + this.bootMs);
    const hears = reading !== null && passingSinceMs <= this.clock.monotonicMs();
    if (hears) this.#remembered.set(instanceId, { ...reading, passingSinceMs, bootEpoch: BigInt(boots.length) });
    return this.#remembered.get(instanceId) ?? null;
  }

  /** The observer hears it at this moment. */
  hear(instanceId: string): void {
    if (this.#heard(instanceId) === null) throw new Error(`${instanceId} is not heard`);
  }

  #reading(instanceId: string): HeartbeatReading | null {
    const instance = this.sim.core.region.instances.get(instanceId);
    const sinceMs = instance?.runningSinceMs ?? null;
    if (instance?.state !== 'running' || sinceMs === null || instance.crashedAtMs !== null) return null;
    if (this.silent.has(instanceId) || this.silent.has('*')) return null;
    const passingSinceMs = sinceMs + this.bootMs;
    if (passingSinceMs > this.clock.monotonicMs()) return null;
    return {
      lastHeardAtMs: this.clock.monotonicMs(),
      passingSinceMs: monotonicMs(passingSinceMs),
      bootEpoch: 1n,
      serving: false,
      checks: [],
      servePromise: null,
    };
  }

  /** Runs to the end of this run, in simulated time. */
  run(leader: Leader, intent: OpenIntent, term: Term = leader.term): Promise<RecoveryRunOutcome> {
    return this.clock.runUntilSettled(leader.engine.run(intent, term), 48 * 3_600_000);
  }

  /**
   * Runs it as the leader would, held ones again after half a minute, until it is finished; the
   * caller drives the clock.
   */
  async leadRun(leader: Leader): Promise<void> {
    const intent = this.intent();
    while ((await leader.engine.run(intent, leader.term)) !== 'finished') await this.clock.sleep(30_000);
  }

  collector(leader: Leader): Collector {
    return new Collector({
      cloud: leader.cloud,
      kv: leader.kv,
      keys: KEYS,
      clock: this.clock,
      log: this.log,
      kinds: this.registry.leftovers,
    });
  }

  // What came of it
  // --------------------------------------------------------------------------------------------------------------------

  /** As if a later recovery had ended. */
  setActivation(
    record: Pick<ActivationRecord, 'instanceId' | 'incarnation' | 'opId'>,
    member: MemberId = MEMBER,
  ): void {
    this.#put(KEYS.activation(member), { member, ordinal: 0, ...record });
  }

  activation(member: MemberId = MEMBER): ActivationRecord | null {
    const entry = this.kv.entries(KEYS.activation(member))[0];
    return entry ? parseRecord(ActivationRecordSchema, entry.key, entry.value) : null;
  }

  hold(member: MemberId = MEMBER): HoldRecord | null {
    const entry = this.kv.entries(KEYS.hold(member))[0];
    return entry ? parseRecord(HoldRecordSchema, entry.key, entry.value) : null;
  }

  history(member: MemberId = MEMBER): readonly HistoryRecord[] {
    return this.kv
      .entries(KEYS.historyOf(member))
      .map((entry) => parseRecord(HistoryRecordSchema, entry.key, entry.value));
  }

  /** Instances recoveries of this old instance have launched. */
  launchedFor(oldInstanceId: string, ordinal = 0): readonly string[] {
    const op = opIdOf(oldInstanceId, ordinal);
    const launches = this.sim.log.launches().filter((one) => one.tags[TAG.op] === op);
    return [...new Set(launches.map((launch) => launch.instanceId))];
  }

  /** Everything a recovery can make, instances left out. */
  resources(): readonly (readonly { readonly id: string; readonly tags: Readonly<Record<string, string>> }[])[] {
    const { region } = this.sim.core;
    return [region.snapshots.all(), region.images.all(), region.networkInterfaces.all(), region.volumes.all()];
  }

  /** Instance the interface is attached to, in truth. */
  holderOf(networkInterfaceId: string): string | null {
    return this.sim.core.region.networkInterfaces.get(networkInterfaceId)?.attachment?.instanceId ?? null;
  }

  stateOf(instanceId: string): string | null {
    return this.sim.core.region.instances.get(instanceId)?.state ?? null;
  }
}
