import type { ExplainView } from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { RecordingLog } from '@understudy/shared/testing';
import { afterEach, describe, expect, test } from 'vitest';
import type { ApiSource } from '../api-source.ts';
import { callerOf } from '../caller.ts';
import { type HttpServer, startHttpServer } from '../server.ts';

const TOKEN = 'a'.repeat(32);
const SECRET = 'root password: hunter2';

const viewOf = (coordinatorId: string, leader: boolean): ExplainView => ({
  ...{ member: 'prod/db1', instanceId: 'i-1', incarnation: 1, az: 'a', atWallMs: 1, unknownHere: [], degraded: false },
  answeredBy: { coordinatorId, leader, term: leader ? 7 : null },
  openRecovery: null,
  readinessProblems: [],
  ...{ verdict: 'dead', reasonCode: 'SilentEverywhere', reason: 'silent', evidence: [], gates: [], wouldFlip: [] },
  judged: { standing: 'current', by: 'c1', term: 7, verdict: 'dead', ageMs: 10, sinceWallMs: 1 },
  ...{ ownView: null, lookAgainInMs: 1, hold: null, recovery: null, changes: [] },
  decision: { kind: 'none', reason: null, text: 'none', untilWallMs: null },
  console: { instanceId: 'i-1', capturedAtWallMs: 5, text: SECRET },
});

const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(operatorToken: string | null, leaderUrl: string | null = null): Promise<string> {
  const api = { explain: () => viewOf(leaderUrl ? 'c2' : 'c1', leaderUrl === null), leaderUrl: () => leaderUrl };
  const server = await startHttpServer({
    ...{
      host: '127.0.0.1',
      port: 0,
      operatorToken,
      clock: new SystemClock(),
      random: new SystemRandom(),
      log: new RecordingLog(),
    },
    api: () => api as unknown as ApiSource,
    metrics: () => null,
  });
  servers.push(server);
  return `http://127.0.0.1:${server.port}`;
}

async function ask(url: string, authorization?: string) {
  const headers = authorization === undefined ? {} : { authorization };
  const reply = await fetch(`${url}/v1/members/prod/db1/explain`, { headers });
  const text = await reply.text();
  return { status: reply.status, text, body: JSON.parse(text) as ExplainView };
}

describe('console output of a dead machine', () => {
  test('is shown to whoever shows the token, and to nobody else', async () => {
    const url = await serve(TOKEN);
    expect((await ask(url, `Bearer ${TOKEN}`)).body.console?.text).toBe(SECRET);
    const stranger = await ask(url);
    expect(stranger.status).toBe(200);
    expect(stranger.body.console).toEqual({ instanceId: 'i-1', capturedAtWallMs: 5, text: null });
    expect(stranger.text).not.toContain('hunter2');
  });

  test('a wrong token is refused, and so is every token where none is set', async () => {
    const refused = [
      await ask(await serve(TOKEN), `Bearer ${'b'.repeat(32)}`),
      await ask(await serve(null), 'Bearer '),
    ];
    for (const { status, text } of refused) {
      expect(status).toBe(401);
      expect(text).toContain('UNAUTHENTICATED');
      expect(text).not.toContain('hunter2');
    }
    expect((await ask(await serve(null))).text).not.toContain('hunter2');
  });

  test('a follower shows the operator what the leader has, and a stranger nothing of it', async () => {
    const leader = await serve(TOKEN);
    const follower = await serve(TOKEN, leader);
    const operator = await ask(follower, `Bearer ${TOKEN}`);
    expect([operator.body.answeredBy.coordinatorId, operator.body.console?.text]).toEqual(['c1', SECRET]);
    const stranger = await ask(follower);
    expect(stranger.body.answeredBy.coordinatorId).toBe('c1');
    expect(stranger.text).not.toContain('hunter2');
  });
});

describe('the Authorization header', () => {
  test.each([
    [undefined, 'anybody'],
    [`Bearer ${TOKEN}`, 'operate'],
    [`bearer  ${TOKEN} `, 'operate'],
  ] as const)('%s: %s', (authorization, role) => {
    expect(callerOf(authorization, TOKEN).role).toBe(role);
  });

  test.each([`Bearer ${TOKEN}x`, `Basic ${TOKEN}`, TOKEN, ''])('%s is refused', (authorization) => {
    expect(() => callerOf(authorization, TOKEN)).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
  });
});
