import { HeartbeatListener, keyOfMasters, KeyRotation, ObserverTable, ServiceProber } from '@understudy/observer';
import { KeyLooks, NameLooks, RecoveryEngine, type RecoveryRunner } from '@understudy/recovery';
import { groupOf, keyspace } from '@understudy/shared';
import { AgentPings } from './api/agent-pings.ts';
import { CoordinatorApi } from './api/api-view.ts';
import { Controls } from './api/controls.ts';
import { OwnCondition } from './api/own-condition.ts';
import { leaseTimingOf, policyLimitsOf } from './config.ts';
import type { CoordinatorOptions } from './coordinator-options.ts';
import { VerdictChanges } from './judge/verdict-changes.ts';
import { Leader } from './leader/leader.ts';
import { Verdicts } from './leader/verdicts.ts';
import { handOverWhenDrained } from './leadership/drained-leader.ts';
import { Leadership } from './leadership/leadership.ts';
import { Metrics } from './metrics/metrics.ts';
import { ActivationAnswers, answersHoldMsFor } from './observing/activation-answers.ts';
import { Outbox } from './notices/outbox.ts';
import { sinksOf } from './notices/sinks/registry.ts';
import { OpinionPublisher } from './observing/opinion-publisher.ts';
import { Presence } from './observing/presence.ts';
import { ServeLeaseFacts } from './serve-lease/facts.ts';
import { ClusterState } from './store/cluster-state.ts';
import { RecordWriter } from './store/record-writer.ts';
import { THIS_BUILD } from './store/feature-level.ts';
import { LevelGate } from './store/level-gate.ts';
import { Session } from './store/session.ts';
import { StoreGate } from './store/store-gate.ts';
import { WatchedStore } from './store/watched-store.ts';
import { WriteProof } from './store/write-proof.ts';

/** Election, then a first judgement: nobody is missed before that. */
const ELECTION_LEASES = 2;

/** A broken invariant, or an etcd that must not be used: the process has to end. */
type OnBroken = (error: unknown) => void;

export type CoordinatorParts = ReturnType<typeof coordinatorParts>;

/** Everything a coordinator is made of, wired; nothing of it runs yet. */
export function coordinatorParts(options: CoordinatorOptions, onBroken: OnBroken) {
  const base = basicParts(options);
  const hearing = hearingParts(options, base);
  const leading = leadingParts(options, { ...base, ...hearing }, onBroken);
  return { ...base, ...hearing, ...leading, ...shownParts(options, { ...base, ...hearing, ...leading }) };
}

/** What holds on to etcd. */
function basicParts(options: CoordinatorOptions) {
  const { config, clock, random, log, httpUrl } = options;
  const keys = keyspace(config.etcd.root);
  const store = new WatchedStore({ store: options.store, clock, root: keys.root });
  const timing = leaseTimingOf(config);
  const self = { coordinatorId: config.id, az: config.az, httpUrl };
  const build = options.build ?? THIS_BUILD;
  const view = new ClusterState({
    ...{ store, clock, random, log, keys, build },
    defaultPolicy: config.policy,
    policyLimits: policyLimitsOf(config),
    freshForMs: config.etcd.leaseTtlMs,
  });
  const isDrained = () => view.drained(clock.wallMs()).has(config.id);
  const outbox = new Outbox({ sinks: sinksOf(config.notify), records: view.records, keys, clock, random });
  const levelGate = new LevelGate({ key: keys.level, build, log });
  levelGate.follow(view);
  return {
    keys,
    store,
    build,
    view,
    levelGate,
    outbox,
    startedAtMs: clock.monotonicMs(),
    metrics: new Metrics({ withProcess: options.withProcessMetrics ?? false }),
    /** What we thought of members, as their observer and as leader. */
    changes: new VerdictChanges(),
    writes: new WriteProof({ store, keys, clock, log }),
    leadership: new Leadership({
      ...{ store, clock, random, log, keys, timing, levelGate, self, isDrained },
      beside: (write) => outbox.beside(write),
    }),
    session: new Session({ store, clock, random, log }, timing),
  };
}

type BasicParts = ReturnType<typeof basicParts>;

/** What hears, and tells others what it heard. */
function hearingParts(options: CoordinatorOptions, base: BasicParts) {
  const { config, clock, random, log, probeService } = options;
  const { store, keys, view } = base;
  const observer = observerOf(options, base);
  const listener = new HeartbeatListener({ ...options, table: observer });
  const prober = new ServiceProber({ table: observer, clock, log, ...(probeService ? { probe: probeService } : {}) });
  const source = options.keySource ?? null;
  let masters = options.masters;
  const keyRotation = new KeyRotation({
    ...{ ...options, table: observer, source, everyMs: config.loop.keysEveryMs },
    onMasters: (changed) => {
      masters = changed;
      options.onMasters?.(changed);
    },
  });
  const presence = presenceOf(options, base);
  const self = { id: config.id, az: config.az };
  const { allowUnsafeVersion } = config.etcd;
  return {
    observer,
    listener,
    prober,
    keyRotation,
    /** As they are now. */
    masters: () => masters,
    presence,
    publisher: new OpinionPublisher({ store, keys, presence, clock, random, log, observer: self }),
    gate: new StoreGate({ store, keys, clock, random, log, allowUnsafeVersion }),
    serveLeases: new ServeLeaseFacts({ view, observer, keys, clock }),
  };
}

function observerOf(
  { config, masters, random, tags }: CoordinatorOptions,
  { view, leadership, startedAtMs }: BasicParts,
): ObserverTable {
  return new ObserverTable({
    coordinatorId: config.id,
    startedAtMs,
    nonce: Uint8Array.from(Buffer.from(random.hex(32), 'hex')),
    keyIds: [...masters.keys()],
    keyOf: keyOfMasters(masters),
    activations: new ActivationAnswers({
      view,
      leadership: { knownTerm: () => leadership.knownLeader()?.term ?? 0 },
      leaseTtlMs: config.etcd.leaseTtlMs,
    }),
    settings: { tickMs: config.loop.tickMs, warmUpMs: config.observer.warmUpMs },
    ...(tags ? { tags } : {}),
  });
}

function presenceOf(options: CoordinatorOptions, parts: BasicParts): Presence {
  const { config, clock, random, log, version, httpUrl, socket } = options;
  const { store, keys, session, view, levelGate, build } = parts;
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
      featureLevel: build.level,
    },
    ...{ keys, session, view, levelGate, clock, log },
    writer: new RecordWriter({ store, clock, random, writtenBy: config.id }),
    leaseTtlMs: config.etcd.leaseTtlMs,
    writesRefused: () => store.refusesAllWrites,
  });
}

type HearingParts = BasicParts & ReturnType<typeof hearingParts>;

/** What leads and acts, while we are elected. */
function leadingParts(options: CoordinatorOptions, parts: HearingParts, onBroken: OnBroken) {
  const { config, cloud, clock, random, log, kms } = options;
  const { store, keys, view, leadership, observer, serveLeases, changes, writes, metrics, outbox } = parts;
  handOverWhenDrained({ coordinatorId: config.id, view, leadership, keys, clock });
  const keyLooks = new KeyLooks({ kms: kms ?? null, clock, log });
  const { dns = null, targetGroups = null } = options;
  const runHook = options.runHook && metrics.countingHooks(options.runHook, clock);
  const nameLooks = new NameLooks({ dns, targetGroups, clock, log });
  const runner =
    options.runner ??
    engineOf({ ...options, ...(runHook && { runHook }) }, parts, {
      keyLooks,
      nameLooks,
      lostZones: (): readonly string[] => leader.lostZones(),
    });
  const leader = new Leader({
    ...{
      config,
      store,
      cloud,
      keyLooks,
      nameLooks,
      clock,
      random,
      log,
      keys,
      view,
      leadership,
      observer,
      serveLeases,
      runner,
    },
    ...{ changes, outbox, runHook, dns: options.dns, targetGroups: options.targetGroups },
    ...{ sendNotice: options.sendNotice ?? null, inventory: options.inventory, eventQueue: options.eventQueue },
    onNoticeTried: (sink, outcome) => metrics.noticeTried(sink, outcome),
    enrolment: options.enrolment,
    masters: parts.masters,
    storeTrouble: () => writes.trouble(),
    handOver: () => void leadership.resign(),
    onRunEnded: (outcome) => metrics.recoveryRunEnded(outcome),
    onBroken,
  });
  const verdicts = new Verdicts({
    ...{ coordinatorId: config.id, view, leadership, clock },
    judged: (member) => leader.judgement(member),
    storeTrouble: () => writes.trouble(),
    electionMs: config.etcd.leaseTtlMs * ELECTION_LEASES,
  });
  return { leader, verdicts };
}

function engineOf(
  { config, cloud, dns, targetGroups, runHook, clock, random, log, probeService, recoverySettings }: CoordinatorOptions,
  { store, keys, view, observer, serveLeases }: HearingParts,
  leading: { readonly keyLooks: KeyLooks; readonly nameLooks: NameLooks; readonly lostZones: () => readonly string[] },
): RecoveryRunner {
  return new RecoveryEngine({
    ...(dns && { dns }),
    ...(runHook && { runHook }),
    ...(targetGroups && { targetGroups }),
    ...{ nameLooks: leading.nameLooks },
    ...{ cloud, keyLooks: leading.keyLooks, kv: store, keys, clock, random, log },
    heartbeats: observer,
    ...(probeService ? { probeService } : {}),
    policyOf: (member) => {
      const group = groupOf(member);
      const modRevision = view.records.groups.get(group)?.modRevision ?? 0;
      return { policy: view.policyOf(group), modRevision, lostZones: leading.lostZones() };
    },
    intentSeenAtMs: (member, modRevision) => serveLeases.intentSeenAtMs(member, modRevision),
    settings: { callTimeoutMs: config.aws.callTimeoutMs, ...recoverySettings },
  });
}

/** What people and other programs see of it. */
function shownParts(options: CoordinatorOptions, parts: HearingParts & ReturnType<typeof leadingParts>) {
  const { config, clock, version, answers, limiters } = options;
  const { leader, metrics, startedAtMs, keyRotation } = parts;
  const condition = new OwnCondition({
    ...{ ...parts, clock, answers: answers ?? null, limiters: limiters ?? null },
    receiveBuffer: options,
    accessProblems: options.accessProblems ?? (() => []),
    minimum: config.observer,
    freshForMs: config.etcd.leaseTtlMs,
  });
  const controls = new Controls({
    ...{ ...parts, clock, coordinatorId: config.id, keyspace: parts.keys },
    limitOf: (action) => limiters?.limitOf?.(action) ?? null,
    onHandBack: (outcome) => metrics.handBackTold(outcome),
  });
  const api = new CoordinatorApi({
    ...{ ...parts, controls, clock, version, startedAtMs },
    askPeer: options.askPeer ?? null,
    inventory: options.inventory?.history ?? null,
    agentPings: options.managedNodes ? new AgentPings({ commands: options.managedNodes, clock }) : null,
    coordinatorId: config.id,
    az: config.az,
    own: condition,
    keys: keyRotation,
  });
  metrics.show({
    ...{ ...parts, version },
    wallMs: () => clock.wallMs(),
    problems: () => api.problems(),
    runs: leader.runs,
    isWritable: () => condition.isStoreWritable(),
    receiveBufferBytes: options.socket.receiveBufferBytes ?? null,
    commands: () => leader.commandCounts,
    readiness: () => leader.board()?.all() ?? null,
    preparations: () => leader.preparationCounts,
    makings: () => leader.makings,
    events: leader.events.counts,
    rates: () => limiters?.states() ?? [],
    foreignAnswers: () => answers?.totals ?? new Map(),
    connections: options.connections ?? null,
    inventory: options.inventory?.counts ?? null,
    enrolments: () => leader.keyEnrolment.counts,
  });
  return { condition, api, controls };
}
