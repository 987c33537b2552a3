import { Worker, type WorkerOptions } from 'node:worker_threads';
import {
  type Clock,
  type Endpoint,
  errorText,
  type Log,
  type MonotonicMs,
  monotonicMs,
  OperationError,
} from '@understudy/shared';
import { DatagramRing } from './datagram-ring.ts';
import type { ReceiveThreadCommand, ReceiveThreadReport, ReceiveThreadSetup } from './receive-thread/main.ts';
import { SendQueue } from './send-queue.ts';
import { RECEIVE_BUFFER_BYTES, type UdpSocketOptions } from './udp-socket.ts';

/**
 * A file name, not a package: Node starts it with this process's own flags, so with the loader and
 * conditions it runs from source with.
 */
const ENTRY = new URL('./receive-thread/main.ts', import.meta.url);
/**
 * One place in the ring for so many bytes of kernel buffer: about what the kernel itself needs for
 * a heartbeat.
 */
const BUFFER_BYTES_PER_PLACE = 256;
const SENDS_UNDER_WAY_MAX = 4_096;
const START_LIMIT_MS = 30_000;
const CLOSE_LIMIT_MS = 2_000;

export type OpenReport = Extract<ReceiveThreadReport, { kind: 'open' }>;

export interface ReceiveThreadOptions {
  readonly udp: UdpSocketOptions;
  readonly listenEveryMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** It has something for us: drain. */
  readonly onWake: () => void;
  /** It ended without being told to. Called at most once. */
  readonly onBroken: (error: Error) => void;
  /** Default: a worker thread. */
  readonly spawn?: (entry: URL, options: WorkerOptions) => Worker;
}

/** Largest power of two that is not above `count`. */
const powerOfTwo = (count: number): number => 2 ** Math.floor(Math.log2(count));

/** The main thread's end of one receive thread. */
export class ReceiveThreadHandle {
  readonly #options: ReceiveThreadOptions;
  /** What the thread has received, to be drained by the main thread. */
  readonly received: DatagramRing;
  readonly #sends = DatagramRing.create(SENDS_UNDER_WAY_MAX);
  readonly #queue = new SendQueue(this.#sends);
  readonly #listened: BigInt64Array;
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  readonly #opening = Promise.withResolvers<OpenReport>();
  #phase: 'starting' | 'open' | 'closing' | 'ended' = 'starting';
  #wakeDue = false;

  private constructor(options: ReceiveThreadOptions) {
    this.#options = options;
    const { udp, listenEveryMs, clock, spawn } = options;
    const bufferBytes = udp.receiveBufferBytes ?? RECEIVE_BUFFER_BYTES;
    this.received = DatagramRing.create(powerOfTwo(Math.max(1, bufferBytes / BUFFER_BYTES_PER_PLACE)));
    const listened = new SharedArrayBuffer(8);
    this.#listened = new BigInt64Array(listened);
    Atomics.store(this.#listened, 0, BigInt(Math.floor(clock.monotonicMs() * 1_000)));
    const setup: ReceiveThreadSetup = {
      udp,
      received: this.received.memory,
      sends: this.#sends.memory,
      listened,
      listenEveryMs,
    };
    const start = spawn ?? ((entry, workerOptions) => new Worker(entry, workerOptions));
    this.#worker = start(ENTRY, { workerData: setup, name: 'udp-receive' });
    this.#ended = this.#watch();
  }

  /**
   * @throws CONFIG_INVALID when the address cannot be bound; another error when the thread does not
   * start.
   */
  static async start(options: ReceiveThreadOptions): Promise<{ thread: ReceiveThreadHandle; bound: OpenReport }> {
    const thread = new ReceiveThreadHandle(options);
    const late = new AbortController();
    const limit = options.clock.sleep(START_LIMIT_MS, late.signal).then(
      () => Promise.reject(new Error(`a receive thread did not start within ${START_LIMIT_MS} ms`)),
      () => new Promise<never>(() => undefined),
    );
    try {
      const bound = await Promise.race([thread.#opening.promise, limit]);
      return { thread, bound };
    } catch (error) {
      thread.#phase = 'ended';
      await thread.#worker.terminate();
      throw error;
    } finally {
      late.abort();
    }
  }

  #watch(): Promise<void> {
    const worker = this.#worker;
    worker.on('message', (report: ReceiveThreadReport) => this.#hear(report));
    worker.on('error', (error) => this.#break(error));
    worker.on('messageerror', (error) => this.#break(error));
    return new Promise((resolve) => {
      worker.once('exit', (code) => {
        this.#break(new Error(`a receive thread ended by itself (exit code ${code})`));
        this.#phase = 'ended';
        this.#queue.abandon();
        resolve();
      });
    });
  }

  #hear(report: ReceiveThreadReport): void {
    switch (report.kind) {
      case 'open':
        this.#phase = 'open';
        this.received.wish();
        return this.#opening.resolve(report);
      case 'refused':
        return this.#opening.reject(new OperationError('CONFIG_INVALID', report.text.replace('CONFIG_INVALID: ', '')));
      case 'wake':
        return this.#options.onWake();
      case 'warn':
        return this.#options.log.warn(report.event, report.fields);
    }
  }

  #break(cause: unknown): void {
    if (this.#phase === 'starting') return this.#opening.reject(cause);
    if (this.#phase !== 'open') return;
    this.#phase = 'ended';
    this.#options.onBroken(new Error(`receiving has ended: ${errorText(cause)}`, { cause }));
  }

  /** Until when it has surely listened. Stands still when the thread hangs. */
  listenedAtMs(): MonotonicMs {
    return monotonicMs(Number(Atomics.load(this.#listened, 0)) / 1_000);
  }

  get lostCount(): number {
    return this.received.lostCount;
  }

  /** Tells whoever sent something what has become of it. */
  settleSends(): void {
    this.#queue.settle();
  }

  send(payload: Uint8Array, to: Endpoint): Promise<void> {
    if (this.#phase !== 'open') return Promise.reject(new Error('the socket is closed'));
    const sent = this.#queue.put(payload, to, this.#options.clock.monotonicMs());
    this.#wakeOnce();
    return sent;
  }

  /** Once for everything sent in one go. */
  #wakeOnce(): void {
    if (this.#wakeDue) return;
    this.#wakeDue = true;
    queueMicrotask(() => {
      this.#wakeDue = false;
      if (this.#phase === 'open' && this.#sends.takeWish()) this.#command('send');
    });
  }

  #command(command: ReceiveThreadCommand): void {
    this.#worker.postMessage(command);
  }

  /** Idempotent. A thread that does not end by itself is ended. */
  async close(): Promise<void> {
    if (this.#phase === 'open') {
      this.#phase = 'closing';
      this.#command('close');
    }
    const inTime = new AbortController();
    const late = this.#options.clock.sleep(CLOSE_LIMIT_MS, inTime.signal).then(
      async () => void (await this.#worker.terminate()),
      () => undefined,
    );
    await Promise.race([this.#ended, late]);
    inTime.abort();
  }
}
