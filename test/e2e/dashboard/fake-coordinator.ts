import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EnrolmentsView, FleetMember } from '@understudy/shared';
import { DASHBOARD_CSP } from '@understudy/coordinator/testing';
import { inventory } from './fake-inventory.ts';
import { delta, explained, pastOf, pauses, plan, status, undo, view } from './fake-fleet.ts';

/** A server that answers like a coordinator, with a fleet that a test makes up. */
export interface FakeCoordinator {
  readonly url: string;
  /** Every command that came, with its headers. */
  readonly commands: { readonly path: string; readonly body: string; readonly headers: IncomingMessage['headers'] }[];
  /** Commands are answered so from now on. `drop`: not at all. */
  answerWith(answer: { readonly status: number; readonly body: object } | 'drop'): void;
  /** Streams that are open now. */
  streams(): number;
  /** Members that look different in each update. */
  readonly members: FleetMember[];
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = { js: 'text/javascript', css: 'text/css', html: 'text/html' };

export interface FakeOptions {
  readonly site: string;
  readonly members: readonly FleetMember[];
  /** Time between updates, in ms. */
  readonly everyMs?: number;
  /** Rows that change in each update. */
  readonly changing?: number;
  readonly loggedIn?: boolean;
  /** Default true. */
  readonly reachesEtcd?: boolean;
  /** Default true. */
  readonly keepsInventory?: boolean;
  /** Default: one that is free. */
  readonly port?: number;
}

function page(site: string, path: string, response: ServerResponse): void {
  const file = path.startsWith('/assets/') ? path.slice(1) : 'index.html';
  response.writeHead(200, {
    'content-type': TYPES[file.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
    'content-security-policy': DASHBOARD_CSP,
  });
  response.end(readFileSync(join(site, file)));
}

export async function startFakeCoordinator(options: FakeOptions): Promise<FakeCoordinator> {
  const { site, everyMs = 1_000, changing = 0 } = options;
  const members = [...options.members];
  const commands: FakeCoordinator['commands'] = [];
  const timers = new Set<NodeJS.Timeout>();
  let answer: Parameters<FakeCoordinator['answerWith']>[0] = { status: 202, body: {} };
  let loggedIn = options.loggedIn ?? true;
  const SESSION = { name: 'ann', role: 'operate', groups: null, csrf: 'csrf-1' };

  const json = (response: ServerResponse, code: number, body: object): void => {
    response.writeHead(code, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  const stream = (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const store = options.reachesEtcd === false ? { store: { fresh: false, lastContactAgoMs: 15_000 } } : {};
    const tell = (event: string, body: object) =>
      response.write(`event: ${event}\ndata: ${JSON.stringify({ ...body, ...store })}\n\n`);
    tell('status', status(members, Date.now()));
    tell('fleet', view(members, Date.now()));
    let turn = 0;
    const timer = setInterval(() => {
      turn++;
      const changed = members.slice(0, changing).map((one, index) => {
        const next = { ...one, degraded: turn % 2 === 0 };
        members[index] = next;
        return { index, member: next };
      });
      tell('delta', delta(members, turn, Date.now(), changed));
    }, everyMs);
    timers.add(timer);
    response.on('close', () => {
      clearInterval(timer);
      timers.delete(timer);
    });
  };
  const command = (request: IncomingMessage, response: ServerResponse, path: string): void => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      if (path === '/v1/session') {
        if (body.includes('metrics')) return json(response, 200, { ...SESSION, role: 'metrics' });
        loggedIn = request.method === 'POST' && body.includes('right');
        return json(
          response,
          loggedIn ? 200 : 401,
          loggedIn ? SESSION : { detail: 'no such token', code: 'UNAUTHENTICATED' },
        );
      }
      commands.push({ path, body, headers: request.headers });
      if (answer === 'drop') return request.socket.destroy();
      json(response, answer.status, answer.body);
    });
  };
  const read = (response: ServerResponse, path: string, query: URLSearchParams): void => {
    const nowMs = Date.now();
    const named = members.find((one) => path === `/v1/members/${one.member}/explain`);
    if (path === '/v1/session') return json(response, loggedIn ? 200 : 401, loggedIn ? SESSION : {});
    if (path === '/v1/fleet/stream') return loggedIn ? stream(response) : json(response, 401, {});
    if (path === '/v1/history') return json(response, 200, { history: pastOf(nowMs) });
    if (named) return json(response, 200, explained(named, nowMs));
    if (path === '/v1/enrolments') return json(response, 200, enrolmentsOf(nowMs));
    if (path === '/v1/pauses') return json(response, 200, pauses(nowMs));
    if (path.endsWith('/plan')) return json(response, 200, plan(path));
    if (path.endsWith('/undo')) return json(response, 200, undo(path, nowMs));
    if (path.startsWith('/v1/inventory') && options.keepsInventory === false)
      return json(response, 404, { detail: 'none is kept', code: 'INVENTORY_OFF' });
    if (path.startsWith('/v1/inventory')) return json(response, 200, inventory(path, query, nowMs));
    if (path.startsWith('/v1/')) return json(response, 404, { detail: 'no such thing', code: 'MEMBER_UNKNOWN' });
    page(site, path, response);
  };
  const server = createServer((request, response) => {
    const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://x');
    if (request.method === 'GET') read(response, path, searchParams);
    else command(request, response, path);
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    commands,
    streams: () => timers.size,
    members,
    answerWith: (next) => {
      answer = next;
    },
    close: () => {
      for (const timer of timers) clearInterval(timer);
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** A member has its key by identity, and somebody with a copied document was given none. */
const enrolmentsOf = (nowMs: number): EnrolmentsView => ({
  enabled: true,
  enrolments: [
    {
      ...{ member: 'db/primary', instanceId: 'i-0a1b2c3d', address: '10.0.1.20', publicKey: 'AbCdEfGhIjKlMnOp' },
      ...{ keyId: 1, opId: null, atWallMs: nowMs - 3_600_000, revision: 7, activated: true },
    },
  ],
  refused: [
    {
      ...{ member: 'db/primary', instanceId: null, address: '10.9.9.9', reason: 'AddressForeign', count: 3 },
      ...{ text: 'the document was sent from <b>10.9.9.9</b>', lastWallMs: nowMs - 60_000 },
    },
  ],
});
