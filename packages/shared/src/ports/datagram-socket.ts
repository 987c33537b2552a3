import type { MonotonicMs } from '../units.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/**
 * A bound UDP socket. A listener receives, because a pull interface loses datagrams while its
 * caller waits.
 */
export interface DatagramSocket {
  readonly localPort: number;
  /**
   * Best effort. Resolves when handed to the kernel. Rejects only when the socket is closed or the
   * address is unusable.
   */
  send(payload: Uint8Array, to: Endpoint): Promise<void>;
  /**
   * At most one listener. `payload` is only valid during the call. `heardAtMs` says when it came
   * in; absent: now.
   */
  onMessage(listener: (payload: Uint8Array, from: Endpoint, heardAtMs?: MonotonicMs) => void): void;
  /** Idempotent. */
  close(): Promise<void>;
}
