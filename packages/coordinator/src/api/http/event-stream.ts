import type { Clock } from '@understudy/shared';
import type { FastifyReply } from 'fastify';

/** Tells the reader of a stream. `text` has no line end: it is JSON. */
export type Tell = (event: string, text: string) => void;

export interface EventStream {
  readonly clock: Clock;
  /** Begins to tell, and returns what ends that. */
  readonly begin: (tell: Tell) => () => void;
}

/** How soon a browser connects again. */
const RETRY_MS = 1_000;
/**
 * A stream ends after this, and its reader opens another one: so whoever may read no longer is told
 * no longer.
 */
export const STREAM_MS = 300_000;
/**
 * Bytes that wait for a slow reader. With more it is dropped, and connects again for all that is
 * new.
 */
const WAITING_BYTES_MAX = 4_194_304;

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  // Proxies that buffer would hold events back.
  'x-accel-buffering': 'no',
};

/** Answers with server-sent events, until the reader goes or its time is over. */
export function openEventStream(reply: FastifyReply, { clock, begin }: EventStream): void {
  void reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, HEADERS);
  raw.write(`retry: ${RETRY_MS}\n\n`);
  const tell: Tell = (event, text) => {
    if (raw.writableLength > WAITING_BYTES_MAX) raw.destroy();
    else raw.write(`event: ${event}\ndata: ${text}\n\n`);
  };
  const stop = begin(tell);
  const timer = clock.setTimer(STREAM_MS, () => raw.end('event: bye\ndata: {}\n\n'));
  raw.once('close', () => {
    timer.cancel();
    stop();
  });
}
