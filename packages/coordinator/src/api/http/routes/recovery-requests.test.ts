import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OperatorAnswer, OperatorCommand } from '../../../leader/operator-command.ts';
import type { ApiSource } from '../api-source.ts';
import { closeServers, OPERATOR_TOKEN, serveApi } from '../http.fixtures.ts';

const TOKEN = OPERATOR_TOKEN;
const REQUEST: (OperatorAnswer & { kind: 'accepted' })['request'] = {
  ...{ member: 'prod/db1', kind: 'replan', opId: 'op-1', by: 'ann', why: 'policy corrected', atWallMs: 1 },
  ...{ loss: null, leaveOpen: false },
};

let asked: OperatorCommand[];
let answer: OperatorAnswer;
let leader: ReturnType<ApiSource['leader']>;

beforeEach(() => {
  asked = [];
  answer = { kind: 'accepted', request: REQUEST, repeated: false };
  leader = 'self';
});
afterEach(closeServers);

async function serve(operatorToken: string | null = TOKEN): Promise<string> {
  const operate = (command: OperatorCommand) => {
    asked.push(command);
    return Promise.resolve(answer);
  };
  return (await serveApi({ operatorToken, api: { operate, leader: () => leader } })).url;
}

async function post(url: string, path: string, body: unknown, token: string | null = TOKEN) {
  const reply = await fetch(`${url}/v1/members/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await reply.text();
  return { status: reply.status, body: JSON.parse(text) as { code?: string; detail?: string } };
}

const WHO = { by: 'ann', why: 'policy corrected' };

describe('commands over HTTP', () => {
  test.each(['retry', 'replan', 'abandon', 'recover'])('%s reaches the leader, with who and why', async (kind) => {
    const reply = await post(await serve(), `prod/db1/${kind}`, WHO);
    expect(reply).toEqual({ status: 202, body: { request: REQUEST, repeated: false } });
    expect(asked).toEqual([{ member: 'prod/db1', kind, ...WHO, opId: null, loss: null, leaveOpen: false }]);
  });

  test('accept-loss names what is given up', async () => {
    const url = await serve();
    const loss = 'address:eipalloc-0123456789abcdef0';
    expect((await post(url, 'prod/db1/accept-loss', { ...WHO, loss })).status).toBe(202);
    expect(asked).toMatchObject([{ kind: 'accept-loss', loss }]);
    for (const body of [WHO, { ...WHO, loss: 'everything' }, { ...WHO, loss: 'address:vol-1' }])
      expect((await post(url, 'prod/db1/accept-loss', body)).status).toBe(400);
    expect((await post(url, 'prod/db1/retry', { ...WHO, loss })).status).toBe(400);
    expect(asked).toHaveLength(1);
  });

  test.each<[string, string | null, string | null, number, string]>([
    ['no token configured: nobody is an operator', null, TOKEN, 403, 'OPERATOR_TOKEN_MISSING'],
    ['no token shown', TOKEN, null, 401, 'UNAUTHENTICATED'],
    ['another token shown', TOKEN, 'wrong', 401, 'UNAUTHENTICATED'],
  ])('%s', async (_, configured, shown, status, code) => {
    const reply = await post(await serve(configured), 'prod/db1/abandon', WHO, shown);
    expect([reply.status, reply.body.code, asked.length]).toEqual([status, code, 0]);
  });

  test.each<[string, unknown]>([
    ['no JSON', 'abandon it'],
    ['no reason', { by: 'ann' }],
    ['an empty reason', { by: 'ann', why: '' }],
    ['a field nobody knows', { ...WHO, force: true }],
    ['a reason without end', { by: 'ann', why: 'x'.repeat(501) }],
  ])('a body with %s is refused, and nothing is asked', async (_, body) => {
    const reply = await post(await serve(), 'prod/db1/abandon', body);
    expect([reply.status, reply.body.code, asked.length]).toEqual([400, 'BAD_REQUEST', 0]);
  });

  test.each<[(OperatorAnswer & { kind: 'refused' })['code'], number]>([
    ['MEMBER_UNKNOWN', 404],
    ['NO_OPEN_RECOVERY', 409],
    ['OTHER_RECOVERY', 409],
    ['NOT_STOPPED_BY_US', 409],
    ['CHANGED', 409],
    ['UNAVAILABLE', 503],
  ])('refused by the leader as %s: %i', async (code, status) => {
    answer = { kind: 'refused', code, text: 'because' };
    const reply = await post(await serve(), 'prod/db1/retry', WHO);
    expect(reply).toMatchObject({ status, body: { code, status, detail: 'because' } });
  });

  test('a follower passes it on with its answer, once; a leader that is silent is no answer', async () => {
    const leading = await serve();
    let known: ReturnType<ApiSource['leader']> = { coordinatorId: 'c1', httpUrl: leading };
    const follower = await serveApi({ coordinatorId: 'c2', api: { leader: () => known } });
    expect((await post(follower.url, 'prod/db1/replan', WHO)).status).toBe(202);
    expect(asked).toHaveLength(1);
    // It believes that it follows, too. What was passed on is not passed on again.
    leader = { coordinatorId: 'c2', httpUrl: follower.url };
    expect((await post(follower.url, 'prod/db1/replan', WHO)).body.code).toBe('NOT_LEADER');
    known = { coordinatorId: 'c1', httpUrl: 'http://127.0.0.1:1' };
    const reply = await post(follower.url, 'prod/db1/replan', WHO);
    expect([reply.status, reply.body.code, asked.length]).toEqual([503, 'LEADER_SILENT', 1]);
    known = null;
    expect((await post(follower.url, 'prod/db1/replan', WHO)).body.code).toBe('NO_LEADER');
  });

  test('GET on a command, and a command nobody knows', async () => {
    const url = await serve();
    const read = await fetch(`${url}/v1/members/prod/db1/abandon`);
    expect([read.status, read.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await post(url, 'prod/db1/explode', WHO)).status).toBe(404);
    expect((await post(url, 'PROD/db1/abandon', WHO)).status).toBe(404);
  });
});
