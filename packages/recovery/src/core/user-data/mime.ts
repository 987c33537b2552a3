/** One entity of a MIME message, as far as cloud-init looks at it. */
export interface MimeEntity {
  /** Lower case, without parameters. Empty when the message names none. */
  readonly contentType: string;
  readonly hasMergeType: boolean;
  readonly body: Buffer;
}

/** Nested messages beyond this are not looked into. */
const DEPTH_MAX = 8;
const ENTITIES_MAX = 64;

interface Message {
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** cloud-init takes text for a message when this stands near its start. */
export const isMime = (text: string): boolean => text.slice(0, 4_096).toLowerCase().includes('mime-version:');

/**
 * The leaves of a MIME message (RFC 2045, 2046) in order. Existing parsers work asynchronously,
 * which a plan must not. This one reads only what cloud-init reads. It answers null for what it
 * does not understand, which counts as user data that nobody has examined.
 */
export function mimeEntities(text: string): readonly MimeEntity[] | null {
  const found: MimeEntity[] = [];
  return collect(text, found, 0) ? found : null;
}

function collect(text: string, found: MimeEntity[], depth: number): boolean {
  const { headers, body } = split(text);
  const [type, parameters] = typeOf(headers.get('content-type') ?? '');
  if (!type.startsWith('multipart/')) {
    const decoded = decode(body, headers.get('content-transfer-encoding') ?? '');
    if (decoded === null || found.length >= ENTITIES_MAX) return false;
    const hasMergeType = headers.has('merge-type') || headers.has('x-merge-type');
    found.push({ contentType: type, hasMergeType, body: decoded });
    return true;
  }
  const boundary = boundaryOf(parameters);
  if (boundary === null || depth >= DEPTH_MAX) return false;
  const parts = partsBetween(body, boundary);
  return parts !== null && parts.every((part) => collect(part, found, depth + 1));
}

/** A header's first line, a line that goes on with it, or the envelope of a mailbox. */
const HEADER_LINE = /^(?:From |[!-9;-~]+:|[\t ])/;

/**
 * Splits headers from the body. Headers end at the first empty line, or at the first line that is
 * no header: the body begins there (as in Python's parser, which cloud-init uses).
 */
function split(text: string): Message {
  const lines = text.split('\n');
  const count = lines.findIndex((line) => !HEADER_LINE.test(line));
  const end = count < 0 ? lines.length : count;
  const isSeparator = lines[end]?.trim() === '';
  const body = lines.slice(isSeparator ? end + 1 : end).join('\n');
  const headers = new Map<string, string>();
  const unfolded = lines
    .slice(0, end)
    .join('\n')
    .replaceAll(/\r?\n[ \t]+/g, ' ');
  for (const line of unfolded.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return { headers, body };
}

function typeOf(value: string): readonly [type: string, parameters: string] {
  const semicolon = value.indexOf(';');
  if (semicolon < 0) return [value.trim().toLowerCase(), ''];
  return [value.slice(0, semicolon).trim().toLowerCase(), value.slice(semicolon + 1)];
}

function boundaryOf(parameters: string): string | null {
  const found = /\bboundary=(?:"([^"]+)"|([^\s;]+))/i.exec(parameters);
  return found?.[1] ?? found?.[2] ?? null;
}

/**
 * Null: the message has no such boundary. Text before the first and after the last one does not
 * count.
 */
function partsBetween(body: string, boundary: string): readonly string[] | null {
  const parts: string[][] = [];
  let isOpen = false;
  for (const line of body.split('\n')) {
    const mark = line.trimEnd();
    if (mark === `--${boundary}--`) return parts.map((lines) => lines.join('\n'));
    if (mark === `--${boundary}`) {
      parts.push([]);
      isOpen = true;
    } else if (isOpen) parts.at(-1)?.push(line);
  }
  // Python's parser, which cloud-init uses, accepts a message without its end.
  return isOpen ? parts.map((lines) => lines.join('\n')) : null;
}

function decode(body: string, encoding: string): Buffer | null {
  const name = encoding.trim().toLowerCase();
  if (name === 'base64') return Buffer.from(body, 'base64');
  if (name === 'quoted-printable') return Buffer.from(unquoted(body), 'latin1');
  return ['', '7bit', '8bit', 'binary'].includes(name) ? Buffer.from(body, 'utf8') : null;
}

const unquoted = (text: string): string =>
  Buffer.from(text.replaceAll(/[ \t]*=\r?\n/g, ''), 'utf8')
    .toString('latin1')
    .replaceAll(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
