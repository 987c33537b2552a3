import type { DatagramSocket, Endpoint } from '@understudy/shared';
import type { ProcessClock } from '../kernel/process-clock.ts';

/**
 * 4 MiB of receive buffer, as the kernel counts small datagrams (about 768 bytes each with its
 * bookkeeping).
 */
const BUFFERED_MAX = 5_400;

/**
 * A socket as its process sees it: while the process is paused datagrams wait in the kernel's
 * buffer, and those beyond it are lost.
 */
export class ProcessSocket implements DatagramSocket {
  readonly #socket: DatagramSocket;
  readonly #clock: ProcessClock;
  #buffered = 0;
  /** As the kernel counts them. */
  droppedCount = 0;

  constructor(socket: DatagramSocket, clock: ProcessClock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  get localPort(): number {
    return this.#socket.localPort;
  }

  send(payload: Uint8Array, to: Endpoint): Promise<void> {
    return this.#socket.send(payload, to);
  }

  onMessage(listener: (payload: Uint8Array, from: Endpoint) => void): void {
    this.#socket.onMessage((payload, from) => {
      if (this.#buffered >= BUFFERED_MAX) {
        this.droppedCount += 1;
        return;
      }
      this.#buffered += 1;
      this.#clock.post(() => {
        this.#buffered -= 1;
        listener(payload, from);
      });
    });
  }

  close(): Promise<void> {
    return this.#socket.close();
  }
}
