import { request } from 'node:http';
import { makeToken } from '@understudy/shared';
import { SystemRandom } from '@understudy/shared/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Asked, CommandAnswer, CommandDecision } from '../../../commands/command.ts';
import type { Controls } from '../../controls.ts';
import { closeServers, OPERATOR_TOKEN, serveApi } from '../http.fixtures.ts';

let asked: Asked[];
let answer: CommandAnswer;

const done: CommandAnswer = {
  ...{ kind: 'done', command: 'pause', text: 'paused', auditId: 'a-1', repeated: false, result: { x: 1 } },
};

beforeEach(() => {
  asked = [];
  answer = done;
});
afterEach(closeServers);

async function serve(): Promise<string> {
  const controls: Partial<Controls> = {
    command: (one) => {
      asked.push(one);
      return Promise.resolve(answer);
    },
    previewed: (one): CommandDecision => {
      asked.push(one);
      return { kind: 'unchanged', text: 'would be so', result: {} };
    },
    policies: () => [{ group: 'db', revision: 7, own: {}, effective: { guard: {} }, refused: null }],
    audit: (limit, before) => ({ entries: [], next: `${limit} ${before}` }),
  };
  const api = { controls: controls as Controls, leader: () => 'self' as const };
  return (await serveApi({ api })).url;
}

async function send(path: string, body: object, more: Record<string, string> = {}, method = 'POST') {
  const reply = await fetch(`${await serve()}${path}`, {
    method,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${OPERATOR_TOKEN}`, ...more },
    body: JSON.stringify(body),
  });
  return {
    status: reply.status,
    etag: reply.headers.get('etag'),
    body: (await reply.json()) as Record<string, unknown>,
  };
}

const WHY = { reason: 'a test' };
const OF_DB1 = '/v1/members/db/one';

describe('a command over HTTP', () => {
  test.each<[string, object, object]>([
    ['/v1/pause', { untilWallMs: 5 }, { kind: 'pause', scope: 'global', untilWallMs: 5, replaces: null }],
    ['/v1/groups/db/pause', {}, { kind: 'pause', scope: 'group/db', untilWallMs: null, replaces: null }],
    [`${OF_DB1}/pause`, { replaces: 3 }, { kind: 'pause', scope: 'member/db/one', untilWallMs: null, replaces: 3 }],
    ['/v1/resume', {}, { kind: 'resume', scope: 'global', revision: null }],
    ['/v1/groups/db/resume', { revision: 4 }, { kind: 'resume', scope: 'group/db', revision: 4 }],
    [`${OF_DB1}/hold/release`, { revision: 9 }, { kind: 'release-hold', member: 'db/one', revision: 9 }],
    [`${OF_DB1}/acknowledge`, { opId: 'op-1' }, { kind: 'acknowledge', member: 'db/one', opId: 'op-1' }],
    ['/v1/coordinators/c2/drain', {}, { kind: 'drain', coordinatorId: 'c2', untilWallMs: null, override: false }],
    ['/v1/coordinators/c2/undrain', {}, { kind: 'undrain', coordinatorId: 'c2', revision: null }],
    ['/v1/leader/transfer', { to: 'c3' }, { kind: 'transfer', to: 'c3' }],
  ])('POST %s', async (path, body, command) => {
    const reply = await send(path, { ...WHY, ...body }, { 'idempotency-key': 'k' });
    expect(reply).toMatchObject({ status: 200, body: { command: 'pause', auditId: 'a-1', dryRun: false } });
    expect(asked).toMatchObject([{ command, reason: 'a test', idempotencyKey: 'k' }]);
    expect(asked[0]?.caller.from).toContain('127.0.0.1');
    expect(asked[0]?.caller.identity).not.toBe('');
  });

  test('that is only tried says so', async () => {
    const reply = await send('/v1/pause', { ...WHY, dryRun: true });
    expect(reply.body).toMatchObject({ dryRun: true, auditId: null, text: 'would be so' });
  });

  test('without a reason is refused, and nothing is asked', async () => {
    expect((await send('/v1/pause', {})).status).toBe(400);
    expect((await send('/v1/pause', { ...WHY, force: true })).status).toBe(400);
    expect(asked).toEqual([]);
  });

  test('that is refused says why, and what is there now', async () => {
    const facts = { revision: 8, policy: { guard: { cooldownMs: 1 } } };
    answer = { kind: 'refused', code: 'REVISION_STALE', text: 'changed meanwhile', detail: facts };
    const reply = await send('/v1/groups/db/policy', { ...WHY, policy: {} }, { 'if-match': '"7"' }, 'PUT');
    expect(reply).toMatchObject({ status: 412, etag: '"8"', body: { code: 'REVISION_STALE', facts } });
    expect(asked[0]?.command).toEqual({ kind: 'apply-policies', groups: [{ group: 'db', policy: {}, revision: 7 }] });
  });

  test('that changes what others change, too, names what it was made from', async () => {
    expect((await send('/v1/groups/db/policy', { ...WHY, policy: {} }, {}, 'PUT')).status).toBe(428);
    expect((await send('/v1/groups/db/policy/reset', WHY)).status).toBe(428);
    await send('/v1/groups/db/policy/reset', WHY, { 'if-match': '"7"' });
    expect(asked.map((one) => one.command)).toEqual([{ kind: 'reset-policy', group: 'db', revision: 7 }]);
  });

  test('of several policies goes as one', async () => {
    const groups = [{ group: 'db', policy: { guard: { cooldownMs: 1 } }, revision: 7 }];
    await send('/v1/policies', { ...WHY, groups });
    expect(asked.map((one) => one.command)).toEqual([{ kind: 'apply-policies', groups }]);
  });
});

test('passed on by a follower, it says from which address it was asked, and who passed it on', async () => {
  const leading = await serve();
  const leader = { coordinatorId: 'c1', httpUrl: leading };
  const follower = await serveApi({ coordinatorId: 'c2', host: '127.0.0.2', api: { leader: () => leader } });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${OPERATOR_TOKEN}` };
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const own = { host: '127.0.0.2', port: follower.port, localAddress: '127.0.0.3' };
  const sent = request({ ...own, method: 'POST', path: '/v1/pause', headers }, (reply) => {
    reply.resume();
    resolve(reply.statusCode ?? 0);
  });
  sent.on('error', reject).end(JSON.stringify({ ...WHY, untilWallMs: null }));
  expect(await promise).toBe(200);
  expect(asked[0]?.caller).toMatchObject({ identity: 'operator', from: '127.0.0.3 (by c2)' });
});

test('the policy of a group has the ETag that a change names; one that is not there is 404', async () => {
  const url = await serve();
  const reply = await fetch(`${url}/v1/groups/db/policy`);
  expect([reply.status, reply.headers.get('etag')]).toEqual([200, '"7"']);
  expect((await fetch(`${url}/v1/groups/web/policy`)).status).toBe(404);
});

test('the audit log is read in pages', async () => {
  const url = await serve();
  expect(await (await fetch(`${url}/v1/audit?limit=5&before=x`)).json()).toEqual({ entries: [], next: '5 x' });
  expect((await fetch(`${url}/v1/audit?limit=501`)).status).toBe(400);
});

test('who may command one group commands nothing else, and is named in what it does', async () => {
  const { token, entry } = makeToken(new SystemRandom(), { name: 'team db', role: 'operate', groups: ['db'] });
  const controls: Partial<Controls> = {
    command: (one) => {
      asked.push(one);
      return Promise.resolve(answer);
    },
  };
  const api = { controls: controls as Controls, leader: () => 'self' as const };
  const { url } = await serveApi({ api, entries: [entry] });
  const post = async (path: string) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    return (await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(WHY) })).status;
  };
  const refused = ['/v1/pause', '/v1/groups/web/pause', '/v1/leader/transfer', '/v1/coordinators/c1/drain'];
  for (const path of refused) expect([path, await post(path)]).toEqual([path, 403]);
  expect(asked).toEqual([]);
  expect([await post('/v1/groups/db/pause'), await post('/v1/members/db/one/pause')]).toEqual([200, 200]);
  expect(asked.map((one) => one.caller.identity)).toEqual(['team db', 'team db']);
});
