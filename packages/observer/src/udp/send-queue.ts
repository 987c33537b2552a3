import type { Endpoint, MonotonicMs } from '@understudy/shared';
import type { DatagramRing } from './datagram-ring.ts';

/** The state of a place: what became of a datagram that a receive thread was given to send. */
export const SEND_STATE = {
  /** The place belongs to the thread. */
  underWay: 1,
  /** Handed to the kernel. */
  sent: 2,
  /** The kernel or the socket refused. */
  refused: 3,
  /** It waited longer than {@link SEND_AGE_MAX_MS}. */
  tooLate: 4,
} as const;

/**
 * A datagram that waited longer than this for its thread is not sent. Acks are promises with a
 * date, and a late probe proves nothing.
 */
export const SEND_AGE_MAX_MS = 1_000;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const REFUSALS: Readonly<Record<number, string>> = {
  [SEND_STATE.refused]: 'the receive thread could not send it',
  [SEND_STATE.tooLate]: 'it waited too long for the receive thread',
};

/**
 * The main thread's end of the way out. Datagrams are put down in order, and each promise settles
 * once the thread has written into the place what became of it. At most as many are under way as
 * the ring has places, because a place is used again only after its promise has settled.
 */
export class SendQueue {
  readonly #ring: DatagramRing;
  readonly #waiting: (Waiting | null)[];
  #putCount = 0;
  #settledCount = 0;

  constructor(ring: DatagramRing) {
    this.#ring = ring;
    this.#waiting = Array.from({ length: ring.capacity }, () => null);
  }

  get underWayCount(): number {
    return this.#putCount - this.#settledCount;
  }

  /** Resolves once handed to the kernel; rejects when full, refused, or not sent in time. */
  put(payload: Uint8Array, to: Endpoint, nowMs: MonotonicMs): Promise<void> {
    if (this.underWayCount >= this.#ring.capacity)
      return Promise.reject(new Error(`${this.#ring.capacity} datagrams wait to be sent already`));
    const place = this.#ring.push(payload, to, nowMs, SEND_STATE.underWay);
    if (place < 0) return Promise.reject(new Error('the receive thread has not taken what was to be sent'));
    this.#putCount++;
    return new Promise((resolve, reject) => {
      this.#waiting[place] = { resolve, reject };
    });
  }

  /** Settles, in order, what the thread is done with. Call when woken. */
  settle(): void {
    const { capacity, places } = this.#ring;
    while (this.#settledCount < this.#putCount) {
      const place = this.#settledCount % capacity;
      const state = places.state(place);
      if (state === SEND_STATE.underWay) return;
      this.#finish(place, REFUSALS[state] ?? null);
    }
  }

  #finish(place: number, refusal: string | null): void {
    const waiting = this.#waiting[place];
    this.#waiting[place] = null;
    this.#settledCount++;
    if (refusal === null) waiting?.resolve();
    else waiting?.reject(new Error(refusal));
  }

  /** Call when the thread has ended. Nothing that is under way is known to have been sent. */
  abandon(): void {
    while (this.#settledCount < this.#putCount)
      this.#finish(this.#settledCount % this.#ring.capacity, 'the socket is closed');
  }
}
