import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hasCode } from '@understudy/shared';
import { afterEach, describe, expect, it } from 'vitest';
import { coordinatorClient, coordinatorUrls } from './coordinator-client.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serve(body: string, status = 200): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status).end(body));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closers.push(() => new Promise((done) => server.close(() => done())));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

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
    const url = await serve('{"error":{"code":"NOT_FOUND","text":"no member db/nobody is known here"}}', 404);
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

describe('coordinatorUrls', () => {
  it('prefers --url, then the environment, then the default', () => {
    expect(coordinatorUrls(['http://a:1', 'http://b:2'], { UNDERSTUDY_URL: 'http://c:3' })).toEqual([
      'http://a:1',
      'http://b:2',
    ]);
    expect(coordinatorUrls(undefined, { UNDERSTUDY_URL: 'http://c:3, http://d:4' })).toEqual([
      'http://c:3',
      'http://d:4',
    ]);
    expect(coordinatorUrls(undefined, {})).toEqual(['http://127.0.0.1:8080']);
  });

  it('refuses what is no URL', () => expect(() => coordinatorUrls(['nonsense'], {})).toThrow(/nonsense/));
});
