import type { ExplainView } from '@understudy/shared';
import { afterEach, describe, expect, test } from 'vitest';
import { closeServers, serveApi } from '../http.fixtures.ts';

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

afterEach(closeServers);

async function serve(operatorToken: string | null, leaderUrl: string | null = null): Promise<string> {
  const [coordinatorId, leader] =
    leaderUrl === null ? ['c1', 'self' as const] : ['c2', { coordinatorId: 'c1', httpUrl: leaderUrl }];
  const explain = () => viewOf(coordinatorId, leaderUrl === null);
  return (await serveApi({ coordinatorId, operatorToken, api: { explain, leader: () => leader } })).url;
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
