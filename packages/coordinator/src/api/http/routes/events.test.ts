import { connect } from 'node:net';
import { EventsViewSchema, type TokenEntry, keyspace, makeToken } from '@understudy/shared';
import { SystemRandom, until } from '@understudy/shared/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EventLog } from '../../events/event-log.ts';
import { closeServers, serveApi } from '../http.fixtures.ts';
import { STREAMS_PER_CALLER_MAX, WAITING_BYTES_MAX } from '../open-streams.ts';

const KEYS = keyspace('/t/v1/');
const BASE = { schemaVersion: 1, writeId: 'w', writtenBy: 'c1', writtenAtWallMs: 1_000 };

let log: EventLog;
let revision: number;
beforeEach(() => {
  log = new EventLog(KEYS.root, () => null);
  revision = 5;
  log.began(revision);
});
const readers: AbortController[] = [];
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.abort();
  await closeServers();
});

/** Somebody takes the lead: one event. `words` makes it longer. */
function happens(words = '', into = log): string {
  revision++;
  const value = JSON.stringify({ ...BASE, coordinatorId: `c${revision}${words}`, az: 'a', httpUrl: 'http://c1' });
  const after = { key: KEYS.leader, value, createRevision: revision, modRevision: revision, leaseId: null };
  into.changed([{ key: KEYS.leader, before: null, after, revision }]);
  return `${revision}.0.0`;
}

interface Received {
  readonly event: string;
  readonly id: string;
}

/** Follows a stream as a browser does. */
async function follow(url: string, headers: Record<string, string> = {}) {
  const reader = new AbortController();
  readers.push(reader);
  const reply = await fetch(`${url}/v1/events`, {
    headers: { accept: 'text/event-stream', ...headers },
    signal: reader.signal,
  });
  const received: Received[] = [];
  const state = { received, ended: false, status: reply.status, stop: () => reader.abort() };
  void (async () => {
    let text = '';
    for await (const chunk of reply.body ?? []) {
      text += Buffer.from(chunk).toString('utf8');
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
        if (field('data') !== '') received.push({ event: field('event') || 'message', id: field('id') });
      }
    }
  })().then(
    () => (state.ended = true),
    () => (state.ended = true),
  );
  return state;
}
const messages = (received: readonly Received[]) =>
  received.filter(({ event }) => event === 'message').map(({ id }) => id);
const kinds = (received: readonly Received[]) => received.map(({ event }) => event);

describe('events', () => {
  test('a page as JSON, with a limit of 500, from a cursor or an id', async () => {
    const { url } = await serveApi({ api: { events: log } });
    const ids = [happens(), happens(), happens()];
    const page = async (query: string) => {
      const reply = await fetch(`${url}/v1/events${query}`);
      return reply.ok ? EventsViewSchema.parse(await reply.json()) : reply.status;
    };
    expect(await page('')).toMatchObject({ events: ids.map((id) => ({ id })), more: false, reset: false });
    expect(await page(`?after=${ids[1]}`)).toMatchObject({ events: [{ id: ids[2] }] });
    expect(await page('?limit=1')).toMatchObject({ events: [{ id: ids[0] }], cursor: ids[0], more: true });
    expect(await page('?group=prod')).toMatchObject({ events: [] });
    expect(await page('?after=4.0.0')).toMatchObject({ reset: true });
    for (const bad of ['?limit=501', '?limit=0', '?after=yesterday', '?colour=red']) expect(await page(bad)).toBe(400);
  });

  test('a stream tells what is new, and goes on at another coordinator with what was missed', async () => {
    const [one, other] = [await serveApi({ api: { events: log } }), await serveApi({ api: { events: log } })];
    happens();
    const first = await follow(one.url);
    await until('it is open', () => kinds(first.received).includes('hello'));
    const seen = happens();
    await until('it is told', () => messages(first.received).length === 1);
    expect(messages(first.received)).toEqual([seen]);
    first.stop();
    const missed = [happens(), happens()];
    const second = await follow(other.url, { 'last-event-id': seen });
    await until('it is told', () => kinds(second.received).includes('hello'));
    expect(messages(second.received)).toEqual(missed);
    // It comes back before anything has happened: the greeting has an id, too.
    const third = await follow(one.url, { 'last-event-id': second.received.at(-1)?.id ?? '' });
    await until('it is open', () => kinds(third.received).includes('hello'));
    expect(kinds(third.received)).toEqual(['hello']);
  });

  test('what is not kept any more is a reset', async () => {
    const { url } = await serveApi({ api: { events: log } });
    const late = await follow(url, { 'last-event-id': '2.0.0' });
    await until('it is told', () => late.received.length === 2);
    expect(kinds(late.received)).toEqual(['reset', 'hello']);
  });

  test('a server that stops says goodbye', async () => {
    const server = await serveApi({ api: { events: log } });
    const reader = await follow(server.url);
    await until('it is open', () => reader.received.length > 0);
    await server.close();
    await until('it ends', () => reader.ended);
    expect(kinds(reader.received).at(-1)).toBe('bye');
  });

  test('a reader that does not read is dropped at a bound, and nobody else', async () => {
    const { url, port, connections } = await serveApi({ api: { events: log } });
    const quick = await follow(url);
    const slow = connect({ port, host: '127.0.0.1' });
    slow.on('error', () => undefined);
    let closed = false;
    slow.once('close', () => (closed = true));
    slow.write('GET /v1/events HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n');
    slow.pause();
    await until('both are open', () => connections().open === 2 && quick.received.length > 0);
    const words = 'x'.repeat(WAITING_BYTES_MAX / 4);
    let sent = 0;
    await until('it is dropped', () => {
      happens(words);
      sent++;
      return connections().open === 1;
    });
    // The kernel's buffers took some of it, too.
    expect(sent).toBeGreaterThan(1);
    await until('the other has all', () => messages(quick.received).length === sent);
    slow.resume();
    await until('it notices', () => closed);
  });

  test('streams are bounded, and a reader may come back when one ends', async () => {
    const { url } = await serveApi({ api: { events: log } });
    const open = [];
    for (let count = 0; count < STREAMS_PER_CALLER_MAX; count++) open.push(await follow(url));
    expect((await follow(url)).status).toBe(503);
    open[0]?.stop();
    await until('there is room again', async () => (await follow(url)).status === 200);
  });

  test('a stream ends when its token is taken away', async () => {
    const { token, entry } = makeToken(new SystemRandom(), { name: 'ann', role: 'read' });
    let entries: readonly TokenEntry[] = [entry];
    let tokens = { entries, operatorTokenHash: null };
    const server = await serveApi({ api: { events: log }, access: { anonymous: 'none' }, tokens: () => tokens });
    const reader = await follow(server.url, { authorization: `Bearer ${token}` });
    await until('it is open', () => reader.received.length > 0);
    entries = [];
    tokens = { entries, operatorTokenHash: null };
    await until('it ends', () => reader.ended, 12_000);
    expect(kinds(reader.received).at(-1)).toBe('bye');
    expect((await follow(server.url, { authorization: `Bearer ${token}` })).status).toBe(401);
  }, 15_000);
});
