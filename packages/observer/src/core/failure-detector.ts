import { encodeProbe, type MemberId, type MonotonicMs, monotonicMs } from '@understudy/shared';
import { addressOf } from './addresses.ts';
import { suspectAfterMsOf } from './cadence.ts';
import { ENTRY_FLAG, isHeard, MEMBER_FLAG, NO_KEY, NONE } from './columns.ts';
import { isOpen, judgeSilence, newSuspicion, probeIntervalMs, type Suspicion } from './silence.ts';
import { hearing, hearsTooFew } from './local-health.ts';
import type { Ingest } from './ingest.ts';
import type { Keyring } from './tag-verifier/keyring.ts';
import type { ObserverState } from './observer-state.ts';
import type { Abstention, ProbeOrder, ProbeOutcome } from './types.ts';

/** What took longer than this many ticks more than it should have is our own stall. */
export const STALL_TICKS = 3;

export interface TickReport {
  /** Length of the stall found by this tick; 0 = none. */
  readonly stalledMs: number;
  /**
   * How long the receiver has not shown that it listens; 0 = it does. Becomes a stall when it
   * listens again.
   */
  readonly deafMs: number;
  readonly abstention: Abstention | null;
}

/**
 * Time passes: finds silence, but first asks whether it is ourselves who cannot hear. One tick:
 * {@link FailureDetector.findStall}, then {@link FailureDetector.judge}.
 */
export class FailureDetector {
  readonly #state: ObserverState;
  readonly #startedAtMs: number;
  #lastTickMs: number;
  #stallUntilMs = Number.NEGATIVE_INFINITY;
  #lossUntilMs = Number.NEGATIVE_INFINITY;
  #abstention: Abstention | null;
  readonly #due: number[] = [];
  fastestSuspectAfterMs = Number.POSITIVE_INFINITY;

  constructor(state: ObserverState, startedAtMs: MonotonicMs) {
    this.#state = state;
    this.#startedAtMs = startedAtMs;
    this.#lastTickMs = startedAtMs;
    this.#abstention = this.#choose(false, startedAtMs);
  }

  get abstention(): Abstention | null {
    return this.#abstention;
  }

  /**
   * Datagrams were lost on our side (kernel drops): what we did not hear says nothing for a moment.
   */
  noteLoss(nowMs: MonotonicMs): void {
    this.#lossUntilMs = nowMs + this.#state.settings.lossAbstainMs;
    this.#abstention ??= this.#choose(false, nowMs);
    this.#dropSuspicionsIfAbstaining(nowMs);
  }

  /**
   * Who heard nothing since when: call after {@link findStall} and after everything received was
   * recorded.
   */
  judge(nowMs: MonotonicMs): void {
    // Whoever speaks on is merely heard then, by its next heartbeat.
    this.#state.contests.takeOver(nowMs);
    const silent = this.#collectDue(nowMs);
    this.#abstention = this.#choose(silent, nowMs);
    this.#dropSuspicionsIfAbstaining(nowMs);
    for (const slot of this.#due) this.#judge(slot, nowMs);
    this.#due.length = 0;
  }

  /**
   * Our own pause (SIGSTOP, garbage collection, a starved host): heartbeats were waiting or dropped
   * meanwhile, so every age moves by the gap, and nobody is accused for a while.
   *
   * We pause as a whole (no tick), or only where we listen does (`listenedAtMs` stands still while
   * ticks go on). The second is as much a stall: it lasts from when listening was last proven until
   * it is proven again, and until then nobody is accused either.
   */
  findStall(nowMs: MonotonicMs, listenedAtMs: number): Omit<TickReport, 'abstention'> {
    const { settings } = this.#state;
    const deafMs = nowMs - listenedAtMs;
    if (deafMs > STALL_TICKS * settings.tickMs) {
      this.#lastTickMs = Math.min(this.#lastTickMs, listenedAtMs);
      this.#stallUntilMs = Math.max(this.#stallUntilMs, nowMs + settings.stallAbstainMs);
      return { stalledMs: 0, deafMs };
    }
    const gapMs = nowMs - this.#lastTickMs;
    this.#lastTickMs = nowMs;
    if (gapMs <= STALL_TICKS * settings.tickMs) return { stalledMs: 0, deafMs: 0 };
    this.#forgive(gapMs, nowMs);
    return { stalledMs: gapMs, deafMs: 0 };
  }

  #forgive(gapMs: number, nowMs: number): void {
    const { settings, entries } = this.#state;
    for (let entry = 0; entry < entries.count; entry++)
      entries.silentFromMs[entry] = Math.min(nowMs, (entries.silentFromMs[entry] as number) + gapMs);
    const abstainMs = Math.min(settings.stallAbstainMaxMs, Math.max(settings.stallAbstainMs, gapMs));
    this.#stallUntilMs = Math.max(this.#stallUntilMs, nowMs + abstainMs);
  }

  /** The idle tick is this loop: one comparison per member. True when somebody is really silent. */
  #collectDue(nowMs: number): boolean {
    const { members } = this.#state;
    const { dueAtMs, count } = members;
    let silent = false;
    for (let slot = 0; slot < count; slot++) {
      if ((dueAtMs[slot] as number) > nowMs) continue;
      this.#due.push(slot);
      silent ||= this.#isOverdue(slot, this.#silentMs(slot, nowMs));
    }
    return silent;
  }

  #choose(silent: boolean, nowMs: number): Abstention | null {
    const { settings } = this.#state;
    const warmAtMs = this.#startedAtMs + settings.warmUpMs;
    if (nowMs < warmAtMs) return { reason: 'WarmingUp', untilMs: monotonicMs(warmAtMs) };
    if (nowMs < this.#stallUntilMs) return { reason: 'OwnStall', untilMs: monotonicMs(this.#stallUntilMs) };
    if (nowMs < this.#lossUntilMs) return { reason: 'ReceiveLoss', untilMs: monotonicMs(this.#lossUntilMs) };
    const worthCounting = silent || this.#state.suspicions.size > 0 || this.#abstention !== null;
    if (!worthCounting) return null;
    const deaf = hearsTooFew(hearing(this.#state, this.fastestSuspectAfterMs, nowMs), settings);
    return deaf ? { reason: 'HearsTooFew', untilMs: null } : null;
  }

  #dropSuspicionsIfAbstaining(nowMs: number): void {
    const { suspicions } = this.#state;
    if (!this.#abstention) return;
    const accused = [...suspicions.keys()];
    suspicions.clear();
    for (const slot of accused) this.#judge(slot, nowMs);
  }

  #silentMs(slot: number, nowMs: number): number {
    const entry = this.#state.members.activeEntry[slot] as number;
    return entry === NONE ? 0 : nowMs - (this.#state.entries.silentFromMs[entry] as number);
  }

  /** The interval is looked at only once the policy's time is over. */
  #suspectAfterMs(slot: number, silentMs: number): number {
    const { members, entries } = this.#state;
    const wantedMs = members.suspectAfterMs[slot] as number;
    return silentMs < wantedMs ? wantedMs : suspectAfterMsOf(members, entries, slot);
  }

  #isOverdue(slot: number, silentMs: number): boolean {
    return silentMs >= this.#suspectAfterMs(slot, silentMs);
  }

  #judge(slot: number, nowMs: number): void {
    const { members, entries } = this.#state;
    const entry = members.activeEntry[slot] as number;
    if (!isHeard(entries, entry)) {
      members.dueAtMs[slot] = Number.POSITIVE_INFINITY;
      return;
    }
    const silentMs = this.#silentMs(slot, nowMs);
    const overdue = this.#isOverdue(slot, silentMs);
    if (this.#abstention && overdue) {
      this.#state.setVerdict(slot, 'unknown', this.#abstention.reason, nowMs);
      members.dueAtMs[slot] = nowMs + this.#state.settings.tickMs;
      return;
    }
    if (entries.keyId[entry] === NO_KEY && overdue) return this.#withhold(slot, nowMs);
    this.#judgeSilent(slot, entry, silentMs, nowMs);
  }

  /**
   * Last heard under a key that was taken away from us: what it sends now we could not read, so its
   * silence accuses nobody. Ends with a heartbeat.
   */
  #withhold(slot: number, nowMs: number): void {
    this.#state.suspicions.delete(slot);
    this.#state.setVerdict(slot, 'unknown', 'KeyRetired', nowMs);
    this.#state.members.dueAtMs[slot] = Number.POSITIVE_INFINITY;
  }

  #judgeSilent(slot: number, entry: number, silentMs: number, nowMs: number): void {
    const { members, entries, settings, suspicions } = this.#state;
    const goodbye = ((entries.flags[entry] as number) & ENTRY_FLAG.goodbye) !== 0;
    const suspicion = suspicions.get(slot) ?? null;
    const probed = this.#state.probed.get(slot);
    const judged = judgeSilence({
      nowMs,
      silentMs,
      suspectAfterMs: this.#suspectAfterMs(slot, silentMs),
      confirmForMs: members.confirmForMs[slot] as number,
      graceMs: goodbye ? settings.goodbyeGraceMs : 0,
      probeTimeoutMs: settings.probeTimeoutMs,
      answeredHoldMs: probed?.answeredHoldMs ?? 0,
      suspicion,
    });
    if (judged.verdict === 'alive') suspicions.delete(slot);
    else if (!suspicion) suspicions.set(slot, newSuspicion(monotonicMs(nowMs), probed?.probes.length ?? 0));
    else if (judged.verdict === 'dead') suspicion.deadSinceMs = Math.min(suspicion.deadSinceMs, nowMs);
    this.#state.setVerdict(slot, judged.verdict, judged.reason, nowMs);
    members.dueAtMs[slot] = judged.verdict === 'dead' ? this.#settle(slot, nowMs) : nowMs + judged.lookAgainInMs;
  }

  /** Marks a death that has lasted long enough; returns when to look again. */
  #settle(slot: number, nowMs: number): number {
    const { members, settings, suspicions } = this.#state;
    const settlesAtMs = (suspicions.get(slot)?.deadSinceMs ?? nowMs) + settings.settledAfterMs;
    if (nowMs < settlesAtMs) return settlesAtMs;
    members.flags[slot] = (members.flags[slot] as number) | MEMBER_FLAG.settled;
    return Number.POSITIVE_INFINITY;
  }

  /**
   * What to probe now: every suspect not yet dead, at most `maxProbesPerTick`; those left over come
   * first next time their turn is due.
   */
  planProbes(ingest: Ingest, keyring: Keyring, coordinatorHash: number, nowMs: MonotonicMs): ProbeOrder[] {
    const { members, settings, suspicions } = this.#state;
    const orders: ProbeOrder[] = [];
    if (this.#abstention) return orders;
    for (const [slot, suspicion] of suspicions) {
      if (orders.length >= settings.maxProbesPerTick) break;
      if (suspicion.nextProbeAtMs > nowMs || !isOpen(suspicion)) continue;
      suspicion.nextProbeAtMs = nowMs + probeIntervalMs(members.confirmForMs[slot] as number);
      this.#order(orders, slot, suspicion, () => this.#probe(slot, ingest, keyring, coordinatorHash));
    }
    return orders;
  }

  #order(orders: ProbeOrder[], slot: number, suspicion: Suspicion, udpPayload: () => Uint8Array): void {
    const { members, entries } = this.#state;
    const entry = members.activeEntry[slot] as number;
    const address = addressOf(entries, entry);
    if (address === null) return;
    const to = { address, port: entries.port[entry] as number };
    const member = members.ids[slot] as MemberId;
    orders.push({ member, suspectSinceMs: suspicion.sinceMs, to, payload: udpPayload() });
  }

  #probe(slot: number, ingest: Ingest, keyring: Keyring, coordinatorHash: number): Uint8Array {
    const { members, entries } = this.#state;
    const member = members.ids[slot] as MemberId;
    const entry = members.activeEntry[slot] as number;
    // Under the key it speaks with: during a rotation it may not hold the newest one yet, and could
    // not answer.
    const spoken = entries.keyId[entry] as number;
    const keyId = keyring.accepts(spoken) ? spoken : keyring.newestKeyId;
    const agentId = Buffer.from(members.agentId.subarray(slot * 16, slot * 16 + 16)).toString('hex');
    const offset = keyring.offsetOf(slot, keyId, member);
    const challenge = ingest.challengeHex(entry);
    const instanceHash = entries.hashHex[entry] as string;
    return encodeProbe({ keyId, agentId, instanceHash, coordinatorHash, challenge }, keyring.macAt(offset));
  }

  probeResult(order: ProbeOrder, outcome: ProbeOutcome, nowMs: MonotonicMs): void {
    const slot = this.#state.slots.get(order.member);
    const suspicion = slot === undefined ? undefined : this.#state.suspicions.get(slot);
    if (!suspicion || suspicion.sinceMs !== order.suspectSinceMs || outcome === 'not-sent') return;
    suspicion.udpSent++;
    if (suspicion.udpSent === 2) suspicion.secondUdpAtMs = nowMs;
  }
}
