import type { MemberId, MonotonicMs, ProbeReport, ServiceProbe } from '@understudy/shared';
import { addressOf } from './addresses.ts';
import { NONE } from './columns.ts';
import { type ConfirmRow, isOpen, probeIntervalMs, type Suspicion } from './silence.ts';
import type { ObserverState } from './observer-state.ts';
import { noteLook, serviceOpinionOf, type ServiceState, spread, withdraw } from './service-state.ts';
import type { ProbeRoom, ServiceOrder } from './service-types.ts';
import { STALL_TICKS } from './failure-detector.ts';

/** How often opinions are looked over for what has become too old. */
const LOOK_OVER_EVERY_MS = 1_000;
const JITTER_RATIO = 0.1;

/**
 * Which services to look at now, and what follows from the looks. Two occasions: a silent member is
 * looked at until it is `dead` (does its host live?), one that is heard on its own interval (do its
 * services work?). Never one that is not activated: it must not serve.
 */
export class ServiceWatch {
  readonly #state: ObserverState;
  /**
   * Slots with probes, in the order they are looked at, going on where the last round ended:
   * whoever waits longest is next.
   */
  #order: number[] = [];
  #orderOf = -1;
  #cursor = 0;
  #rounds = 0;
  #lookOverAtMs = Number.NEGATIVE_INFINITY;
  /**
   * Looks begun before this moment prove nothing against anybody: we did not trust ourselves
   * meanwhile.
   */
  #distrustUntilMs = Number.NEGATIVE_INFINITY;

  constructor(state: ObserverState) {
    this.#state = state;
  }

  /** After the table's own tick. */
  tick(nowMs: MonotonicMs, abstains: boolean): void {
    if (abstains) this.#distrustUntilMs = nowMs;
    if (!abstains && nowMs < this.#lookOverAtMs) return;
    this.#lookOverAtMs = nowMs + LOOK_OVER_EVERY_MS;
    for (const [slot, state] of this.#state.probed) {
      if (abstains) withdraw(state);
      this.#state.setService(slot, serviceOpinionOf(state, nowMs));
    }
  }

  /**
   * Each order is given once; what does not fit into `room` stays due. Silent members come first.
   */
  plan(nowMs: MonotonicMs, abstains: boolean, room: ProbeRoom): ServiceOrder[] {
    if (abstains) return [];
    const orders: ServiceOrder[] = [];
    this.#planConfirm(orders, nowMs, room.confirm);
    this.#planWatch(orders, nowMs, orders.length + room.watch);
    return orders;
  }

  #planConfirm(orders: ServiceOrder[], nowMs: MonotonicMs, limit: number): void {
    const { suspicions, probed, members } = this.#state;
    for (const [slot, suspicion] of suspicions) {
      if (orders.length >= limit) return;
      const state = probed.get(slot);
      if (!state || !isOpen(suspicion)) continue;
      const everyMs = probeIntervalMs(members.confirmForMs[slot] as number);
      this.#orderDue(orders, { slot, state, rows: suspicion.confirm, suspicion, nowMs, limit, everyMs: () => everyMs });
    }
  }

  #planWatch(orders: ServiceOrder[], nowMs: MonotonicMs, limit: number): void {
    const slots = this.#slots();
    for (let seen = 0; seen < slots.length && orders.length < limit; seen++) {
      const slot = slots[this.#cursor % slots.length] as number;
      this.#cursor = (this.#cursor + 1) % slots.length;
      const state = this.#state.probed.get(slot);
      if (!state || this.#state.verdictOf(slot) !== 'alive') continue;
      const everyMs = (probe: ServiceProbe) => this.#jittered(probe.intervalMs);
      this.#orderDue(orders, { slot, state, rows: state.rows, suspicion: null, nowMs, limit, everyMs });
    }
  }

  #slots(): readonly number[] {
    const { probed, probedVersion } = this.#state;
    if (this.#orderOf !== probedVersion) {
      this.#orderOf = probedVersion;
      this.#order = [...probed.keys()];
    }
    return this.#order;
  }

  #jittered(intervalMs: number): number {
    this.#rounds = (this.#rounds + 1) >>> 0;
    return intervalMs * (1 - JITTER_RATIO + 2 * JITTER_RATIO * spread(this.#rounds, intervalMs));
  }

  #orderDue(orders: ServiceOrder[], due: DueRows): void {
    const { slot, state, suspicion, nowMs } = due;
    const { members, entries } = this.#state;
    const address = addressOf(entries, members.activeEntry[slot] as number);
    if (address === null) return;
    for (const [index, row] of due.rows.entries()) {
      const probe = state.probes[index];
      if (!probe || row.underWay || row.nextAtMs > nowMs || orders.length >= due.limit) continue;
      row.underWay = true;
      row.nextAtMs = nowMs + due.everyMs(probe);
      orders.push({
        purpose: suspicion ? 'confirm' : 'watch',
        member: members.ids[slot] as MemberId,
        to: { address, port: probe.port },
        timeoutMs: probe.timeoutMs,
        plannedAtMs: nowMs,
        suspectSinceMs: suspicion?.sinceMs ?? null,
        ...{ probe, index, epoch: state.epoch },
      });
    }
  }

  /** What belongs to an earlier instance, list of probes or suspicion is ignored. */
  result(order: ServiceOrder, report: ProbeReport, nowMs: MonotonicMs): void {
    const slot = this.#state.slots.get(order.member) ?? NONE;
    const state = this.#state.probed.get(slot);
    if (state?.epoch !== order.epoch) return;
    if (order.purpose === 'confirm') this.#confirmed(slot, order, report, nowMs);
    else this.#watched(slot, state, order, report, nowMs);
  }

  #confirmed(slot: number, order: ServiceOrder, report: ProbeReport, nowMs: MonotonicMs): void {
    const suspicion = this.#state.suspicions.get(slot);
    if (suspicion?.sinceMs !== order.suspectSinceMs) return;
    const row = suspicion.confirm[order.index];
    if (!row) return;
    row.underWay = false;
    if (report.host === 'answered') row.result = 'answered';
    else if (report.host === 'silent' && !this.#isDoubtful(order, nowMs)) row.result = 'failed';
  }

  #watched(slot: number, state: ServiceState, order: ServiceOrder, report: ProbeReport, nowMs: MonotonicMs): void {
    const row = state.rows[order.index];
    if (!row) return;
    row.underWay = false;
    if (report.code !== 'Passing' && this.#isDoubtful(order, nowMs)) return;
    noteLook(row, order.probe, report, nowMs);
    this.#state.setService(slot, serviceOpinionOf(state, nowMs));
  }

  /**
   * A pass is a pass whenever it comes. A failure during a stall of ours, or while we abstained,
   * may be our own.
   */
  #isDoubtful(order: ServiceOrder, nowMs: number): boolean {
    const { settings } = this.#state;
    const lateMs = nowMs - order.plannedAtMs - order.timeoutMs;
    return order.plannedAtMs <= this.#distrustUntilMs || lateMs > STALL_TICKS * settings.tickMs;
  }
}

interface DueRows {
  readonly slot: number;
  readonly state: ServiceState;
  readonly rows: readonly Pick<ConfirmRow, 'underWay' | 'nextAtMs'>[];
  readonly suspicion: Suspicion | null;
  readonly nowMs: MonotonicMs;
  readonly limit: number;
  readonly everyMs: (probe: ServiceProbe) => number;
}
