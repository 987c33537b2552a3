import type { MonotonicMs } from '@understudy/shared';

/** What a socket that is read beside the main thread offers besides `DatagramSocket`. */
export interface Receiver {
  /** Hands over, now, everything received until now. Synchronous. */
  drain(): void;
  /** Until when it was surely listening: silence after that is not the agents'. */
  listenedAtMs(): MonotonicMs;
  /** Datagrams received and then lost here, because nobody took them in time. Grows. */
  readonly lostCount: number;
}
