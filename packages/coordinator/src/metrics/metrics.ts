import type { ActionState } from '@understudy/aws';
import type { Clock, RunHook } from '@understudy/shared';
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { PreparationCounts } from '../leader/preparation.ts';
import type { Makings } from '../leader/preparation-keeper.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import type { LeadershipView } from '../store/leadership-view.ts';
import { EndedRecoveries } from './ended-recoveries.ts';
import { commandMetrics, leadershipMetrics, makingMetrics, preparationMetrics } from './leadership.ts';
import { memberMetrics, type MemberMetricsSources } from './members.ts';
import { observerMetrics, type ObserverMetricsSources } from './observer.ts';
import { buildMetrics, type ConnectionCounts, connectionMetrics, foreignAnswerMetrics } from './process.ts';
import { HookRuns } from './hooks.ts';
import { type EventMetricsView, eventMetrics } from './events.ts';
import type { EventCounts } from '../hints/event-counts.ts';
import type { CrawlCounts } from '../inventory/inventory-keeping.ts';
import { inventoryMetrics } from './inventory.ts';
import { enrolmentMetrics, type EnrolmentMetricsSources } from './enrolments.ts';
import { noticeMetrics, type NoticeMetricsSources } from './notices.ts';
import { readinessMetrics, type ReadinessMetricsSources } from './readiness.ts';
import { rateMetrics } from './rates.ts';
import { ReadAtScrape } from './read-at-scrape.ts';
import { storeMetrics, type StoreMetricsSources } from './store.ts';

export interface MetricsSources
  extends ObserverMetricsSources,
    Omit<StoreMetricsSources, 'view'>,
    Omit<MemberMetricsSources, 'view'>,
    ReadinessMetricsSources,
    EnrolmentMetricsSources {
  readonly view: StoreMetricsSources['view'] &
    MemberMetricsSources['view'] &
    NoticeMetricsSources['view'] &
    EventMetricsView &
    Pick<ClusterState, 'onChange'>;
  readonly version: string;
  readonly outbox: { readonly dropped: number };
  readonly leadership: Pick<LeadershipView, 'current'>;
  /** Commands, by outcome. */
  readonly commands: () => ReadonlyMap<string, number>;
  readonly foreignAnswers: () => ReadonlyMap<string, number>;
  readonly rates: () => readonly ActionState[];
  readonly preparations: () => PreparationCounts;
  readonly makings: () => Makings;
  readonly events: EventCounts;
  /** To our HTTP server; null where there is none. */
  readonly connections: (() => ConnectionCounts) | null;
  /** Null: no inventory history is kept. */
  readonly inventory: CrawlCounts | null;
}

/**
 * The process's own registry (never the library's global one, so that two coordinators can live in
 * one test process). What is kept elsewhere is read at a scrape; what happens is noted here.
 * `docs/coordinator.md` has every name, which a test compares.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #cloudCalls: Counter<'action' | 'outcome'>;
  readonly #cloudSeconds: Histogram<'action'>;
  readonly #recoveries: Counter<'outcome'>;
  readonly #tick: Histogram;
  readonly #notices: Counter<'webhook' | 'outcome'>;
  readonly #handBacks: Counter<'outcome'>;
  readonly #ended: EndedRecoveries;
  readonly #hooks: HookRuns;

  constructor(options: {
    /**
     * Also Node's own (event-loop lag, heap, GC); they start a sampler, so only a real process
     * wants them.
     */
    readonly withProcess: boolean;
  }) {
    const registers = [this.#registry];
    if (options.withProcess) collectDefaultMetrics({ register: this.#registry });
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
    this.#ended = new EndedRecoveries(this.#registry);
    this.#hooks = new HookRuns(this.#registry);
    this.#notices = new Counter({
      name: 'understudy_notices_sent_total',
      help: 'Notices sent by this process, by sink (its name, in the label webhook) and outcome (taken, refused)',
      labelNames: ['webhook', 'outcome'],
      registers,
    });
    this.#handBacks = new Counter({
      name: 'understudy_hand_backs_told_total',
      help: 'Hand-backs to infrastructure code that this process was asked for, by outcome (due, nothing, refused)',
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

  /** Shows what the parts of a coordinator know from now on. Call once. */
  show(sources: MetricsSources): void {
    const declare = new ReadAtScrape(this.#registry);
    const featureLevel = sources.view.featureLevels().understood;
    buildMetrics(declare, { version: sources.version, featureLevel });
    this.#ended.follow(sources.view);
    leadershipMetrics(declare, sources.leadership);
    commandMetrics(declare, sources.commands);
    storeMetrics(declare, sources);
    observerMetrics(declare, sources);
    memberMetrics(declare, sources);
    readinessMetrics(declare, sources);
    noticeMetrics(declare, sources);
    enrolmentMetrics(declare, sources);
    inventoryMetrics(declare, sources.inventory);
    rateMetrics(declare, sources.rates);
    preparationMetrics(declare, sources.preparations);
    makingMetrics(declare, sources.makings);
    eventMetrics(declare, sources.events, sources.view);
    foreignAnswerMetrics(declare, sources.foreignAnswers);
    if (sources.connections) connectionMetrics(declare, sources.connections);
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

  handBackTold(outcome: 'due' | 'nothing' | 'refused'): void {
    this.#handBacks.inc({ outcome });
  }

  noticeTried(sink: string, outcome: 'taken' | 'refused'): void {
    this.#notices.inc({ webhook: sink, outcome });
  }

  /** The same runner, counted. */
  countingHooks(runHook: RunHook, clock: Clock): RunHook {
    return this.#hooks.counting(runHook, clock);
  }

  ticked(durationMs: number): void {
    this.#tick.observe(durationMs / 1_000);
  }

  /** Prometheus text exposition format 0.0.4. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
