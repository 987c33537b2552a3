import type { WorkerOptions, Worker } from 'node:worker_threads';
import {
  type Clock,
  type DatagramSocket,
  type Endpoint,
  type Log,
  type MonotonicMs,
  monotonicMs,
  OperationError,
} from '@understudy/shared';
import { type OpenReport, ReceiveThreadHandle } from './receive-thread-handle.ts';
import type { Receiver } from './heartbeat-listener.ts';
import { UdpSocket, type UdpSocketOptions } from './udp-socket.ts';

type Received = (payload: Uint8Array, from: Endpoint, heardAtMs: MonotonicMs) => void;

export interface ThreadedUdpSocketOptions extends UdpSocketOptions {
  /** 1 or more. More than one share the port (SO_REUSEPORT). */
  readonly threads: number;
  /** How often a thread shows that it listens; not more than the observer's tick. */
  readonly listenEveryMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * A receive thread ended without being told to: nothing is heard any more. Called at most once.
   */
  readonly onBroken: (error: Error) => void;
  /** Default: a worker thread. */
  readonly spawn?: (entry: URL, options: WorkerOptions) => Worker;
}

/** `dgram`'s `reusePort` came with Node 23.1; before it is ignored without a word. */
const REUSE_PORT_SINCE = [23, 1] as const;

/**
 * A UDP socket that is read by threads of its own, so that no datagram waits for the main thread's
 * work. Each thread notes when a datagram came and puts it into a ring; the main thread is woken
 * soon after, and takes all there is whenever it wants to ({@link drain}). What is sent leaves
 * through the same sockets.
 */
export class ThreadedUdpSocket implements DatagramSocket, Receiver {
  readonly #options: ThreadedUdpSocketOptions;
  readonly #threads: ReceiveThreadHandle[] = [];
  readonly #bound: OpenReport[] = [];
  #listener: Received | null = null;
  #nextSender = 0;
  #broken = false;

  private constructor(options: ThreadedUdpSocketOptions) {
    this.#options = options;
  }

  /**
   * @throws CONFIG_INVALID when the address cannot be bound, or when this Node cannot share a port
   * between threads.
   */
  static async open(options: ThreadedUdpSocketOptions): Promise<ThreadedUdpSocket> {
    if (options.threads > 1) await refuseSharing(options, process.versions.node);
    const socket = new ThreadedUdpSocket(options);
    try {
      for (let i = 0; i < options.threads; i++) await socket.#startThread();
      return socket;
    } catch (error) {
      await socket.close();
      throw error;
    }
  }

  async #startThread(): Promise<void> {
    const { host, receiveBufferBytes, threads, listenEveryMs, clock, log, spawn } = this.#options;
    const { thread, bound } = await ReceiveThreadHandle.start({
      udp: {
        host,
        port: this.#bound[0]?.localPort ?? this.#options.port,
        shared: threads > 1,
        ...(receiveBufferBytes === undefined ? {} : { receiveBufferBytes }),
      },
      listenEveryMs,
      clock,
      log,
      onWake: () => this.drain(),
      onBroken: (error) => this.#break(error),
      ...(spawn === undefined ? {} : { spawn }),
    });
    this.#threads.push(thread);
    this.#bound.push(bound);
  }

  #break(error: Error): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#options.onBroken(error);
  }

  get localPort(): number {
    return this.#bound[0]?.localPort ?? 0;
  }

  get localAddress(): string {
    return this.#bound[0]?.localAddress ?? '';
  }

  /** The smallest of the sockets'; capped by `net.core.rmem_max`. */
  get receiveBufferBytes(): number {
    return Math.min(...this.#bound.map((bound) => bound.receiveBufferBytes));
  }

  /** What came before is handed over at the next {@link drain}. */
  onMessage(listener: Received): void {
    this.#listener = listener;
    this.drain();
  }

  drain(): void {
    for (const thread of this.#threads) {
      // Nobody takes it yet: it stays, and the thread wakes us again.
      if (this.#listener === null) thread.received.wish();
      else thread.received.drain(this.#listener);
      thread.settleSends();
    }
  }

  /** The thread that listened least lately counts: its agents would look silent. */
  listenedAtMs(): MonotonicMs {
    return monotonicMs(Math.min(...this.#threads.map((thread) => thread.listenedAtMs())));
  }

  get lostCount(): number {
    return this.#threads.reduce((total, thread) => total + thread.lostCount, 0);
  }

  /** Through the threads in turn: all of them send from the same port. */
  send(payload: Uint8Array, to: Endpoint): Promise<void> {
    const thread = this.#threads[this.#nextSender++ % this.#threads.length];
    return thread ? thread.send(payload, to) : Promise.reject(new Error('the socket is closed'));
  }

  async close(): Promise<void> {
    this.#listener = null;
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

/**
 * A shared port can be taken by anybody else who shares it, unseen: so it has to be free for one
 * who does not, first.
 */
async function refuseSharing(options: ThreadedUdpSocketOptions, nodeVersion: string): Promise<void> {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  const [sinceMajor, sinceMinor] = REUSE_PORT_SINCE;
  if (major < sinceMajor || (major === sinceMajor && minor < sinceMinor)) {
    const wanted = `udp.receiveThreads = ${options.threads} needs Node >= ${sinceMajor}.${sinceMinor} (SO_REUSEPORT)`;
    throw new OperationError('CONFIG_INVALID', `${wanted}, this is ${nodeVersion}`);
  }
  if (options.port === 0) return;
  const alone = await UdpSocket.open(
    { host: options.host, port: options.port, receiveBufferBytes: 65_536 },
    options.log,
  );
  await alone.close();
}
