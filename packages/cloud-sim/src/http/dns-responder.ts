import { createSocket, type Socket } from 'node:dgram';

export type DnsMode = 'answer' | 'nxdomain' | 'silent';

const HEADER_BYTES = 12;
const NAME_MAX_BYTES = 255;
const ANSWER_IP = [203, 0, 113, 1] as const;
const NXDOMAIN = 3;

/** The first question's name and where it ends. Null when the packet is no query. */
function question(query: Buffer): { name: string; endAt: number } | null {
  if (query.length < HEADER_BYTES + 5 || (query[2] ?? 0x80) & 0x80 || query.readUInt16BE(4) < 1) return null;
  const labels: string[] = [];
  let at = HEADER_BYTES;
  while (at < query.length && at - HEADER_BYTES <= NAME_MAX_BYTES) {
    const length = query[at] ?? 0;
    if (length === 0) return at + 5 <= query.length ? { name: labels.join('.'), endAt: at + 5 } : null;
    if (length > 63) return null;
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return null;
}

/**
 * RFC 1035: an A record for any name, NXDOMAIN for `*.invalid` (RFC 6761) or when told so. Null: no
 * answer.
 */
export function dnsAnswer(query: Buffer, mode: DnsMode): Buffer | null {
  const asked = question(query);
  if (!asked || mode === 'silent') return null;
  const missing = mode === 'nxdomain' || /(^|\.)invalid$/i.test(asked.name);
  const head = Buffer.from(query.subarray(0, asked.endAt));
  head.writeUInt16BE(0x8180 | (missing ? NXDOMAIN : 0), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(missing ? 0 : 1, 6);
  head.writeUInt16BE(0, 8);
  head.writeUInt16BE(0, 10);
  if (missing) return head;
  const record = Buffer.from([0xc0, HEADER_BYTES, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...ANSWER_IP]);
  return Buffer.concat([head, record]);
}

/** A name server on loopback, so that the agents' DNS check has something real to ask. */
export class DnsResponder {
  mode: DnsMode = 'answer';
  readonly #socket: Socket = createSocket('udp4');

  constructor() {
    this.#socket.on('message', (query, from) => {
      const answer = dnsAnswer(query, this.mode);
      if (answer) this.#socket.send(answer, from.port, from.address, () => undefined);
    });
  }

  /** Resolves with the port. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.bind(0, '127.0.0.1', () => resolve(this.#socket.address().port));
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}
