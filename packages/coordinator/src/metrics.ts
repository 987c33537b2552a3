import type { StatusView, VerdictCounts } from '@understudy/shared';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { MetricsSource } from './api/http/api-source.ts';
import type { LimitCounts } from './api/http/connection-limits.ts';

/**
 * What is read at the moment of a scrape. Durations in ms here, in seconds on the wire (Prometheus
 * base units).
 */
export interface MetricsSnapshot {
  readonly leads: boolean;
  readonly term: number;
  readonly termRemainingMs: number;
  readonly storeFresh: boolean;
  readonly storeContactAgoMs: number | null;
  /** etcd takes our writes, as far as was proven lately. */
  readonly storeWritable: boolean;
  /** Requests etcd refused, by our code. */
  readonly storeRefusals: ReadonlyMap<string, number>;
  /** Alarms raised in etcd. */
  readonly storeAlarms: readonly string[];
  readonly observerAbstains: boolean;
  readonly keysRefused: boolean;
  /** Another process has our id. */
  readonly idTaken: boolean;
  readonly featureLevels: StatusView['featureLevels'];
  /** As the leader judges; null: no leader stands behind a judgement now. */
  readonly members: VerdictCounts | null;
  /** null: nobody has judged. */
  readonly judgementAgeMs: number | null;
  /** As our own observer thinks: no verdict. */
  readonly opinions: VerdictCounts;
  readonly openRecoveries: number;
  /** What operators asked for and nobody has carried out yet. */
  readonly pendingRequests: number;
  readonly runningRecoveries: number;
  /** Hold reason → how many members. */
  readonly holds: ReadonlyMap<string, number>;
  /** On the books of ended recoveries, by kind; chores included. */
  readonly leftovers: ReadonlyMap<string, number>;
  readonly leftoversObstructed: number;
  readonly unreadableRecords: number;
  /** Times the view found itself different from etcd; should stay 0. */
  readonly viewAnomalies: number;
  readonly heartbeats: number;
  /** Reason → datagrams counted and dropped. */
  readonly droppedDatagrams: ReadonlyMap<string, number>;
  /** Looks at services by what they showed. */
  /** Answers in EC2's place, by action. */
  readonly foreignAnswers: ReadonlyMap<string, number>;
  readonly serviceProbes: ReadonlyMap<string, number>;
  readonly kernelDrops: number | null;
  /** Datagrams a receive thread had and the main thread did not take in time. */
  readonly ringDrops: number;
  /** Granted by the kernel, each socket; null where there is no real one. */
  readonly receiveBufferBytes: number | null;
  /** To our HTTP server; null where there is none. */
  readonly connections: LimitCounts | null;
}

/**
 * The process's own registry (never the library's global one, so that two coordinators can live in
 * one test process). Every name, unit and label is in `docs/coordinator.md`.
 */
export class Metrics implements MetricsSource {
  readonly #registry = new Registry();
  readonly #read: () => MetricsSnapshot | Promise<MetricsSnapshot>;
  readonly #gauges = new Map<string, Gauge>();
  readonly #counters = new Map<string, Counter>();
  readonly #cloudCalls: Counter<'action' | 'outcome'>;
  readonly #cloudSeconds: Histogram<'action'>;
  readonly #recoveries: Counter<'outcome'>;
  readonly #tick: Histogram;

  constructor(options: {
    readonly read: () => MetricsSnapshot | Promise<MetricsSnapshot>;
    /**
     * Also Node's own (event-loop lag, heap, GC); they start a sampler, so only a real process
     * wants them.
     */
    readonly withProcess?: boolean;
  }) {
    this.#read = options.read;
    const registers = [this.#registry];
    if (options.withProcess === true) collectDefaultMetrics({ register: this.#registry });
    this.#cloudCalls = new Counter({
      name: 'understudy_ec2_calls_total',
      help: 'EC2 calls sent, by action and outcome (ok or an error code)',
      labelNames: ['action', 'outcome'],
      registers,
    });
    this.#cloudSeconds = new Histogram({
      name: 'understudy_ec2_call_seconds',
      help: 'Duration of EC2 calls, by action',
      labelNames: ['action'],
      buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      registers,
    });
    this.#recoveries = new Counter({
      name: 'understudy_recovery_runs_total',
      help: 'Runs of the recovery engine in this process that ended, by outcome (finished, held, parked)',
      labelNames: ['outcome'],
      registers,
    });
    this.#tick = new Histogram({
      name: 'understudy_tick_seconds',
      help: 'Synchronous work of one tick of the loop',
      buckets: [0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 1],
      registers,
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  cloudCall(action: string, outcome: string, durationMs: number): void {
    this.#cloudCalls.inc({ action, outcome });
    this.#cloudSeconds.observe({ action }, durationMs / 1_000);
  }

  recoveryRunEnded(outcome: string): void {
    this.#recoveries.inc({ outcome });
  }

  ticked(durationMs: number): void {
    this.#tick.observe(durationMs / 1_000);
  }

  async exposition(): Promise<string> {
    const now = await this.#read();
    this.#set('understudy_leader', 'Whether this coordinator leads (0 or 1)', now.leads ? 1 : 0);
    this.#set('understudy_term', 'Term this coordinator leads in; 0 while it does not', now.term);
    this.#set(
      'understudy_term_remaining_seconds',
      'Time until our own leadership deadline; 0 while not leading',
      Math.max(0, now.termRemainingMs) / 1_000,
    );
    this.#setStore(now);
    this.#set(
      'understudy_observer_abstains',
      'Whether the observer has no opinions at present (0 or 1)',
      now.observerAbstains ? 1 : 0,
    );
    this.#set(
      'understudy_keys_refused',
      'Whether the master secrets in our files are not the ones we use (0 or 1)',
      now.keysRefused ? 1 : 0,
    );
    this.#set(
      'understudy_id_taken',
      'Whether another process has the id of this coordinator, so that its opinions do not count (0 or 1)',
      now.idTaken ? 1 : 0,
    );
    this.#setEach(
      'understudy_feature_level',
      'Feature level: understood by this build, agreed on (0: none yet), in force now',
      'which',
      new Map(Object.entries(now.featureLevels).map(([which, level]) => [which, level ?? 0])),
    );
    this.#exposeMembers(now);
    this.#exposeDatagrams(now);
    if (now.connections !== null) this.#exposeConnections(now.connections);
    return this.#registry.metrics();
  }

  #exposeMembers(now: MetricsSnapshot): void {
    this.#setEach(
      'understudy_members',
      'Members by verdict, as the leader judges; absent while no leader does',
      'verdict',
      new Map(Object.entries(now.members ?? {})),
    );
    this.#set(
      'understudy_judgement_age_seconds',
      "Age of the leader's judgement as known here; -1 = none",
      now.judgementAgeMs === null ? -1 : now.judgementAgeMs / 1_000,
    );
    this.#setEach(
      'understudy_observer_opinions',
      "Watched members by this coordinator's own opinion; no verdict",
      'verdict',
      new Map(Object.entries(now.opinions)),
    );
    this.#set('understudy_recoveries_open', 'Recoveries that were begun and are not finished', now.openRecoveries);
    this.#set('understudy_recoveries_running', 'Recoveries this process is working on', now.runningRecoveries);
    this.#set(
      'understudy_operator_requests_pending',
      'What operators asked for and nobody has carried out yet',
      now.pendingRequests,
    );
    this.#setEach('understudy_holds', 'Held members by reason', 'reason', now.holds);
    this.#setEach('understudy_leftovers', 'What ended recoveries still have to do, by kind', 'kind', now.leftovers);
    this.#set('understudy_leftovers_obstructed', 'Of these, with something in the way', now.leftoversObstructed);
    this.#copy(
      'understudy_view_anomalies_total',
      'Times our view of etcd was found different from etcd',
      null,
      new Map([['', now.viewAnomalies]]),
    );
    this.#set('understudy_unreadable_records', 'Records in etcd that do not fit their schema', now.unreadableRecords);
  }

  #exposeDatagrams(now: MetricsSnapshot): void {
    this.#copy(
      'understudy_heartbeats_received_total',
      'Authenticated, fresh heartbeats',
      null,
      new Map([['', now.heartbeats]]),
    );
    this.#copy('understudy_datagrams_dropped_total', 'Datagrams dropped, by reason', 'reason', now.droppedDatagrams);
    this.#copy(
      'understudy_ec2_foreign_answers_total',
      "Answers that are not EC2's, by action",
      'action',
      now.foreignAnswers,
    );
    this.#copy('understudy_service_probes_total', 'Looks at services, by outcome', 'outcome', now.serviceProbes);
    if (now.kernelDrops !== null)
      this.#copy(
        'understudy_kernel_datagrams_dropped_total',
        'Datagrams the kernel dropped because the receive buffer was full',
        null,
        new Map([['', now.kernelDrops]]),
      );
    this.#copy(
      'understudy_ring_datagrams_dropped_total',
      'Datagrams dropped because the main thread did not take them in time',
      null,
      new Map([['', now.ringDrops]]),
    );
    if (now.receiveBufferBytes !== null)
      this.#set(
        'understudy_udp_receive_buffer_bytes',
        'Receive buffer the kernel granted to each heartbeat socket',
        now.receiveBufferBytes,
      );
  }

  #exposeConnections({ open, evicted, refused }: LimitCounts): void {
    this.#set('understudy_http_connections', 'Connections to our HTTP server that are open', open);
    this.#copy(
      'understudy_http_connections_closed_total',
      'Connections closed for http.connections or http.connectionsPerAddress, by how',
      'how',
      new Map([
        ['evicted', evicted],
        ['refused', refused],
      ]),
    );
  }

  #setStore(now: MetricsSnapshot): void {
    this.#set(
      'understudy_store_fresh',
      'Whether the view of etcd is fresh enough to act on (0 or 1)',
      now.storeFresh ? 1 : 0,
    );
    this.#set(
      'understudy_store_contact_age_seconds',
      'Time since etcd last answered; -1 = never',
      now.storeContactAgoMs === null ? -1 : now.storeContactAgoMs / 1_000,
    );
    this.#set(
      'understudy_store_writable',
      'Whether etcd was lately proven to take our writes (0 or 1)',
      now.storeWritable ? 1 : 0,
    );
    this.#copy('understudy_store_refusals_total', 'Requests etcd refused, by code', 'code', now.storeRefusals);
    this.#setEach(
      'understudy_store_alarms',
      'Alarms raised in etcd (1 = raised)',
      'alarm',
      new Map(['NOSPACE', 'CORRUPT'].map((alarm) => [alarm, now.storeAlarms.includes(alarm) ? 1 : 0])),
    );
  }

  #gauge(name: string, help: string, labelNames: readonly string[]): Gauge {
    const known = this.#gauges.get(name);
    if (known) return known;
    const gauge = new Gauge({ name, help, labelNames: [...labelNames], registers: [this.#registry] });
    this.#gauges.set(name, gauge);
    return gauge;
  }

  /** A counter kept elsewhere (cumulative since start), copied here at scrape time. */
  #copy(name: string, help: string, label: string | null, totals: ReadonlyMap<string, number>): void {
    const labelNames = label === null ? [] : [label];
    const known = this.#counters.get(name);
    const counter = known ?? new Counter({ name, help, labelNames, registers: [this.#registry] });
    this.#counters.set(name, counter);
    counter.reset();
    for (const [key, total] of totals) counter.inc(label === null ? {} : { [label]: key }, total);
  }

  #set(name: string, help: string, value: number): void {
    this.#gauge(name, help, []).set(value);
  }

  #setEach(name: string, help: string, label: string, values: ReadonlyMap<string, number>): void {
    const gauge = this.#gauge(name, help, [label]);
    gauge.reset();
    for (const [key, value] of values) gauge.set({ [label]: key }, value);
  }
}
