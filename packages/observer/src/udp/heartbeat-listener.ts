import {
  type Clock,
  type DatagramSocket,
  type Endpoint,
  errorText,
  type Log,
  type MonotonicMs,
  monotonicMs,
  type Timer,
} from '@understudy/shared';
import { HeartbeatBatch } from '../core/heartbeat-batch.ts';
import type { ObserverTable } from '../core/observer-table.ts';
import type { ProbeOrder, ProbeOutcome, ReceiveResult } from '../core/types.ts';
import type { TickReport } from '../core/failure-detector.ts';

/** What a socket that is read beside the main thread offers besides `DatagramSocket`. */
export interface Receiver {
  /** Hands over, now, everything received until now. Synchronous. */
  drain(): void;
  /** Until when it was surely listening: silence after that is not the agents'. */
  listenedAtMs(): MonotonicMs;
  /** Datagrams received and then lost here, because nobody took them in time. Grows. */
  readonly lostCount: number;
}

export interface HeartbeatListenerOptions {
  readonly socket: DatagramSocket;
  /** Where the socket is read by threads of its own: usually the socket itself. */
  readonly receiver?: Receiver;
  readonly table: ObserverTable;
  readonly clock: Clock;
  readonly log: Log;
  /** Reads the kernel's drop counter; absent or `null`: unknown. */
  readonly readDrops?: () => Promise<number | null>;
}

export interface ListenerStats {
  readonly receivedCount: number;
  readonly acksSentCount: number;
  readonly probesSentCount: number;
  /** Acks and probes that were not handed to the kernel: error, or too many under way. */
  readonly unsentCount: number;
  /** Received by a receive thread and lost before this thread took it. */
  readonly ringDropsCount: number;
  /** `null` while unknown. */
  readonly kernelDropsCount: number | null;
}

/** Sends under way at once; beyond that an ack is dropped (the next heartbeat asks again). */
const SENDS_MAX = 4_096;
const DROPS_EVERY_MS = 1_000;

/** Socket to table and back: heartbeats in, acks and probes out. Decides nothing. */
export class HeartbeatListener {
  readonly #options: HeartbeatListenerOptions;
  readonly #batch: HeartbeatBatch;
  #flushTimer: Timer | null = null;
  #readAtMs = monotonicMs(0);
  #receivedCount = 0;
  #acksSentCount = 0;
  #probesSentCount = 0;
  #unsentCount = 0;
  #sendsUnderWay = 0;
  #kernelDropsCount: number | null = null;
  #ringDropsCount = 0;
  #deaf = false;
  /**
   * The kernel dropped datagrams between the last two readings: until a reading finds no more, it
   * may be doing so now.
   */
  #kernelDrops = false;
  #readingDrops = false;
  #dropsReadAtMs = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(options: HeartbeatListenerOptions) {
    this.#options = options;
    this.#batch = new HeartbeatBatch(options.table, (result, from) => this.#answer(result, from));
  }

  start(): void {
    const { clock, socket } = this.#options;
    socket.onMessage((payload, from, heardAtMs) => {
      this.#receivedCount++;
      const nowMs = this.#readTime(heardAtMs);
      this.#batch.add(payload, from, heardAtMs ?? nowMs, nowMs);
      if (this.#batch.pendingCount > 0) this.#flushTimer ??= clock.setTimer(0, () => this.#flush());
    });
  }

  /**
   * The clock is read once for all that is read before the next flush, because reading it costs as
   * much as looking up the sender. So a datagram is dated too early, by one turn of the event loop
   * at most. After a pause within that turn it is dated before the pause: then it proves less than
   * it could, and the next tick forgives the pause to everybody.
   */
  #readTime(heardAtMs: MonotonicMs | undefined): MonotonicMs {
    const isKept = this.#flushTimer !== null && (heardAtMs === undefined || heardAtMs <= this.#readAtMs);
    if (!isKept) this.#readAtMs = this.#options.clock.monotonicMs();
    return this.#readAtMs;
  }

  #flush(): void {
    this.#flushTimer?.cancel();
    this.#flushTimer = null;
    this.#batch.flush();
  }

  /** Call every `table.settings.tickMs`. */
  tick(): TickReport {
    const { clock, receiver, table } = this.#options;
    const nowMs = clock.monotonicMs();
    // Not later than `nowMs`, which was read before: a thread that listens may be ahead of it.
    const listenedAtMs = monotonicMs(Math.min(nowMs, receiver?.listenedAtMs() ?? nowMs));
    const report = table.tick(nowMs, listenedAtMs, () => this.#hear(nowMs));
    this.#tellStall(report);
    for (const order of table.planProbes(nowMs)) this.#probe(order);
    this.#watchDrops(nowMs);
    return report;
  }

  /**
   * All that waits, wherever it waits. What was lost on the way is noted before anybody is judged.
   */
  #hear(nowMs: MonotonicMs): void {
    const { log, receiver, table } = this.#options;
    this.#flush();
    receiver?.drain();
    this.#flush();
    if (this.#kernelDrops) table.noteReceiveLoss(nowMs);
    const dropped = (receiver?.lostCount ?? 0) - this.#ringDropsCount;
    if (dropped <= 0) return;
    this.#ringDropsCount += dropped;
    log.warn('udp.ring-drops', { dropped });
    table.noteReceiveLoss(nowMs);
  }

  #tellStall({ stalledMs, deafMs }: TickReport): void {
    const { log } = this.#options;
    if (stalledMs > 0) log.warn('observer.stall', { stalledMs });
    if (deafMs > 0 && !this.#deaf) log.warn('observer.deaf', { deafMs });
    this.#deaf = deafMs > 0;
  }

  #answer(result: ReceiveResult, to: Endpoint): void {
    if (!result.ack) return;
    const counted = () => {
      this.#acksSentCount++;
    };
    this.#send(result.ack, to, counted, () => undefined);
  }

  #send(payload: Uint8Array, to: Endpoint, onSent: () => void, onUnsent: () => void): void {
    if (this.#stopped || this.#sendsUnderWay >= SENDS_MAX) {
      this.#unsentCount++;
      return onUnsent();
    }
    this.#sendsUnderWay++;
    this.#options.socket
      .send(payload, to)
      .then(onSent, (error: unknown) => {
        this.#unsentCount++;
        this.#options.log.debug('udp.send.failed', { to: `${to.address}:${to.port}`, error: errorText(error) });
        onUnsent();
      })
      .finally(() => {
        this.#sendsUnderWay--;
      });
  }

  #probe(order: ProbeOrder): void {
    const { clock, table } = this.#options;
    const report = (outcome: ProbeOutcome) => table.probeResult(order, outcome, clock.monotonicMs());
    const onSent = () => {
      this.#probesSentCount++;
      report('sent');
    };
    this.#send(order.payload, order.to, onSent, () => report('not-sent'));
  }

  #watchDrops(nowMs: MonotonicMs): void {
    const { readDrops } = this.#options;
    if (!readDrops || this.#readingDrops || nowMs - this.#dropsReadAtMs < DROPS_EVERY_MS) return;
    this.#readingDrops = true;
    this.#dropsReadAtMs = nowMs;
    readDrops()
      .then(
        (drops) => this.#noteDrops(drops),
        () => undefined,
      )
      .finally(() => {
        this.#readingDrops = false;
      });
  }

  #noteDrops(drops: number | null): void {
    const before = this.#kernelDropsCount;
    this.#kernelDropsCount = drops;
    this.#kernelDrops = drops !== null && before !== null && drops > before;
    if (drops === null || before === null || drops <= before) return;
    const { clock, log, table } = this.#options;
    log.warn('udp.kernel-drops', { dropped: drops - before });
    table.noteReceiveLoss(clock.monotonicMs());
  }

  stats(): ListenerStats {
    return {
      receivedCount: this.#receivedCount,
      acksSentCount: this.#acksSentCount,
      probesSentCount: this.#probesSentCount,
      unsentCount: this.#unsentCount,
      ringDropsCount: this.#ringDropsCount,
      kernelDropsCount: this.#kernelDropsCount,
    };
  }

  /** Idempotent. Closes the socket. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#flushTimer?.cancel();
    this.#flushTimer = null;
    await this.#options.socket.close();
  }
}
