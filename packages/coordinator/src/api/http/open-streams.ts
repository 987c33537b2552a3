import type { Clock, Timer } from '@understudy/shared';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from './access/access.ts';
import { type Caller, hasRole, type Role } from './access/caller.ts';
import { Refusal } from './refusal.ts';

/** How soon a browser connects again, in ms. */
const RETRY_MS = 2_000;
/** Time between signs of life on a stream, in ms; below the time after which a socket is closed. */
export const TICK_MS = 5_000;
/**
 * Bytes that wait for a slow reader, unless its stream has other ones. With more it is dropped: it
 * comes back, and goes on.
 */
export const WAITING_BYTES_MAX = 262_144;
/** Streams at once, of everybody and of one caller. */
export const STREAMS_MAX = 64;
export const STREAMS_PER_CALLER_MAX = 32;

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  // A proxy that buffers would hold events back.
  'x-accel-buffering': 'no',
};

/** One event of a stream. `id`: what the reader shows when it comes back. */
export interface StreamEvent {
  readonly event?: string;
  readonly id?: string;
  /** Becomes JSON. */
  readonly data?: unknown;
  /** The JSON itself, where it is written once for many readers. */
  readonly json?: string;
}

/** A stream to one reader. */
export interface Stream {
  send(event: StreamEvent): void;
}

export interface OpenedStream {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly caller: Caller;
  /** The role that reading on needs. */
  readonly role: Role;
  /** Default {@link WAITING_BYTES_MAX}. */
  readonly waitingBytesMax?: number;
  /** Begins to send, and returns what ends that. */
  readonly begin: (stream: Stream) => () => void;
}

const textOf = ({ event, id, data, json }: StreamEvent): string =>
  `${event === undefined ? '' : `event: ${event}\n`}${id === undefined ? '' : `id: ${id}\n`}data: ${json ?? JSON.stringify(data)}\n\n`;

/**
 * The streams of server-sent events that are open: so many at most, each with a reader that may
 * still read, and fast enough. All of them end, with a last event `bye`, when the server closes.
 */
export class OpenStreams {
  readonly #clock: Clock;
  readonly #access: Access;
  readonly #open = new Map<FastifyReply, { readonly callerId: string; readonly end: (why: string) => void }>();
  #dropped = 0;

  constructor(clock: Clock, access: Access) {
    this.#clock = clock;
    this.#access = access;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Readers that were dropped because they were too slow. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Answers with a stream, until the reader goes, is too slow, or may not read any more.
   * @throws Refusal STREAMS_FULL
   */
  open({ request, reply, caller, role, begin, waitingBytesMax = WAITING_BYTES_MAX }: OpenedStream): void {
    this.#refuseTooMany(caller.id);
    const { raw } = reply.hijack();
    raw.writeHead(200, { ...HEADERS, 'request-id': request.id });
    raw.write(`retry: ${RETRY_MS}\n\n`);
    const write = (event: StreamEvent): void => {
      if (raw.destroyed) return;
      raw.write(textOf(event));
      if (raw.writableLength <= waitingBytesMax) return;
      this.#dropped++;
      raw.destroy();
    };
    const end = (why: string): void => void raw.end(textOf({ event: 'bye', data: { why } }));
    this.#open.set(reply, { callerId: caller.id, end });
    const stop = begin({ send: write });
    const ticking = this.#tick(() => {
      if (this.#mayRead(request, caller, role)) write({ event: 'tick', data: { atWallMs: this.#clock.wallMs() } });
      else end('this caller may not read any more');
    });
    raw.once('close', () => {
      ticking.cancel();
      stop();
      this.#open.delete(reply);
    });
  }

  /** Ends all of them. */
  close(): void {
    for (const { end } of [...this.#open.values()]) end('this coordinator stops');
  }

  #refuseTooMany(callerId: string): void {
    const ofCaller = [...this.#open.values()].filter((one) => one.callerId === callerId).length;
    if (this.#open.size < STREAMS_MAX && ofCaller < STREAMS_PER_CALLER_MAX) return;
    throw new Refusal('STREAMS_FULL', `${this.#open.size} streams are open here, ${ofCaller} of them are yours`, {
      'retry-after': '5',
    });
  }

  /** A stream outlives what it was opened with: a token that is taken away ends it. */
  #mayRead(request: FastifyRequest, { id }: Caller, role: Role): boolean {
    try {
      const { caller } = this.#access.identify(request);
      return caller.id === id && hasRole(caller, role);
    } catch {
      return false;
    }
  }

  #tick(work: () => void): { readonly cancel: () => void } {
    let timer: Timer | null = null;
    const next = (): void => {
      timer = this.#clock.setTimer(TICK_MS, () => {
        next();
        work();
      });
    };
    next();
    return { cancel: () => timer?.cancel() };
  }
}
