import {
  durationText,
  errorText,
  hasCode,
  isOperationError,
  type Keyspace,
  keyspace,
  type MemberId,
  type MonotonicMs,
  type Problem,
  problemOf,
  type Timer,
  groupOf,
} from '@understudy/shared';
import {
  answersHoldMsOf,
  FirstSeen,
  KeyLooks,
  type LeaseStanding,
  leaseStanding,
  RecoveryEngine,
  type ServeLeases,
} from '@understudy/recovery';
import { ActivationAnswers, answersHoldMsFor } from './observing/activation-answers.ts';
import type { ApiSource } from './api/http/api-source.ts';
import {
  HeartbeatListener,
  keyOfMasters,
  KeyRotation,
  ObserverTable,
  type Opinion,
  ServiceProber,
} from '@understudy/observer';
import { ClusterState } from './store/cluster-state.ts';
import { leaseTimingOf, policyLimitsOf } from './config.ts';
import { CoordinatorApi } from './api/api-view.ts';
import { receiveBufferProblem } from './api/receive-buffer-problem.ts';
import { recordProblems, slowAgentProblems } from './api/record-problems.ts';
import { Verdicts } from './leader/verdicts.ts';
import { Leader } from './leader/leader.ts';
import { Presence } from './observing/presence.ts';
import { rosterOf } from './observing/roster.ts';
import { StoreGate } from './store/store-gate.ts';
import { VerdictChanges } from './judge/verdict-changes.ts';
import { Leadership } from './leadership/leadership.ts';
import { RecordWriter } from './store/record-writer.ts';
import { type Build, THIS_BUILD } from './store/feature-level.ts';
import { LevelGate } from './store/level-gate.ts';
import { Session } from './store/session.ts';
import { WatchedStore } from './store/watched-store.ts';
import { WriteProof } from './store/write-proof.ts';
import type { CoordinatorOptions } from './coordinator-options.ts';
import { measure } from './measure.ts';
import { Metrics } from './metrics.ts';
import { OpinionPublisher } from './observing/opinion-publisher.ts';

/** Resigning and revoking take a few etcd calls; after this long the process goes without. */
const STOP_LIMIT_CALLS = 6;

/**
 * One coordinator. Wires what hears (socket, observer), what knows (view of etcd), what leads
 * (leadership) and what acts (leader's seat) and beats the observer's time. Everything it is built
 * from comes in through ports; `main.ts` builds those.
 *
 * The tick is short and synchronous: observe, publish, keep the roster. A leader's work runs beside
 * it, awaited by itself, so that no datagram waits for etcd or EC2.
 */
export class Coordinator {
  readonly api: ApiSource;
  readonly metrics: Metrics;
  readonly view: ClusterState;
  readonly leadership: Leadership;
  readonly observer: ObserverTable;
  readonly seat: Leader;
  readonly keyRotation: KeyRotation;
  readonly #verdicts: Verdicts;
  readonly #options: CoordinatorOptions;
  readonly #keys: Keyspace;
  readonly #store: WatchedStore;
  readonly #gate: StoreGate;
  readonly #writes: WriteProof;
  readonly #session: Session;
  readonly #presence: Presence;
  readonly #levelGate: LevelGate;
  readonly #publisher: OpinionPublisher;
  readonly #listener: HeartbeatListener;
  readonly #prober: ServiceProber;
  /** What we thought of members, as their observer and as leader. */
  readonly #changes = new VerdictChanges();
  readonly #contractsSeen = new FirstSeen();
  readonly #intentsSeen = new FirstSeen();
  #stallEndedAtMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | null = null;
  #rosterDue = true;
  #watched: ReadonlySet<MemberId> = new Set();
  #stopping: Promise<void> | null = null;
  #fatal = false;

  constructor(options: CoordinatorOptions) {
    const { config, clock, random, log } = options;
    const startedAtMs = clock.monotonicMs();
    const keys = keyspace(config.etcd.root);
    const store = new WatchedStore({ store: options.store, clock, root: keys.root });
    this.#store = store;
    this.#writes = new WriteProof({ store, keys, clock, log });
    const timing = leaseTimingOf(config);
    this.#options = options;
    this.#keys = keys;
    this.view = this.#makeView(store, keys);
    this.#levelGate = new LevelGate({ key: keys.level, build: this.#build, log });
    this.#levelGate.follow(this.view);
    this.leadership = new Leadership({
      ...{ store, clock, random, log, keys, timing, levelGate: this.#levelGate },
      self: { coordinatorId: config.id, az: config.az, httpUrl: options.httpUrl },
    });
    this.#session = new Session({ store, clock, random, log }, timing);
    this.observer = this.#makeObserver(startedAtMs);
    this.#listener = new HeartbeatListener({ ...options, table: this.observer });
    this.#prober = this.#makeProber();
    this.keyRotation = new KeyRotation({
      ...options,
      table: this.observer,
      source: options.keySource ?? null,
      everyMs: config.loop.keysEveryMs,
    });
    const observer = { id: config.id, az: config.az };
    this.#presence = this.#makePresence();
    this.#publisher = new OpinionPublisher({ store, keys, presence: this.#presence, clock, random, log, observer });
    this.#gate = new StoreGate({ store, keys, clock, random, log, allowUnsafeVersion: config.etcd.allowUnsafeVersion });
    this.seat = this.#makeSeat();
    const { view, leadership } = this;
    const judged = (member: MemberId) => this.seat.judgement(member);
    this.#verdicts = new Verdicts({
      ...{ coordinatorId: config.id, view, leadership, clock, judged },
      storeTrouble: () => this.#writes.trouble(),
      electionMs: config.etcd.leaseTtlMs * 2,
    });
    this.api = this.#makeApi(startedAtMs);
    this.metrics = new Metrics({
      read: () =>
        measure({
          view: this.view,
          leadership: this.leadership,
          observer: this.observer,
          api: this.api,
          stats: this.#listener.stats(),
          store: { writable: this.#storeWritable(), refusals: this.#store.refusedCounts, alarms: this.#writes.alarms },
          keysRefused: this.keyRotation.problem !== null,
          idTaken: this.#presence.duplicate !== null,
          runningRecoveries: this.seat.runs.runningCount,
          foreignAnswers: options.answers?.totals ?? new Map(),
          serviceProbes: this.#prober.counts,
          receiveBufferBytes: options.socket.receiveBufferBytes ?? null,
          connections: options.connections?.() ?? null,
        }),
      withProcess: options.withProcessMetrics ?? false,
    });
    this.view.onChange((changed) => this.#viewChanged(changed));
  }

  /**
   * Hears from now on; joins the cluster as soon as etcd answers. Returns at once: a store that is
   * down is a state, not an error.
   */
  start(): void {
    this.#listener.start();
    this.#tick();
    this.keyRotation.start();
    void this.#join();
  }

  /**
   * Hands over first (milliseconds), then revokes what is ours and closes the socket. Bounded, also
   * without etcd. Idempotent.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #join(): Promise<void> {
    try {
      if (!(await this.#gate.passed())) return;
      this.view.start();
      this.#session.start();
      this.#writes.start();
      this.#presence.start();
      this.leadership.start();
      this.seat.start();
      await this.#gate.watch();
    } catch (error) {
      this.#fail(error);
    }
  }

  #tick(): void {
    const { clock, config } = this.#options;
    const beganAtMs = clock.monotonicMs();
    this.#timer = clock.setTimer(config.loop.tickMs, () => this.#tick());
    if (this.#listener.tick().stalledMs > 0) this.#stallEndedAtMs = beganAtMs;
    this.#prober.tick(clock.monotonicMs());
    this.#keepRoster(beganAtMs);
    this.#verdicts.tick();
    const opinions = this.observer.takeChanges();
    this.#publisher.offer(opinions);
    for (const opinion of opinions) this.#noteOpinion(opinion);
    void this.#publisher.flush();
    this.metrics.ticked(clock.monotonicMs() - beganAtMs);
  }

  /** A member that was never anything but alive here has no story worth the memory. */
  #noteOpinion({ member, instanceId, verdict, reason }: Opinion): void {
    if (instanceId === null || (verdict === 'alive' && this.#changes.of(member).length === 0)) return;
    const { config, clock } = this.#options;
    const by = `observer ${config.id}`;
    this.#changes.note(member, { atWallMs: clock.wallMs(), by, instanceId, verdict, reasonCode: reason, reason });
  }

  #keepRoster(nowMs: MonotonicMs): void {
    if (!this.#rosterDue || !this.view.isReady) return;
    this.#rosterDue = false;
    const roster = rosterOf(this.view);
    this.observer.setRoster(roster, nowMs);
    const watched = new Set(roster.map((one) => one.member));
    this.#publisher.forget([...this.#watched].filter((member) => !watched.has(member)));
    this.#watched = watched;
  }

  #viewChanged(changed: readonly string[]): void {
    const { opinions, holds, history, judgements, judge, findings, requests } = this.#keys;
    const idle = [opinions, holds, history, judgements, judge, findings, requests];
    this.#rosterDue ||= changed.some((key) => !idle.some((area) => key.startsWith(area)));
    this.seat.noteChanged(changed);
    this.#noteSeen(changed);
  }

  #noteSeen(changed: readonly string[]): void {
    const { members, intents } = this.#keys;
    const { records } = this.view;
    const nowMs = this.#options.clock.monotonicMs();
    for (const key of changed) {
      if (key.startsWith(members)) {
        const member = key.slice(members.length) as MemberId;
        this.#contractsSeen.note(member, records.members.get(member)?.record.serveContract?.id ?? null, nowMs);
      } else if (key.startsWith(intents)) {
        const member = key.slice(intents.length) as MemberId;
        const intent = records.intents.get(member);
        this.#intentsSeen.note(member, intent ? String(intent.modRevision) : null, nowMs);
      }
    }
  }

  /** What cannot be read may answer for any time. */
  #answersHoldMs(): number | null {
    const { coordinators } = this.#keys;
    for (const key of this.view.records.unreadable.keys()) if (key.startsWith(coordinators)) return null;
    return answersHoldMsOf([...this.view.records.coordinators.values()].map(({ record }) => record));
  }

  #leaseStanding(member: MemberId, instanceId: string): LeaseStanding {
    const contract = this.view.records.members.get(member)?.record.serveContract ?? null;
    const sinceMs = contract === null ? null : this.#contractsSeen.sinceMs(member, contract.id);
    const seen = contract === null || sinceMs === null ? null : { contract, sinceMs };
    return leaseStanding(seen, this.observer.reading(member, instanceId), {
      stallEndedAtMs: this.#stallEndedAtMs,
      answersHoldMs: this.#answersHoldMs(),
    });
  }

  #leaseText(member: MemberId): string | null {
    const { records } = this.view;
    const instanceId = records.activations.get(member)?.record.instanceId;
    const asked = this.view.policyOf(groupOf(member)).recover.serveLease;
    if (instanceId === undefined || asked === null) return null;
    const standing = this.#leaseStanding(member, instanceId);
    return standing.kind === 'counts'
      ? `counts: over ${durationText(standing.overAfterMs)} after a recovery begins`
      : `does not count: ${standing.text}`;
  }

  #serveLeases(): ServeLeases {
    return {
      answersHoldMs: () => this.#answersHoldMs(),
      standing: (member, instanceId) => this.#leaseStanding(member, instanceId),
      promise: (member, instanceId) => this.observer.reading(member, instanceId)?.servePromise ?? null,
    };
  }

  #fail(error: unknown): void {
    if (this.#fatal) return;
    this.#fatal = true;
    this.#options.log.error('coordinator.fatal', { error: errorText(error) });
    this.#options.onFatal(error);
  }

  async #stop(): Promise<void> {
    const { clock, log, config } = this.#options;
    const limit = new AbortController();
    const limitMs = config.etcd.callTimeoutMs * STOP_LIMIT_CALLS;
    const late = clock.sleep(limitMs, limit.signal).then(
      () => log.warn('coordinator.stop_cut_short', { limitMs }),
      () => undefined,
    );
    this.#timer?.cancel();
    this.#prober.stop();
    this.keyRotation.stop();
    await Promise.race([this.#handOver(), late]);
    limit.abort();
    this.view.close();
    this.#publisher.stop();
    await this.#listener.stop().catch((error: unknown) => log.warn('udp.close_failed', { error: errorText(error) }));
  }

  async #handOver(): Promise<void> {
    this.#gate.close();
    await this.leadership.close();
    await this.#writes.close();
    await this.seat.stop();
    await this.#presence.close();
    await this.#session.close();
  }

  // Parts
  // ------------------------------------------------------------------------------------------------------------------------------

  get #build(): Build {
    return this.#options.build ?? THIS_BUILD;
  }

  #makeView(store: WatchedStore, keys: Keyspace): ClusterState {
    const { config, clock, random, log } = this.#options;
    return new ClusterState({
      ...{ store, clock, random, log, keys, build: this.#build },
      defaultPolicy: config.policy,
      policyLimits: policyLimitsOf(config),
      freshForMs: config.etcd.leaseTtlMs,
    });
  }

  #makeObserver(startedAtMs: MonotonicMs): ObserverTable {
    const { config, masters, random } = this.#options;
    return new ObserverTable({
      coordinatorId: config.id,
      startedAtMs,
      nonce: Uint8Array.from(Buffer.from(random.hex(32), 'hex')),
      keyIds: [...masters.keys()],
      keyOf: keyOfMasters(masters),
      activations: new ActivationAnswers({
        view: this.view,
        leadership: { knownTerm: () => this.leadership.knownLeader()?.term ?? 0 },
        leaseTtlMs: config.etcd.leaseTtlMs,
      }),
      settings: { tickMs: config.loop.tickMs, warmUpMs: config.observer.warmUpMs },
      ...(this.#options.tags ? { tags: this.#options.tags } : {}),
    });
  }

  #makeProber(): ServiceProber {
    const { clock, log, probeService } = this.#options;
    return new ServiceProber({ table: this.observer, clock, log, ...(probeService ? { probe: probeService } : {}) });
  }

  #makePresence(): Presence {
    const { config, clock, random, log, version, httpUrl, socket } = this.#options;
    const store = this.#store;
    return new Presence({
      record: {
        coordinatorId: config.id,
        az: config.az,
        udpEndpoint: `${config.udp.host}:${socket.localPort}`,
        httpUrl,
        startedAtWallMs: clock.wallMs(),
        version,
        processId: random.hex(16),
        answersHoldMs: answersHoldMsFor(config.etcd.leaseTtlMs),
        featureLevel: this.#build.level,
      },
      levelGate: this.#levelGate,
      keys: this.#keys,
      session: this.#session,
      writer: new RecordWriter({ store, clock, random, writtenBy: config.id }),
      view: this.view,
      leaseTtlMs: config.etcd.leaseTtlMs,
      writesRefused: () => store.refusesAllWrites,
      clock,
      log,
    });
  }

  #makeSeat(): Leader {
    const { config, cloud, clock, random, log } = this.#options;
    const kv = this.#store;
    const keyLooks = new KeyLooks({ kms: this.#options.kms ?? null, clock, log });
    const runner =
      this.#options.runner ??
      new RecoveryEngine({
        cloud,
        keyLooks,
        kv,
        keys: this.#keys,
        clock,
        random,
        log,
        heartbeats: this.observer,
        ...(this.#options.probeService ? { probeService: this.#options.probeService } : {}),
        policyOf: (member) => {
          const group = groupOf(member);
          const modRevision = this.view.records.groups.get(group)?.modRevision ?? 0;
          return { policy: this.view.policyOf(group), modRevision, lostZones: this.seat.lostZones() };
        },
        intentSeenAtMs: (member, modRevision) => this.#intentsSeen.sinceMs(member, String(modRevision)),
        settings: { callTimeoutMs: config.aws.callTimeoutMs, ...this.#options.recoverySettings },
      });
    return new Leader({
      config,
      store: kv,
      cloud,
      keyLooks,
      clock,
      log,
      keys: this.#keys,
      view: this.view,
      leadership: this.leadership,
      observer: this.observer,
      serveLeases: this.#serveLeases(),
      runner,
      changes: this.#changes,
      storeTrouble: () => this.#writes.trouble(),
      onRunEnded: (outcome) => this.metrics.recoveryRunEnded(outcome),
      onBroken: (error) => this.#fail(error),
    });
  }

  #makeApi(startedAtMs: MonotonicMs): ApiSource {
    const { config, clock, version } = this.#options;
    return new CoordinatorApi({
      coordinatorId: config.id,
      az: config.az,
      version,
      startedAtMs,
      clock,
      view: this.view,
      leadership: this.leadership,
      observer: this.observer,
      verdicts: this.#verdicts,
      explained: (member) => this.seat.explained(member),
      changes: this.#changes,
      wantedHold: (member) => this.seat.wantedHold(member),
      storeTrouble: () => this.#writes.trouble(),
      console: (member) => this.seat.console(member),
      serveLease: (member) => this.#leaseText(member),
      activity: (opId) => this.seat.activity(opId),
      operate: (command) => this.seat.operate(command),
      notReady: () => this.#notReady(),
      keys: this.keyRotation,
      userDataKeyId: (instanceId) => this.seat.userDataKeyId(instanceId),
      notEnrolled: () => this.seat.notEnrolled(),
      remarks: () => [
        ...this.#gate.remarks,
        ...recordProblems(this.view, clock.wallMs()),
        ...slowAgentProblems(this.observer),
        ...one(receiveBufferProblem(this.#options, this.observer.watchedCount)),
        ...this.seat.remarks(),
        ...one(this.#options.answers?.problem() ?? null),
        ...one(this.keyRotation.problem),
      ],
    });
  }

  #storeWritable(): boolean {
    return this.#gate.problem === null && this.#writes.problems().length === 0;
  }

  #notReady(): readonly Problem[] {
    const problems: Problem[] = [];
    if (this.#gate.problem) problems.push(this.#gate.problem);
    else {
      const ofWrites = this.#writes.problems();
      const fresh = this.view.isFresh();
      // A refused read says better why our view is old; and what nobody answers at all is no matter
      // of writes.
      if (!fresh && !this.#store.refusals.some((one) => one.code === 'STORE_DENIED' || one.code === 'STORE_REJECTED')) {
        const text = `no proof within ${this.#options.config.etcd.leaseTtlMs} ms that our view of etcd is current`;
        problems.push(problemOf('STORE_UNAVAILABLE', text));
      }
      problems.push(...ofWrites.filter(({ code }) => fresh || code !== 'STORE_NOT_WRITABLE'));
    }
    return [...problems, ...one(this.#presence.duplicate), ...one(this.#levelGate.problem()), ...this.seat.problems()];
  }
}

const one = <T>(value: T | null): readonly T[] => (value === null ? [] : [value]);

/** Refusals that no restart can cure. */
export const isRefusal = (error: unknown): boolean =>
  isOperationError(error) &&
  (hasCode(error, 'CONFIG_INVALID') || hasCode(error, 'KEY_INVALID') || hasCode(error, 'STORE_TOO_OLD'));
