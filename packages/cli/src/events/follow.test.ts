import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FleetEvent } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { afterEach, expect, it } from 'vitest';
import { followEvents } from './follow.ts';
import { serverSent } from './server-sent.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function coordinator(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const event = (id: string): FleetEvent => ({
  ...{ id, kind: 'leader.lost', severity: 'warning', group: null, member: null, opId: null, atWallMs: 1 },
  ...{ what: 'x', why: 'y', next: 'z' },
});
const sent = (id: string): string => `id: ${id}\ndata: ${JSON.stringify(event(id))}\n\n`;

it('goes on at the next coordinator with what followed the last event, and tells a reset', async () => {
  const asked: string[] = [];
  const first = await coordinator((request, response) => {
    asked.push(`first ${request.url}`);
    response.writeHead(200).end(`event: hello\nid: 5.0.0\ndata: {}\n\n${sent('6.0.0')}${sent('7.0.0')}id: 8.0.0\nda`);
  });
  const second = await coordinator((request, response) => {
    asked.push(`second ${request.url}`);
    response.writeHead(200).write(`event: reset\nid: 8.0.0\ndata: {}\n\nevent: tick\ndata: {}\n\n${sent('9.0.0')}`);
  });
  const got: string[] = [];
  let resets = 0;
  await followEvents(
    {
      ...{ urls: [first, second], token: null, fetch, clock: new SystemClock(), onTrouble: () => undefined },
      onEvent: ({ id }) => void got.push(id),
      onReset: () => void (resets += 1),
      ended: () => got.includes('9.0.0'),
    },
    { after: '4.0.0', member: 'db/one', group: null },
  );
  expect(asked).toEqual([
    'first /v1/events?after=4.0.0&member=db%2Fone',
    'second /v1/events?after=7.0.0&member=db%2Fone',
  ]);
  expect(got).toEqual(['6.0.0', '7.0.0', '9.0.0']);
  expect(resets).toBe(1);
});

it('says why it goes on elsewhere', async () => {
  const troubles: string[] = [];
  const well = await coordinator((_, response) => void response.writeHead(200).write(sent('1.0.0')));
  const full = await coordinator((_, response) => void response.writeHead(503).end('{}'));
  let count = 0;
  await followEvents(
    {
      ...{ urls: ['http://127.0.0.1:1', full, well], token: null, fetch, clock: new SystemClock() },
      onTrouble: (text) => void (text === '' || troubles.push(text)),
      onEvent: () => void (count += 1),
      onReset: () => undefined,
      ended: () => count > 0,
    },
    { after: null, member: null, group: null },
  );
  expect(troubles[0]).toMatch(/^http:\/\/127\.0\.0\.1:1: /);
  expect(troubles[1]).toContain('answers 503');
});

it('reads messages however their bytes are cut', async () => {
  const bytes = new TextEncoder().encode('id: 1\r\ndata: ä\r\n\r\ndata: a\ndata: b\n\n: a comment\n\n');
  async function* oneByOne() {
    for (const byte of bytes) yield Uint8Array.of(byte);
  }
  const messages = [];
  for await (const message of serverSent(oneByOne())) messages.push(message);
  expect(messages).toEqual([
    { event: 'message', id: '1', data: 'ä' },
    { event: 'message', id: null, data: 'a\nb' },
  ]);
});
