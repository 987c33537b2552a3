import { SystemClock } from '@understudy/shared/node';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { Webhook as Receiver } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Webhook, webhookSecret } from '../../notices/webhook.ts';
import { webhookSender } from './webhook-sender.ts';

const SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const MESSAGE = { id: '1767225600000-0123456789abcdef', body: '{"text":"prod/db1 is dead"}' };

interface Got {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server;
let got: Got[];
/** Null: it never answers. */
let status: number | null;

beforeEach(async () => {
  [got, status] = [[], 200];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      got.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
      if (status !== null) response.writeHead(status, { location: '/elsewhere' }).end('thanks');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const urlOf = (path = '/hook') => {
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}${path}`;
};
const send = (over: Partial<Webhook> = {}, signal = new AbortController().signal) => {
  const sender = webhookSender({
    clock: new SystemClock(),
    secretOf: () => webhookSecret(SECRET) ?? new Uint8Array(),
  });
  return sender({ name: 'pager', url: urlOf(), kinds: [], groups: [], timeoutMs: 5_000, ...over }, MESSAGE, signal);
};

describe('a notice over HTTP', () => {
  test('arrives as it is, signed so that a receiver can verify it', async () => {
    expect(await send()).toEqual({ kind: 'taken' });
    const [{ path, headers, body } = { path: '', headers: {}, body: '' }] = got;
    expect([path, body, headers['content-type']]).toEqual(['/hook', MESSAGE.body, 'application/json']);
    expect(headers['webhook-id']).toBe(MESSAGE.id);
    const signed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    expect(new Receiver(SECRET).verify(body, signed)).toEqual({ text: 'prod/db1 is dead' });
  });

  test.each([
    [204, { kind: 'taken' }],
    [400, { kind: 'refused', text: 'HTTP 400', isOfNotice: true }],
    [410, { kind: 'refused', text: 'HTTP 410', isOfNotice: true }],
    [429, { kind: 'refused', text: 'HTTP 429', isOfNotice: false }],
    [503, { kind: 'refused', text: 'HTTP 503', isOfNotice: false }],
    [302, { kind: 'refused', text: 'HTTP 302', isOfNotice: false }],
  ])('an answer %i is what it is, and a redirect is not followed', async (given, expected) => {
    status = given;
    expect(await send()).toEqual(expected);
    expect(got.map(({ path }) => path)).toEqual(['/hook']);
  });

  test('without an answer it ends in time, and says so', async () => {
    status = null;
    const answer = await send({ timeoutMs: 100 });
    expect(answer).toMatchObject({
      kind: 'refused',
      isOfNotice: false,
      text: expect.stringContaining('within 100 ms'),
    });
    expect(got).toHaveLength(1);
  });

  test('ends with the term that sends it', async () => {
    status = null;
    const term = new AbortController();
    const sending = send({}, term.signal);
    term.abort(new Error('the term is over'));
    expect(await sending).toMatchObject({ kind: 'refused', isOfNotice: false });
  });

  test('to nobody is refused with the reason, and without the secret path', async () => {
    const url = urlOf('/services/T0/B0/secret');
    await new Promise((resolve) => server.close(resolve));
    const answer = await send({ url });
    expect(answer).toMatchObject({ kind: 'refused', isOfNotice: false, text: expect.stringContaining('ECONNREFUSED') });
    expect(JSON.stringify(answer)).not.toContain('secret');
  });
});
