import { durationText } from '../duration-text.ts';
import { errorText } from '../errors.ts';

const MEANINGS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: nothing listens there',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ENOTFOUND: 'DNS does not know this host',
  EAI_AGAIN: 'DNS does not answer',
  EPIPE: 'the connection was closed',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  UND_ERR_SOCKET: 'the other side closed the connection',
  EPROTO: 'TLS: no TLS is spoken there; try http://',
  ERR_SSL_WRONG_VERSION_NUMBER: 'TLS: no TLS is spoken there; try http://',
};

/** The causes of an error, outermost first; those of an aggregate error one after the other. */
function* causesOf(error: unknown): Iterable<unknown> {
  for (let one = error, depth = 0; one instanceof Error && depth < 8; one = one.cause, depth += 1) {
    yield one;
    if (one instanceof AggregateError) yield* one.errors;
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** Why a request had no answer, in words. `fetch failed` hides it in its causes. */
export function whyNoAnswer(error: unknown, url: URL, timeoutMs: number): string {
  const causes = [...causesOf(error)];
  if (causes.some((one) => one instanceof Error && one.name === 'TimeoutError'))
    return `no answer within ${durationText(timeoutMs)}`;
  for (const one of causes) {
    const code = codeOf(one);
    const meaning = MEANINGS[code];
    if (meaning !== undefined) return `${meaning} (${code})`;
    if (one instanceof Error && (one.name === 'HTTPParserError' || code.startsWith('HPE_')))
      return `what answers speaks no HTTP (${errorText(one)})`;
    if (/CERT|SSL|TLS/.test(code)) return `TLS: ${errorText(one)} (${code})`;
  }
  const last = causes.at(-1);
  const port = url.port === '' ? '' : ` (port ${url.port})`;
  return last === undefined ? errorText(error) : `${errorText(last)}${errorText(last) === 'bad port' ? port : ''}`;
}
