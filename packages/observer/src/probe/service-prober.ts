import {
  type Clock,
  errorText,
  type Log,
  type MonotonicMs,
  NOT_SENT,
  type ProbeCode,
  type ProbeReport,
  type ProbeService,
} from '@understudy/shared';
import type { ObserverTable } from '../core/observer-table.ts';
import type { ServiceOrder } from '../core/service-types.ts';

export interface ServiceProberOptions {
  readonly table: Pick<ObserverTable, 'planServiceProbes' | 'serviceResult'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Absent: nothing can be looked at, and no look proves anything. */
  readonly probe?: ProbeService;
}

/** Looks under way at once that only watch; what does not fit is put off, not failed. */
const WATCH_MAX = 64;
/**
 * … and with those that confirm a silence, which come first: a member is not `dead` before its
 * probes were carried out.
 */
const UNDER_WAY_MAX = 256;
/** Begun in one tick, so that datagrams never wait long. */
const BEGUN_PER_TICK = 64;

/** From the table's orders to looks, and back with what they showed. Decides nothing. */
export class ServiceProber {
  readonly #options: ServiceProberOptions;
  readonly #stop = new AbortController();
  readonly #counts = new Map<ProbeCode, number>();
  #watching = 0;
  #confirming = 0;

  constructor(options: ServiceProberOptions) {
    this.#options = options;
  }

  /** How often each outcome came up; for metrics. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  get underWayCount(): number {
    return this.#watching + this.#confirming;
  }

  /** Synchronous: begins what is due and fits. */
  tick(nowMs: MonotonicMs): void {
    if (this.#stop.signal.aborted) return;
    const free = Math.min(BEGUN_PER_TICK, UNDER_WAY_MAX - this.underWayCount);
    const room = { confirm: free, watch: Math.max(0, Math.min(free, WATCH_MAX - this.#watching)) };
    for (const order of this.#options.table.planServiceProbes(nowMs, room)) this.#begin(order);
  }

  #begin(order: ServiceOrder): void {
    const { probe, log } = this.#options;
    if (!probe) return this.#report(order, NOT_SENT);
    this.#count(order, 1);
    probe(order.probe, order.to, order.timeoutMs, this.#stop.signal)
      .catch((error: unknown) => {
        log.error('service_probe.broken', { member: order.member, error: errorText(error) });
        return NOT_SENT;
      })
      .then((report) => {
        this.#count(order, -1);
        this.#report(order, report);
      })
      .catch((error: unknown) => log.error('service_probe.report_failed', { error: errorText(error) }));
  }

  #count({ purpose }: ServiceOrder, by: number): void {
    if (purpose === 'watch') this.#watching += by;
    else this.#confirming += by;
  }

  #report(order: ServiceOrder, report: ProbeReport): void {
    this.#counts.set(report.code, (this.#counts.get(report.code) ?? 0) + 1);
    this.#options.table.serviceResult(order, report, this.#options.clock.monotonicMs());
  }

  /** Ends what is under way. Idempotent. */
  stop(): void {
    this.#stop.abort();
  }
}
