import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seedInstance } from '@understudy/cloud-sim';
import { EventsViewSchema, makeToken, tokenLine } from '@understudy/shared';
import { SystemClock, SystemRandom, until } from '@understudy/shared/node';
import { parse, stringify } from 'yaml';
import { expect, test } from 'vitest';
import { clusterPerTest } from './cluster-per-test.ts';

const now = clusterPerTest();
const clock = new SystemClock();
const { token, entry } = makeToken(new SystemRandom(), { name: 'reader', role: 'read' });
/** Another caller, whom the crowd's limit does not meet. */
const watcher = makeToken(new SystemRandom(), { name: 'watcher', role: 'read' });
const MEMBERS = ['prod/db1', 'prod/db2', 'prod/db3'];
const PARALLEL = 200;
const WINDOW_MS = 8_000;

async function start() {
  const { sim } = await now.cluster.startCloud();
  for (const member of MEMBERS) seedInstance(sim, { member, userData: 'x' });
  const { path, httpPort } = await now.cluster.config(0, now.etcd.hosts, 1);
  now.cluster.followMachines();
  const tokensFile = join(now.cluster.dir, 'tokens.yaml');
  writeFileSync(tokensFile, `tokens:\n${tokenLine(entry)}\n${tokenLine(watcher.entry)}\n`);
  const config = parse(readFileSync(path, 'utf8')) as { http: object };
  const http = { ...config.http, anonymous: 'none', tokensFile, connections: 600, connectionsPerAddress: 500 };
  // As an operator has it who sets nothing.
  const requestsPerMinute = 1_200;
  writeFileSync(path, stringify({ ...config, http: { ...http, requestsPerMinute } }));
  now.cluster.start(path, httpPort);
  const url = `http://127.0.0.1:${httpPort}`;
  await until('all are alive', async () => {
    const reply = await fetch(`${url}/v1/members`, { headers }).catch(() => null);
    const text = reply?.ok ? await reply.text() : '';
    return text.split('"verdict":"alive","reasonCode"').length === MEMBERS.length + 1;
  });
  return { url, port: httpPort };
}
const headers = { authorization: `Bearer ${watcher.token}` };

/** What a coordinator says of itself: heartbeats heard, its term, what it lost or missed. */
async function metricsOf(url: string) {
  const text = await (await fetch(`${url}/metrics`, { headers: { ...headers, connection: 'close' } })).text();
  const value = (name: string) =>
    [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([0-9.e+]+)$`, 'gm'))].reduce(
      (sum, [, each]) => sum + Number(each),
      0,
    );
  return {
    heartbeats: value('understudy_heartbeats_received_total'),
    term: value('understudy_term'),
    leads: value('understudy_leader'),
    abstains: value('understudy_observer_abstains'),
    ringDrops: value('understudy_ring_datagrams_dropped_total'),
    evicted: value('understudy_http_connections_closed_total'),
  };
}

/** Works until it is told to stop, and counts what came of it. */
class Crowd {
  readonly counts = new Map<string, number>();
  readonly sockets: Socket[] = [];
  #isOver = false;

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** Asks again and again, each client one after the other. */
  async ask(what: string, request: () => Promise<Response>): Promise<void> {
    while (!this.#isOver) {
      try {
        const reply = await request();
        await reply.text();
        this.count(`${what} ${reply.status}`);
      } catch {
        this.count(`${what} broken`);
      }
    }
  }

  /** Opens a connection, says the beginning, then dribbles, and reads nothing. */
  dribble(port: number, begin: string): void {
    if (this.#isOver) return;
    const socket = connect({ port, host: '127.0.0.1' });
    this.sockets.push(socket);
    socket.on('error', () => undefined);
    socket.pause();
    socket.write(begin);
    const timer = clock.setTimer(900, () => socket.write('x'));
    socket.once('close', () => {
      timer.cancel();
      this.count('slow closed');
      clock.setTimer(100, () => this.dribble(port, begin));
    });
  }

  stop(): void {
    this.#isOver = true;
    for (const socket of this.sockets) socket.destroy();
  }
}

function attack(url: string, port: number): { readonly crowd: Crowd; readonly work: readonly Promise<void>[] } {
  const crowd = new Crowd();
  const work: Promise<void>[] = [];
  const big = `{"token":"${'x'.repeat(300_000)}"}`;
  const json = { 'content-type': 'application/json' };
  for (let client = 0; client < PARALLEL; client++) {
    const paths = ['/v1/status', '/v1/members', '/v1/recoveries', '/metrics', '/v1/events'];
    if (client % 4 === 0)
      work.push(crowd.ask('oversized', () => fetch(`${url}/v1/session`, { method: 'POST', headers: json, body: big })));
    else if (client % 4 === 1) {
      const wrong = `us_${createHash('sha256').update(String(client)).digest('hex').slice(0, 10)}_${'A'.repeat(43)}`;
      work.push(
        crowd.ask('wrong token', () => fetch(`${url}/v1/status`, { headers: { authorization: `Bearer ${wrong}` } })),
      );
    } else
      work.push(
        crowd.ask('reader', () =>
          fetch(`${url}${paths[client % paths.length] ?? ''}`, { headers: { authorization: `Bearer ${token}` } }),
        ),
      );
  }
  const auth = `host: x\r\nauthorization: Bearer ${token}\r\n`;
  for (let client = 0; client < 60; client++) {
    crowd.dribble(port, 'GET /v1/status HTTP/1.1\r\nX: ');
    crowd.dribble(
      port,
      `POST /v1/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{`,
    );
    crowd.dribble(port, `GET /v1/events HTTP/1.1\r\n${auth}accept: text/event-stream\r\n\r\n`);
  }
  return { crowd, work };
}

test('200 parallel clients, slow ones, oversized bodies, wrong tokens and floods of streams slow no heartbeat and no lease', async () => {
  const { url, port } = await start();
  const [from, peaceMs] = [await metricsOf(url), clock.monotonicMs()];
  await clock.sleep(WINDOW_MS);
  const peace = await metricsOf(url);
  const before = EventsViewSchema.parse(await (await fetch(`${url}/v1/events?limit=500`, { headers })).json());
  const perSecondInPeace = ((peace.heartbeats - from.heartbeats) * 1_000) / (clock.monotonicMs() - peaceMs);
  const { crowd, work } = attack(url, port);
  const warMs = clock.monotonicMs();
  await clock.sleep(WINDOW_MS);
  crowd.stop();
  const warEndMs = clock.monotonicMs();
  await Promise.all(work);
  const war = await metricsOf(url);
  const perSecondInWar = ((war.heartbeats - peace.heartbeats) * 1_000) / (clock.monotonicMs() - warMs);
  console.log(
    `heartbeats a second: ${perSecondInPeace.toFixed(2)} in peace, ${perSecondInWar.toFixed(2)} under ${(warEndMs - warMs).toFixed(0)} ms of fire; ` +
      [...crowd.counts].map(([what, count]) => `${what}: ${count}`).join(', '),
  );
  // The attack happened, all of it.
  const count = (what: string) => crowd.counts.get(what) ?? 0;
  expect(count('reader 200') + count('reader 429')).toBeGreaterThan(PARALLEL);
  expect(count('reader 429'), 'one caller is bounded').toBeGreaterThan(0);
  expect(count('oversized 413') + count('oversized 429') + count('oversized broken')).toBeGreaterThan(50);
  expect(count('wrong token 401')).toBeGreaterThan(0);
  expect(count('wrong token 429')).toBeGreaterThan(0);
  expect(count('slow closed')).toBeGreaterThan(0);
  // And nothing of ours was slowed by it.
  expect([war.term, war.leads], 'the lease was kept, in the same term').toEqual([from.term, 1]);
  expect([war.abstains, war.ringDrops], 'nothing was lost, so it may go on judging').toEqual([0, from.ringDrops]);
  // The agents live in the process that attacks, so some of this is their own haste.
  expect(perSecondInWar).toBeGreaterThan(perSecondInPeace * 0.5);
  await clock.sleep(3_000);
  const events = await fetch(`${url}/v1/events?limit=500&after=${before.cursor}`, { headers });
  const { events: told } = EventsViewSchema.parse(await events.json());
  const worried = told.filter(
    ({ kind }) => kind === 'member.suspect' || kind === 'member.dead' || kind.startsWith('leader.'),
  );
  expect(worried, 'nobody was suspected, and nobody else led').toEqual([]);
  const members = await (await fetch(`${url}/healthz`)).json();
  expect(members).toEqual({ healthy: true });
}, 120_000);
