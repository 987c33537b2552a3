import { type Clock, type DatagramSocket, type Endpoint, monotonicMs, type Timer } from '@understudy/shared';
import type { DatagramRing } from '../datagram-ring.ts';
import { SEND_AGE_MAX_MS, SEND_STATE } from '../send-queue.ts';

/**
 * How long after something came the main thread is woken. What comes within that time is taken in
 * the same turn.
 */
export const WAKE_AFTER_MS = 5;
/** It is woken at once when this many have come since it was woken last. */
const WAKE_AT_ONCE_COUNT = 1_024;
/**
 * The most that libuv reads of one socket in a turn of its loop. A turn with fewer has emptied the
 * kernel's buffer.
 */
const FULL_TURN_COUNT = 32;

export interface ReceivingOptions {
  readonly socket: DatagramSocket;
  readonly clock: Clock;
  /** To the main thread. */
  readonly received: DatagramRing;
  /** From the main thread. */
  readonly sends: DatagramRing;
  /** One word that says until when this thread has surely listened, in µs on the clock. */
  readonly listened: BigInt64Array;
  readonly listenEveryMs: number;
  readonly wakeMain: () => void;
  /** Calls `then` when this turn of the loop has read what it could. */
  readonly afterTurn: (then: () => void) => void;
  /**
   * Stops this thread for `REST_MS`. What comes meanwhile is read in one turn instead of one each.
   */
  readonly rest: () => void;
  readonly onSendRefused: (error: unknown) => void;
}

/**
 * What a receive thread does. It carries datagrams from the socket to the ring and from the other
 * ring to the socket, and shows every `listenEveryMs` that it still turns. It looks into nothing
 * and decides nothing.
 */
export class Receiving {
  readonly #options: ReceivingOptions;
  #wakeTimer: Timer | null = null;
  #listenTimer: Timer | null = null;
  #sinceWake = 0;
  #thisTurn = 0;
  #turnAtMs = monotonicMs(0);
  #stopped = false;

  constructor(options: ReceivingOptions) {
    this.#options = options;
  }

  start(): void {
    const { received, socket } = this.#options;
    this.#listen();
    socket.onMessage((payload, from) => {
      if (this.#thisTurn++ === 0) this.#beginTurn();
      received.push(payload, from, this.#turnAtMs);
      if (++this.#sinceWake >= WAKE_AT_ONCE_COUNT) this.#wake();
      else this.#wakeSoon();
    });
    this.send();
  }

  /**
   * One moment for the at most {@link FULL_TURN_COUNT} datagrams of a turn. It is that of the first
   * one, so the others are dated too early if at all: they prove less than they could, never more.
   */
  #beginTurn(): void {
    this.#turnAtMs = this.#options.clock.monotonicMs();
    this.#options.afterTurn(() => this.#endTurn());
  }

  #endTurn(): void {
    const more = this.#thisTurn >= FULL_TURN_COUNT;
    this.#thisTurn = 0;
    if (!more && !this.#stopped) this.#options.rest();
  }

  /** Called in a turn of this thread's loop, so the socket was read since the one before. */
  #listen(): void {
    const { clock, listened, listenEveryMs } = this.#options;
    Atomics.store(listened, 0, BigInt(Math.floor(clock.monotonicMs() * 1_000)));
    this.#listenTimer = clock.setTimer(listenEveryMs, () => this.#listen());
  }

  #wakeSoon(): void {
    this.#wakeTimer ??= this.#options.clock.setTimer(WAKE_AFTER_MS, () => {
      this.#wakeTimer = null;
      this.#wake();
    });
  }

  #wake(): void {
    this.#sinceWake = 0;
    if (!this.#stopped && this.#options.received.takeWish()) this.#options.wakeMain();
  }

  /** Sends what the main thread has put down. Call when woken. */
  send(): void {
    const { clock, sends } = this.#options;
    const nowMs = clock.monotonicMs();
    sends.drain((payload, to, madeAtMs, place) => {
      if (nowMs - madeAtMs > SEND_AGE_MAX_MS) this.#settle(place, SEND_STATE.tooLate);
      else this.#send(payload, to, place);
    });
  }

  #send(payload: Uint8Array, to: Endpoint, place: number): void {
    const { onSendRefused, socket } = this.#options;
    // A copy: the kernel may take it later, when the ring's view shows the next one.
    socket.send(payload.slice(), to).then(
      () => this.#settle(place, SEND_STATE.sent),
      (error: unknown) => {
        this.#settle(place, SEND_STATE.refused);
        onSendRefused(error);
      },
    );
  }

  #settle(place: number, state: number): void {
    this.#options.sends.places.setState(place, state);
    if (!this.#stopped) this.#wakeSoon();
  }

  /** Closes the socket. What the main thread has not taken by then is lost. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wakeTimer?.cancel();
    this.#listenTimer?.cancel();
    await this.#options.socket.close();
  }
}
