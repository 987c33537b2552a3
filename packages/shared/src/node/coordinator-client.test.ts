import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { problemDetails } from '../api-problems.ts';
import { hasCode } from '../errors.ts';
import { coordinatorClient } from './coordinator-client.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(body: string, status = 200): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status).end(body));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closers.push(() => new Promise((done) => server.close(() => done())));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const refusal = (detail: string): string => JSON.stringify(problemDetails('MEMBER_UNKNOWN', detail, 'r1'));

async function closedUrl(): Promise<string> {
  const url = await serve('{}');
  await closers.pop()?.();
  return url;
}

describe('coordinatorClient', () => {
  it('asks the next coordinator when one does not answer', async () => {
    const client = coordinatorClient([await closedUrl(), await serve('{"members":[]}')]);
    expect(await client.members()).toEqual([]);
  });

  it('says COORDINATOR_UNAVAILABLE and names the URL when nobody answers', async () => {
    const url = await closedUrl();
    const error: unknown = await coordinatorClient([url])
      .members()
      .catch((thrown: unknown) => thrown);
    expect(hasCode(error, 'COORDINATOR_UNAVAILABLE')).toBe(true);
    expect(String(error)).toContain(url);
  });

  it('says MEMBER_UNKNOWN, in the words of the coordinator, when there is no such member', async () => {
    const url = await serve(refusal('no member db/nobody is known here'), 404);
    const error: unknown = await coordinatorClient([url])
      .explain('db/nobody')
      .catch((thrown: unknown) => thrown);
    expect(hasCode(error, 'MEMBER_UNKNOWN')).toBe(true);
    expect(String(error)).toContain('no member db/nobody is known here');
  });

  it('says RECORD_UNREADABLE when the answer has another shape', async () => {
    const error: unknown = await coordinatorClient([await serve('{"members":[{}]}')])
      .members()
      .catch((thrown: unknown) => thrown);
    expect(hasCode(error, 'RECORD_UNREADABLE')).toBe(true);
  });
});

describe('what no coordinator says', () => {
  const said = async (urls: readonly string[]) => {
    const error: unknown = await coordinatorClient(urls)
      .explain('db/a')
      .catch((thrown: unknown) => thrown);
    return { error, text: String(error) };
  };

  it.each([
    ['a page', '<html>nginx</html>', 404],
    ['a page', '<html>nginx</html>', 200],
    ['another 404', '{"message":"not found"}', 404],
    ['an empty answer', '', 200],
    ['another refusal', '{"error":"denied"}', 403],
  ])('%s %s (%i) is named as a foreign server, not believed', async (_, body, status) => {
    const url = await serve(body, status);
    const { error, text } = await said([url]);
    expect(hasCode(error, 'NOT_A_COORDINATOR')).toBe(true);
    expect(text).toContain(url);
    expect(text).toContain(`HTTP ${status}`);
  });

  it('why there is no answer: refused, unknown name, no HTTP, no TLS', async () => {
    const { text } = await said([await closedUrl()]);
    expect(text).toContain('connection refused: nothing listens there (ECONNREFUSED)');
    expect((await said(['http://no-such-host.invalid:8080'])).text).toMatch(
      /DNS does(?: not know this host|n't| not answer)/,
    );
    const plain = await serve('{}');
    expect((await said([plain.replace('http:', 'https:')])).text).toMatch(/TLS/);
    const raw = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.write('SSH-2.0-OpenSSH\r\n'));
      closers.push(async () => void socket.destroy());
    });
    await new Promise<void>((done) => raw.listen(0, '127.0.0.1', done));
    closers.push(() => new Promise((done) => raw.close(() => done())));
    expect((await said([`http://127.0.0.1:${(raw.address() as AddressInfo).port}`])).text).toContain('speaks no HTTP');
  });

  it('of several: each with its cause, and never only "fetch failed"', async () => {
    const [first, second] = [await closedUrl(), await serve('<html>', 200)];
    const { error, text } = await said([first, second]);
    expect(hasCode(error, 'COORDINATOR_UNAVAILABLE')).toBe(true);
    for (const part of [first, 'refused', second, 'no coordinator']) expect(text).toContain(part);
    expect(text).not.toContain('fetch failed');
  });

  it('which one answered is told, once', async () => {
    const told: string[] = [];
    const [first, second] = [await closedUrl(), await serve('{"members":[]}')];
    const client = coordinatorClient([first, second], { onFallback: (text) => told.push(text) });
    await client.members();
    await client.members();
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/refused.*answers$/);
    expect(told[0]).toContain(`${second} answers`);
  });

  it('a member that the one that answers does not know: that is said, not that others are silent', async () => {
    const none = await serve(refusal('no member db/a is known here'), 404);
    expect(hasCode((await said([none, await closedUrl()])).error, 'MEMBER_UNKNOWN')).toBe(true);
  });
});
