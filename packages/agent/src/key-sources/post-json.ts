import type { Clock } from '@understudy/shared';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';

const ANSWER_BYTES_MAX = 65_536;

export interface Posted {
  readonly url: string;
  readonly body: string;
  /** PEM. Undefined: the authorities that Node brings. */
  readonly ca: string | undefined;
  /** All of it has to be over within this, ms. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

export interface PostAnswer {
  readonly status: number;
  readonly text: string;
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * One request over TLS on a connection of its own, without redirects. The certificate of the other
 * side has to be vouched for, for the host of the address. Rejects with what went wrong.
 */
export async function postJson({ url, body, ca, timeoutMs, clock }: Posted): Promise<PostAnswer> {
  const limit = new AbortController();
  const timer = clock.setTimer(timeoutMs, () => limit.abort(new Error(`no answer in ${timeoutMs} ms`)));
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const options = { method: 'POST', headers, agent: false, signal: limit.signal, ...(ca === undefined ? {} : { ca }) };
  try {
    return await new Promise<PostAnswer>((resolve, reject) => {
      const sent = request(url, options, (answer) => {
        textOf(answer).then((text) => resolve({ status: answer.statusCode ?? 0, text }), reject);
      });
      sent.on('error', (error) => reject(limit.signal.aborted ? (limit.signal.reason as Error) : error));
      sent.end(body);
    });
  } finally {
    timer.cancel();
  }
}
