import { connect } from 'node:net';
import { type HttpAnswer, parseHttpAnswer, parseHttpHead } from '../core/http-answer.ts';

interface PlainRequest {
  readonly method: 'GET' | 'PUT';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Aborts with the error to reject with. */
  readonly signal: AbortSignal;
  /** Hangs up after the head. The body is then empty. */
  readonly headOnly?: boolean;
}

const ANSWER_BYTES_MAX = 131_072;

/**
 * One request over a connection of its own, without redirects or TLS. The agent asks small
 * questions of machines next to it. `node:http` for that would cost it 1.6 MB for good
 * (docs/agent.md, Memory), and `fetch` does not exist under `--jitless`. Rejects with what went
 * wrong.
 */
export function plainHttp(request: PlainRequest): Promise<HttpAnswer> {
  const { hostname, port } = new URL(request.url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) });
    let text = '';
    const finish = (settle: () => void) => {
      request.signal.removeEventListener('abort', onAbort);
      socket.destroy();
      settle();
    };
    const onAbort = () => finish(() => reject(request.signal.reason as Error));
    const take = (ended: boolean) => {
      try {
        const answer = (request.headOnly && headOf(text)) || parseHttpAnswer(text, ended);
        if (answer) finish(() => resolve(withUtf8Body(answer)));
        else if (text.length > ANSWER_BYTES_MAX) finish(() => reject(new Error('the answer is too long')));
      } catch (error) {
        finish(() => reject(error));
      }
    };
    socket.setEncoding('latin1');
    socket.on('data', (piece: string) => {
      text += piece;
      take(false);
    });
    socket.on('end', () => take(true));
    socket.on('error', (error) => finish(() => reject(error)));
    if (request.signal.aborted) return onAbort();
    request.signal.addEventListener('abort', onAbort, { once: true });
    socket.write(requestText(request));
  });
}

function headOf(text: string): HttpAnswer | null {
  const head = parseHttpHead(text);
  return head && head.status >= 200 ? { status: head.status, body: '' } : null;
}

const withUtf8Body = ({ status, body }: HttpAnswer): HttpAnswer => ({
  status,
  body: Buffer.from(body, 'latin1').toString('utf8'),
});

function requestText({ method, url, headers }: PlainRequest): string {
  const { host, pathname, search } = new URL(url);
  const own = {
    Host: host,
    Connection: 'close',
    Accept: '*/*',
    ...(method === 'PUT' ? { 'Content-Length': '0' } : {}),
  };
  const lines = Object.entries({ ...own, ...headers }).map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${pathname}${search} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}
