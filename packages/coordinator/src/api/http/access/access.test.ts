import { makeToken, problemOf, type TokenEntry } from '@understudy/shared';
import { SystemRandom } from '@understudy/shared/node';
import { SimClock } from '@understudy/shared/testing';
import { afterEach, describe, expect, test } from 'vitest';
import type { OperatorCommand } from '../../../leader/operator-command.ts';
import { ClusterKeys } from '../cluster-keys.ts';
import { closeServers, MASTERS, OPERATOR_TOKEN, serveApi, type ServeOptions } from '../http.fixtures.ts';
import { SESSION_MS } from './sessions.ts';
import { subjectsOf } from './certificates.ts';
import { TokenBook } from './token-book.ts';

afterEach(closeServers);

const random = new SystemRandom();
const make = (wanted: Partial<TokenEntry> = {}) => makeToken(random, { name: 'ann', role: 'read', ...wanted });
const reader = make();
const operator = make({ name: 'bob', role: 'operate' });
const ofDb = make({ name: 'team db', role: 'operate', groups: ['db'] });
const scraper = make({ name: 'prometheus', role: 'metrics' });
const entries = [reader, operator, ofDb, scraper].map(({ entry }) => entry);

const WHO = { by: 'ann', why: 'policy corrected' };
let asked: OperatorCommand[] = [];
const api = {
  status: () => ({ coordinatorId: 'c1' }) as never,
  leader: () => 'self' as const,
  operate: (command: OperatorCommand) => {
    asked.push(command);
    return Promise.resolve({ kind: 'accepted', request: {}, repeated: false } as never);
  },
};
const serve = (options: ServeOptions = {}) => {
  asked = [];
  const metrics = { contentType: 'text/plain', text: async () => 'up 1\n' };
  return serveApi({
    api,
    metrics,
    entries,
    operatorToken: null,
    ...options,
    access: { anonymous: 'none', ...options.access },
  });
};

interface Sent {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}
async function ask(url: string, path: string, { method = 'GET', token, headers = {}, body }: Sent = {}) {
  const reply = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await reply.text();
  const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: reply.status, code: json.code ?? null, json, headers: reply.headers };
}
const retry = (url: string, member: string, sent: Sent) =>
  ask(url, `/v1/members/${member}/retry`, { method: 'POST', body: WHO, ...sent });

describe('who may ask what', () => {
  test.each<[string, string | undefined, Record<string, number>]>([
    [
      'nobody',
      undefined,
      { '/healthz': 200, '/metrics': 401, '/v1/status': 401, '/v1/events': 401, '/v1/openapi.json': 401 },
    ],
    ['metrics', scraper.token, { '/healthz': 200, '/metrics': 200, '/v1/status': 403, '/v1/session': 200 }],
    ['read', reader.token, { '/metrics': 200, '/v1/status': 200, '/v1/errors': 200 }],
    ['operate', operator.token, { '/metrics': 200, '/v1/status': 200 }],
  ])('%s', async (_, token, expected) => {
    const { url } = await serve();
    for (const [path, status] of Object.entries(expected))
      expect([path, (await ask(url, path, token === undefined ? {} : { token })).status]).toEqual([path, status]);
  });

  test.each([
    ['none', [401, 401]],
    ['metrics', [200, 401]],
    ['read', [200, 200]],
  ] as const)('nobody, where http.anonymous is %s', async (anonymous, expected) => {
    const { url } = await serve({ access: { anonymous } });
    expect([(await ask(url, '/metrics')).status, (await ask(url, '/v1/status')).status]).toEqual(expected);
    expect((await retry(url, 'db/a', {})).status, 'a command').toBe(401);
  });

  test('commands need the role operate, and the right group', async () => {
    const { url } = await serve();
    expect((await retry(url, 'web/a', { token: reader.token })).code).toBe('FORBIDDEN');
    expect((await retry(url, 'web/a', { token: ofDb.token })).code).toBe('OTHER_GROUP');
    expect(asked).toEqual([]);
    expect((await retry(url, 'db/a', { token: ofDb.token })).status).toBe(202);
    expect((await retry(url, 'web/a', { token: operator.token })).status).toBe(202);
    expect(asked.map(({ member }) => member)).toEqual(['db/a', 'web/a']);
  });

  test('a wrong, a mangled and an expired token are refused, also where nobody is let in; health is told', async () => {
    const clock = new SimClock();
    const expires = new Date(clock.wallMs() + 60_000).toISOString();
    const soon = make({ expires });
    const { url } = await serve({ clock, entries: [...entries, soon.entry], access: { anonymous: 'read' } });
    const other = make().token;
    const mangled = `${reader.token.slice(0, -1)}${reader.token.endsWith('A') ? 'B' : 'A'}`;
    for (const token of [other, mangled, `${reader.token}x`, 'us_', reader.entry.sha256, 'x'.repeat(5_000)])
      expect((await ask(url, '/v1/status', { token })).status, token).toBe(401);
    expect((await ask(url, '/healthz', { token: other })).status).toBe(200);
    expect((await ask(url, '/v1/status', { token: soon.token })).status).toBe(200);
    await clock.advance(60_000);
    expect((await ask(url, '/v1/status', { token: soon.token })).code).toBe('UNAUTHENTICATED');
  });

  test('why a coordinator is not ready is told to readers; others learn its code and the remedy', async () => {
    const problem = problemOf('STORE_UNAVAILABLE', 'etcd at 10.0.0.9 does not answer');
    const { url } = await serve({ api: { ...api, notReady: () => [problem] } });
    const told = async (token?: string) => {
      const { status, json } = await ask(url, '/readyz', token === undefined ? {} : { token });
      return [status, json.problems];
    };
    const { code, remedy } = problem;
    const bare = [503, [{ code, remedy, text: 'told to callers with the role read' }]];
    for (const token of [undefined, scraper.token, make().token]) expect(await told(token), token).toEqual(bare);
    expect(await told(reader.token)).toEqual([503, [problem]]);
  });

  test('a token in a query string is no token', async () => {
    const { url } = await serve();
    expect((await ask(url, `/v1/status?token=${reader.token}`)).status).toBe(401);
    expect((await ask(url, `/v1/status?access_token=${reader.token}`)).status).toBe(401);
  });

  test('who asks too often is told to wait, and nobody else; wrong tokens shut no good one out', async () => {
    const clock = new SimClock();
    const limits = { connections: 256, connectionsPerAddress: 64, headersTimeoutMs: 5_000, requestsPerMinute: 20 };
    const { url } = await serve({ clock, limits });
    const statusOf = async (token: string) => (await ask(url, '/v1/status', { token })).status;
    for (let count = 0; count < 10; count++) expect(await statusOf(reader.token)).toBe(200);
    const refused = await ask(url, '/v1/status', { token: reader.token });
    expect([refused.status, refused.code, refused.headers.get('retry-after')]).toEqual([429, 'RATE_LIMITED', '3']);
    expect(await statusOf(operator.token)).toBe(200);
    await clock.advance(3_000);
    expect(await statusOf(reader.token)).toBe(200);
    const guesses = [];
    for (let count = 0; count < 40; count++) guesses.push(await statusOf(make().token));
    expect([guesses[0], guesses.at(-1)]).toEqual([401, 429]);
    expect(await statusOf(operator.token)).toBe(200);
    expect((await ask(url, '/healthz')).status).toBe(200);
  });
});

test('wrong tokens shown to begin a session are counted like all others', async () => {
  const { url } = await serve({ clock: new SimClock() });
  const logIn = (token: string) => ask(url, '/v1/session', { method: 'POST', body: { token } });
  const guesses = [];
  for (let count = 0; count < 40; count++) guesses.push((await logIn(make().token)).status);
  expect([guesses[0], guesses[29], guesses[30], guesses.at(-1)]).toEqual([401, 401, 429, 429]);
  expect((await ask(url, '/v1/status', { token: make().token })).status, 'as a header').toBe(429);
  expect((await logIn(reader.token)).status, 'a good one').toBe(200);
});

describe('sessions', () => {
  const begin = async (url: string, token: string) => {
    const reply = await ask(url, '/v1/session', { method: 'POST', body: { token } });
    const cookie = reply.headers.get('set-cookie') ?? '';
    return { ...reply, setCookie: cookie, cookie: cookie.split(';')[0] ?? '', csrf: String(reply.json.csrf) };
  };
  const send = (url: string, cookie: string, headers: Record<string, string> = {}) =>
    retry(url, 'db/a', { headers: { cookie, ...headers } });

  test('a token begins one; the cookie reads at every coordinator, and commands with its own csrf value', async () => {
    const [one, other] = [await serve(), await serve({ coordinatorId: 'c2' })];
    const { status, json, setCookie, cookie, csrf } = await begin(one.url, operator.token);
    expect([status, json.name, json.via]).toEqual([200, 'bob', 'session']);
    expect(setCookie).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect(setCookie).not.toContain(operator.token);
    for (const { url } of [one, other]) {
      expect((await ask(url, '/v1/status', { headers: { cookie } })).status).toBe(200);
      expect((await ask(url, '/v1/session', { headers: { cookie } })).json.csrf).toBe(csrf);
      expect((await send(url, cookie, { 'understudy-csrf': csrf })).status).toBe(202);
    }
    expect((await begin(one.url, make().token)).status).toBe(401);
  });

  test('over TLS the cookie is bound to the host', async () => {
    const { url } = await serve({ access: { isSecure: true } });
    const { setCookie, cookie } = await begin(url, reader.token);
    expect(setCookie).toMatch(
      /^__Host-understudy-session=[^;]+; Path=\/; Max-Age=(?:28800|28799); HttpOnly; SameSite=Strict; Secure$/,
    );
    expect((await ask(url, '/v1/status', { headers: { cookie } })).status).toBe(200);
  });

  test.each<[string, (own: string, other: string) => Record<string, string>, string]>([
    ['no csrf header', () => ({}), 'CSRF_MISSING'],
    ['an empty csrf header', () => ({ 'understudy-csrf': '' }), 'CSRF_MISSING'],
    ["another session's csrf value", (_, other) => ({ 'understudy-csrf': other }), 'CSRF_MISSING'],
    ['another origin', (own) => ({ 'understudy-csrf': own, origin: 'https://evil.example' }), 'CROSS_ORIGIN'],
    ['an origin that is none', (own) => ({ 'understudy-csrf': own, origin: 'null' }), 'CROSS_ORIGIN'],
    ['another site', (own) => ({ 'understudy-csrf': own, 'sec-fetch-site': 'cross-site' }), 'CROSS_ORIGIN'],
    ['another host of the site', (own) => ({ 'understudy-csrf': own, 'sec-fetch-site': 'same-site' }), 'CROSS_ORIGIN'],
  ])('a command by cookie with %s is refused', async (_, headers, code) => {
    const { url } = await serve();
    const [own, other] = [await begin(url, operator.token), await begin(url, operator.token)];
    expect(await send(url, own.cookie, headers(own.csrf, other.csrf))).toMatchObject({ status: 403, code });
    expect(asked).toEqual([]);
    expect((await send(url, own.cookie, { 'understudy-csrf': own.csrf, origin: url })).status).toBe(202);
  });

  test('nor does a page of another site log anybody in or out', async () => {
    const { url } = await serve();
    const headers = { 'sec-fetch-site': 'cross-site' };
    const login = await ask(url, '/v1/session', { method: 'POST', body: { token: reader.token }, headers });
    expect([login.code, login.headers.get('set-cookie')]).toEqual(['CROSS_ORIGIN', null]);
    const { cookie, csrf } = await begin(url, reader.token);
    expect((await ask(url, '/v1/session', { method: 'DELETE', headers: { cookie } })).code).toBe('CSRF_MISSING');
    const out = await ask(url, '/v1/session', { method: 'DELETE', headers: { cookie, 'understudy-csrf': csrf } });
    expect([out.status, out.headers.get('set-cookie')]).toEqual([204, expect.stringContaining('Max-Age=0')]);
  });

  test('a cookie that was tampered with, or is signed with another master secret, is none', async () => {
    const { url } = await serve();
    const { cookie } = await begin(url, reader.token);
    const [name = '', value = ''] = cookie.split(/=(.*)/s);
    const [payload = '', signature = ''] = value.split('~');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Record<string, unknown>;
    const forged = Buffer.from(JSON.stringify({ ...claims, callerId: operator.entry.id })).toString('base64url');
    const foreign = new ClusterKeys(new Map([[1, new Uint8Array(32).fill(9)]])).sign('session', payload);
    const asPeer = new ClusterKeys(MASTERS).sign('peer', payload);
    const spoiled = [
      `${forged}~${signature}`,
      `${payload}~${foreign}`,
      `${payload}~${asPeer}`,
      payload,
      `${payload}~`,
      '~',
    ];
    for (const text of spoiled)
      expect((await ask(url, '/v1/status', { headers: { cookie: `${name}=${text}` } })).status, text).toBe(401);
    expect((await ask(url, '/v1/status', { headers: { cookie } })).status).toBe(200);
  });

  test('it ends after 8 h, and before that with its token', async () => {
    const clock = new SimClock();
    let tokens = { entries, operatorTokenHash: null };
    const { url } = await serve({ clock, tokens: () => tokens });
    const { cookie } = await begin(url, reader.token);
    const statusOf = async () => (await ask(url, '/v1/status', { headers: { cookie } })).status;
    await clock.advance(SESSION_MS - 1_000);
    expect(await statusOf()).toBe(200);
    await clock.advance(1_000);
    expect(await statusOf()).toBe(401);
    const again = await begin(url, reader.token);
    const asAgain = async () => (await ask(url, '/v1/status', { headers: { cookie: again.cookie } })).status;
    for (const changed of [
      [],
      [{ ...reader.entry, role: 'operate' as const }],
      [{ ...reader.entry, sha256: operator.entry.sha256 }],
    ]) {
      tokens = { entries: changed, operatorTokenHash: null };
      expect(await asAgain()).toBe(401);
      tokens = { entries, operatorTokenHash: null };
      expect(await asAgain()).toBe(200);
    }
  });
});

describe('the book of tokens', () => {
  test('finds by id and hash, and the operator token beside them', () => {
    const book = new TokenBook({ entries, operatorTokenHash: null });
    expect(book.find(reader.token)?.caller).toMatchObject({
      id: `token:${reader.entry.id}`,
      name: 'ann',
      role: 'read',
    });
    expect(book.find(OPERATOR_TOKEN)).toBeNull();
    expect([
      book.hasOperators,
      new TokenBook({ entries: [reader.entry], operatorTokenHash: null }).hasOperators,
    ]).toEqual([true, false]);
  });

  test('an empty book knows nobody, whatever is shown', () => {
    const book = new TokenBook({ entries: [], operatorTokenHash: null });
    for (const token of ['', 'us_', reader.token]) expect(book.find(token)).toBeNull();
  });
});

test.each<[string | undefined, string | undefined, readonly string[]]>([
  ['CN=ann', undefined, ['CN=ann']],
  ['O=x\nCN=ann', undefined, ['CN=ann']],
  ['CN=ann\nCN=root', undefined, []],
  ['CN=root', 'DNS:deploy.example, URI:spiffe://x', ['DNS:deploy.example', 'URI:spiffe://x']],
  ['CN=root', 'DNS:"a, DNS:deploy.example"', []],
  [undefined, undefined, []],
])('a certificate of %j with %j names %j', (subject, alternative, expected) => {
  expect(subjectsOf(subject, alternative)).toEqual(expected);
});
