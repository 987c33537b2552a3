import { errorText, hasCode, isOperationError, type MemberId, type MonotonicMs, type Timer } from '@understudy/shared';
import type { KeyRotation, ObserverTable, Opinion } from '@understudy/observer';
import type { Controls } from './api/controls.ts';
import type { ApiSource } from './api/http/api-source.ts';
import type { CoordinatorOptions } from './coordinator-options.ts';
import { type CoordinatorParts, coordinatorParts } from './coordinator-parts.ts';
import type { Leader } from './leader/leader.ts';
import type { Leadership } from './leadership/leadership.ts';
import type { Metrics } from './metrics/metrics.ts';
import { rosterOf } from './observing/roster.ts';
import type { ClusterState } from './store/cluster-state.ts';

/** Resigning and revoking take a few etcd calls; after this long the process goes without. */
const STOP_LIMIT_CALLS = 6;

/**
 * One coordinator: begins, beats the observer's time, and ends. What it is made of is wired in
 * `coordinator-parts.ts`; everything that is built from comes in through ports, and `main.ts`
 * builds those.
 *
 * The tick is short and synchronous: observe, publish, keep the roster. A leader's work runs beside
 * it, awaited by itself, so that no datagram waits for etcd or EC2.
 */
export class Coordinator {
  readonly api: ApiSource;
  readonly controls: Controls;
  readonly metrics: Metrics;
  readonly view: ClusterState;
  readonly leadership: Leadership;
  readonly observer: ObserverTable;
  readonly leader: Leader;
  readonly keyRotation: KeyRotation;
  readonly #options: CoordinatorOptions;
  readonly #parts: CoordinatorParts;
  #timer: Timer | null = null;
  #rosterDue = true;
  #watched: ReadonlySet<MemberId> = new Set();
  #stopping: Promise<void> | null = null;
  #fatal = false;

  constructor(options: CoordinatorOptions) {
    const parts = coordinatorParts(options, (error) => this.#fail(error));
    this.#options = options;
    this.#parts = parts;
    this.api = parts.api;
    this.controls = parts.controls;
    this.metrics = parts.metrics;
    this.view = parts.view;
    this.leadership = parts.leadership;
    this.observer = parts.observer;
    this.leader = parts.leader;
    this.keyRotation = parts.keyRotation;
    this.view.onChange((changed) => this.#viewChanged(changed));
  }

  /**
   * Hears from now on; joins the cluster as soon as etcd answers. Returns at once: a store that is
   * down is a state, not an error.
   */
  start(): void {
    this.#parts.listener.start();
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
    const { gate, session, writes, presence } = this.#parts;
    try {
      if (!(await gate.passed())) return;
      this.view.start();
      session.start();
      writes.start();
      presence.start();
      this.leadership.start();
      this.leader.start();
      await gate.watch();
    } catch (error) {
      this.#fail(error);
    }
  }

  #tick(): void {
    const { clock, config } = this.#options;
    const { listener, serveLeases, prober, verdicts, publisher } = this.#parts;
    const beganAtMs = clock.monotonicMs();
    this.#timer = clock.setTimer(config.loop.tickMs, () => this.#tick());
    if (listener.tick().stalledMs > 0) serveLeases.noteStallEnded(beganAtMs);
    prober.tick(clock.monotonicMs());
    this.#keepRoster(beganAtMs);
    verdicts.tick();
    const opinions = this.observer.takeChanges();
    publisher.offer(opinions);
    for (const opinion of opinions) this.#noteOpinion(opinion);
    void publisher.flush();
    this.metrics.ticked(clock.monotonicMs() - beganAtMs);
  }

  /** Members that have always been alive are left out, to bound memory. */
  #noteOpinion({ member, instanceId, verdict, reason }: Opinion): void {
    const { changes } = this.#parts;
    if (instanceId === null || (verdict === 'alive' && changes.of(member).length === 0)) return;
    const { config, clock } = this.#options;
    const by = `observer ${config.id}`;
    changes.note(member, { atWallMs: clock.wallMs(), by, instanceId, verdict, reasonCode: reason, reason });
  }

  #keepRoster(nowMs: MonotonicMs): void {
    if (!this.#rosterDue || !this.view.isReady) return;
    this.#rosterDue = false;
    const roster = rosterOf(this.view, this.#options.clock.wallMs());
    this.observer.setRoster(roster, nowMs);
    const watched = new Set(roster.map((one) => one.member));
    this.#parts.publisher.forget([...this.#watched].filter((member) => !watched.has(member)));
    this.#watched = watched;
  }

  #viewChanged(changed: readonly string[]): void {
    const { opinions, holds, history, judgements, judge, findings, requests, audit, answers, drains, enrolments } =
      this.#parts.keys;
    const idle = [opinions, holds, history, judgements, judge, findings, requests, audit, answers, drains, enrolments];
    this.#rosterDue ||= changed.some((key) => !idle.some((area) => key.startsWith(area)));
    this.leader.noteChanged(changed);
    this.#parts.serveLeases.noteChanged(changed);
  }

  #fail(error: unknown): void {
    if (this.#fatal) return;
    this.#fatal = true;
    this.#options.log.error('coordinator.fatal', { error: errorText(error) });
    this.#options.onFatal(error);
  }

  async #stop(): Promise<void> {
    const { clock, log, config } = this.#options;
    const { prober, publisher, listener } = this.#parts;
    const limit = new AbortController();
    const limitMs = config.etcd.callTimeoutMs * STOP_LIMIT_CALLS;
    const late = clock.sleep(limitMs, limit.signal).then(
      () => log.warn('coordinator.stop_cut_short', { limitMs }),
      () => undefined,
    );
    this.#timer?.cancel();
    prober.stop();
    this.keyRotation.stop();
    await Promise.race([this.#handOver(), late]);
    limit.abort();
    this.view.close();
    publisher.stop();
    await listener.stop().catch((error: unknown) => log.warn('udp.close_failed', { error: errorText(error) }));
  }

  async #handOver(): Promise<void> {
    const { gate, writes, presence, session } = this.#parts;
    gate.close();
    await this.leadership.close();
    await writes.close();
    await this.leader.stop();
    await presence.close();
    await session.close();
  }
}

/** Refusals that no restart can cure. */
export const isRefusal = (error: unknown): boolean =>
  isOperationError(error) &&
  (hasCode(error, 'CONFIG_INVALID') || hasCode(error, 'KEY_INVALID') || hasCode(error, 'STORE_TOO_OLD'));
