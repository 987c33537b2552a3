/** Bytes are held as Latin-1 text. The body still is that. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

const HEAD_END = '\r\n\r\n';
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: |$)/;

/**
 * The answer to one HTTP/1.1 request sent with `Connection: close` (RFC 9112 §6): by length, in
 * chunks, or to the end of the connection. Null: more is to come. `ended`: the connection is
 * closed. Interim answers (1xx) are skipped.
 * @throws when it is no HTTP answer, or the connection ended in the middle of one.
 */
export function parseHttpAnswer(text: string, ended: boolean): HttpAnswer | null {
  const head = parseHttpHead(text);
  if (head && head.status < 200) return parseHttpAnswer(text.slice(head.bodyAt), ended);
  const body = head && bodyOf(head, text.slice(head.bodyAt), ended);
  if (head && body !== null) return { status: head.status, body };
  if (ended) throw new Error('the connection closed before the answer was complete');
  return null;
}

export interface HttpHead {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly bodyAt: number;
}

/**
 * Null until all of it is there.
 * @throws when it is no HTTP answer.
 */
export function parseHttpHead(text: string): HttpHead | null {
  const end = text.indexOf(HEAD_END);
  if (end < 0) return null;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const status = STATUS_LINE.exec(first)?.[1];
  if (status === undefined) throw new Error('not an HTTP answer');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status: Number(status), headers, bodyAt: end + HEAD_END.length };
}

function bodyOf({ status, headers }: HttpHead, rest: string, ended: boolean): string | null {
  if (status === 204 || status === 304) return '';
  if (headers.get('transfer-encoding')?.toLowerCase() === 'chunked') return dechunked(rest);
  const length = headers.get('content-length');
  if (length === undefined) return ended ? rest : null;
  if (!/^\d+$/.test(length)) throw new Error('not an HTTP answer');
  return rest.length >= Number(length) ? rest.slice(0, Number(length)) : null;
}

function dechunked(text: string): string | null {
  let body = '';
  for (let at = 0; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (Number.isNaN(size) || size < 0) throw new Error('not an HTTP answer');
    if (size === 0) return body;
    const from = lineEnd + 2;
    if (text.length < from + size + 2) return null;
    body += text.slice(from, from + size);
    at = from + size + 2;
  }
}
