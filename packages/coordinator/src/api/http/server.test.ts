import {
  type ExplainView,
  type KeysView,
  type Problem,
  type ProblemDetails,
  ProblemDetailsSchema,
  problemOf,
} from '@understudy/shared';
import { RecordingLog } from '@understudy/shared/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EventLog } from '../events/event-log.ts';
import type { ApiSource } from './api-source.ts';
import { closeServers, serveApi } from './http.fixtures.ts';
import type { HttpServer } from './server.ts';

const EXPLAINED: ExplainView = {
  ...{ member: 'prod/db1', instanceId: 'i-1', incarnation: 1, az: 'us-east-1a', atWallMs: 1, unknownHere: [] },
  answeredBy: { coordinatorId: 'c1', leader: true, term: 7 },
  openRecovery: null,
  readinessProblems: [],
  ...{
    verdict: 'alive',
    reasonCode: 'Heard',
    reason: 'heard',
    degraded: false,
    evidence: [],
    gates: [],
    wouldFlip: [],
  },
  decision: { kind: 'none', reason: null, text: 'Nothing to do.', untilWallMs: null },
  judged: { standing: 'current', by: 'c1', term: 7, verdict: 'alive', ageMs: 10, sinceWallMs: 1 },
  ownView: { observer: 'c1', verdict: 'alive', reason: 'Heard' },
  ...{ lookAgainInMs: 5_000, hold: null, recovery: null, console: null, changes: [] },
};
const asFollower: ExplainView = { ...EXPLAINED, answeredBy: { coordinatorId: 'c2', leader: false, term: null } };

const KEYS: KeysView = {
  coordinatorId: 'c1',
  accepted: [{ id: 1, fingerprint: 'c0ffee00' }],
  refused: null,
  unknownKeyDatagrams: 0,
  members: [],
};

async function problemOfReply(reply: Response): Promise<ProblemDetails> {
  expect(reply.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  return ProblemDetailsSchema.parse(await reply.json());
}

const notAsked = (): never => {
  throw new Error('not asked here');
};

let problems: Problem[];
let explained: ExplainView;
let leader: ReturnType<ApiSource['leader']>;
let fails: boolean;
let started: boolean;
let server: HttpServer;
let api: ApiSource;
const log = new RecordingLog();

beforeEach(async () => {
  problems = [];
  explained = EXPLAINED;
  leader = 'self';
  fails = false;
  started = true;
  api = {
    controls: {} as ApiSource['controls'],
    inventory: null,
    agentPings: null,
    notReady: () => problems,
    status: () => {
      if (fails) throw new Error('secret detail');
      return { coordinatorId: 'c1' } as ReturnType<ApiSource['status']>;
    },
    fleet: { fleet: notAsked, heard: notAsked, watch: notAsked },
    members: () => [],
    notEnrolled: () => [],
    keys: () => KEYS,
    explain: (member) => (member === 'prod/db1' ? explained : null),
    operate: () => Promise.reject(new Error('not asked here')),
    leader: () => leader,
    recoveries: () => ({ open: [], history: [], requests: [] }),
    holds: () => [],
    leftovers: () => [],
    events: new EventLog('/t/', () => null),
    notices: () => ({ waitingCount: 0, waiting: [], undelivered: [] }),
    enrolments: () => ({ enabled: false, enrolments: [], refused: [] }),
    enrolKey: () => Promise.resolve({ kind: 'off', text: 'off' }),
    history: () => {
      const ended = [1, 2].map((nth) => ({ opId: `op-${nth}`, endedAtWallMs: nth * 1_000 }));
      return ended as unknown as ReturnType<ApiSource['history']>;
    },
  };
  const metrics = { contentType: 'text/plain; version=0.0.4', text: async () => 'understudy_leader 1\n' };
  server = await serveApi({ api: () => (started ? api : null), metrics, log });
});
afterEach(closeServers);

const ask = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${server.port}${path}`, init);

describe('HTTP', () => {
  test('healthy always, ready only without problems, which are named', async () => {
    expect((await ask('/healthz')).status).toBe(200);
    expect((await ask('/readyz')).status).toBe(200);
    problems = [problemOf('STORE_UNAVAILABLE', 'etcd does not answer')];
    const reply = await ask('/readyz');
    expect(reply.status).toBe(503);
    expect(await reply.json()).toEqual({ ready: false, problems });
    expect((await ask('/healthz')).status).toBe(200);
  });

  test.each(['/v1/status', '/v1/members', '/v1/keys', '/v1/recoveries', '/v1/holds', '/v1/history'])(
    '%s is JSON',
    async (path) => {
      const reply = await ask(path);
      expect(reply.status).toBe(200);
      expect(reply.headers.get('content-type')).toContain('application/json');
      expect(typeof (await reply.json())).toBe('object');
    },
  );

  test('history takes a member, a bounded limit and the cursor of the page before', async () => {
    const page = async (query: string) =>
      (await (await ask(`/v1/history?${query}`)).json()) as { history: object[]; next: string };
    const first = await page('member=prod/db1&limit=1');
    expect(first.history).toEqual([{ opId: 'op-2', endedAtWallMs: 2_000 }]);
    expect(await page(`limit=1&cursor=${first.next}`)).toEqual({
      history: [{ opId: 'op-1', endedAtWallMs: 1_000 }],
      next: null,
    });
    for (const bad of ['limit=0', 'limit=1001', 'limit=many', 'limit=1.5', 'cursor=x'])
      expect((await ask(`/v1/history?${bad}`)).status, bad).toBe(400);
  });

  test('explain answers for a member it knows; another is 404, another method 405', async () => {
    expect(await (await ask('/v1/members/prod/db1/explain')).json()).toEqual(EXPLAINED);
    for (const other of ['prod/db2', 'PROD/db1', '..%2f/db1']) {
      const reply = await ask(`/v1/members/${other}/explain`);
      expect(reply.status).toBe(404);
      expect((await problemOfReply(reply)).code).toBe(other === 'prod/db2' ? 'MEMBER_UNKNOWN' : 'PATH_UNKNOWN');
    }
    expect((await ask('/v1/members/prod/db1/explain', { method: 'POST' })).status).toBe(405);
  });

  test('what Systems Manager has of its agent is told beside, and weighs nothing', async () => {
    const told = { source: 'systems manager', text: 'late', ageMs: 1, freshForMs: null, weight: 'neutral' } as const;
    const { url } = await serveApi({ api: () => ({ ...api, agentPings: { of: async () => told } }) });
    const view = (await (await fetch(`${url}/v1/members/prod/db1/explain`)).json()) as ExplainView;
    expect(view).toEqual({ ...EXPLAINED, evidence: [...EXPLAINED.evidence, told] });
  });

  test('a follower passes explain on to the leader, once, and answers itself when the leader does not', async () => {
    const follower = await serveApi({
      coordinatorId: 'c2',
      api: () => ({ ...api, explain: () => asFollower, leader: () => leads }),
    });
    const by = async () => {
      const reply = await fetch(`${follower.url}/v1/members/prod/db1/explain`);
      return ((await reply.json()) as ExplainView).answeredBy.coordinatorId;
    };
    let leads: ReturnType<ApiSource['leader']> = { coordinatorId: 'c1', httpUrl: `http://127.0.0.1:${server.port}` };
    expect(await by()).toBe('c1');
    // It believes that it follows another, so it is no leader, and passes nothing on.
    leader = { coordinatorId: 'c2', httpUrl: follower.url };
    expect(await by()).toBe('c2');
    leader = 'self';
    leads = { coordinatorId: 'c9', httpUrl: `http://127.0.0.1:${server.port}` };
    expect(await by(), 'another coordinator than the leader answers there').toBe('c2');
    leads = { coordinatorId: 'c1', httpUrl: 'http://127.0.0.1:1' };
    expect(await by()).toBe('c2');
    leads = null;
    expect(await by()).toBe('c2');
  });

  test('unknown paths are 404, other methods 405, both with the problem details of RFC 9457', async () => {
    const missing = await ask('/v2/status');
    expect(missing.status).toBe(404);
    expect(await problemOfReply(missing)).toMatchObject({
      type: '/v1/errors#PATH_UNKNOWN',
      status: 404,
      code: 'PATH_UNKNOWN',
      instance: missing.headers.get('request-id'),
      retryable: false,
    });
    const posted = await ask('/v1/status', {
      method: 'POST',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await problemOfReply(posted)).code).toBe('METHOD_NOT_ALLOWED');
  });

  test('a body nobody asked for is refused unread', async () => {
    const reply = await ask('/v1/status', { method: 'POST', body: 'x'.repeat(100_000) });
    expect([405, 413, 400]).toContain(reply.status);
    expect((await problemOfReply(reply)).code).not.toBe('INTERNAL');
  });

  test('while the process is put together only /healthz answers, the rest is 503', async () => {
    started = false;
    expect((await ask('/healthz')).status).toBe(200);
    const reply = await ask('/v1/status');
    expect([reply.status, (await problemOfReply(reply)).code]).toEqual([503, 'STARTING']);
  });

  test('a bug of ours is 500 without its detail, which is in the log', async () => {
    fails = true;
    const reply = await ask('/v1/status');
    expect(reply.status).toBe(500);
    expect(await reply.text()).not.toContain('secret detail');
    expect(log.events()).toContain('http.failed');
  });

  test('metrics are text for Prometheus', async () => {
    const reply = await ask('/metrics');
    expect(reply.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(await reply.text()).toBe('understudy_leader 1\n');
  });

  test('a port that is taken is a clear refusal', async () => {
    const second = serveApi({ port: server.port });
    await expect(second).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
