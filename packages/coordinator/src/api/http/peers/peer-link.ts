import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { durationText, type Clock } from '@understudy/shared';

/** What is sent to another coordinator. */
export interface PeerMessage {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
}

export interface PeerReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** No answer of ours is longer; another's is not read to its end. */
const ANSWER_BYTES_MAX = 8_388_608;

/**
 * Sends one request to another coordinator and waits for its whole answer. Over TLS it checks the
 * other's certificate against `ca`, or, without that, against the authorities that Node trusts.
 * @throws when there is none in time: it may have been carried out, or not.
 */
export function askPeer(clock: Clock, message: PeerMessage, ca: Buffer | null): Promise<PeerReply> {
  const { url, method, headers, body, timeoutMs } = message;
  const { promise, resolve, reject } = Promise.withResolvers<PeerReply>();
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  const sent = send(url, { method, headers, agent: false, ...(ca === null ? {} : { ca }) }, (reply) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    reply.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes > ANSWER_BYTES_MAX) sent.destroy(new Error('the answer is too long'));
      else chunks.push(chunk);
    });
    reply.on('error', reject);
    reply.on('end', () => {
      const plain = Object.entries(reply.headers).flatMap(([name, value]) =>
        typeof value === 'string' ? [[name, value] as const] : [],
      );
      resolve({
        status: reply.statusCode ?? 0,
        headers: Object.fromEntries(plain),
        body: Buffer.concat(chunks).toString('utf8'),
      });
    });
  });
  sent.on('error', reject);
  const timer = clock.setTimer(timeoutMs, () => sent.destroy(new Error(`no answer within ${durationText(timeoutMs)}`)));
  sent.end(body);
  return promise.finally(() => timer.cancel());
}
