import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seedInstance } from '@understudy/cloud-sim';
import { makeToken, tokenLine } from '@understudy/shared';
import { SystemRandom, until } from '@understudy/shared/node';
import { parse, stringify } from 'yaml';
import { expect, test } from 'vitest';
import { type ApiDocument, type ApiOperation, contractFault, type Received } from './api-contract.ts';
import { clusterPerTest } from './cluster-per-test.ts';

const now = clusterPerTest();
const random = new SystemRandom();
const reader = makeToken(random, { name: 'reader', role: 'read' });
const operator = makeToken(random, { name: 'commander', role: 'operate' });
const MEMBER = { group: 'prod', name: 'db1', coordinator: 'c1', file: 'none.js', id: 'none' };
/** What a command needs beside its reason. */
const BODIES: Readonly<Record<string, object>> = {
  logIn: { token: reader.token },
  acceptLoss: { loss: 'volume:vol-1' },
};

/** A coordinator of its own, which knows these tokens and nobody else. */
async function start() {
  const { sim } = await now.cluster.startCloud();
  seedInstance(sim, { member: 'prod/db1', userData: 'x' });
  const { path, httpPort } = await now.cluster.config(0, now.etcd.hosts, 1);
  now.cluster.followMachines();
  const tokensFile = join(now.cluster.dir, 'tokens.yaml');
  writeFileSync(tokensFile, `tokens:\n${tokenLine(reader.entry)}\n${tokenLine(operator.entry)}\n`);
  const config = parse(readFileSync(path, 'utf8')) as { http: object };
  writeFileSync(path, stringify({ ...config, http: { ...config.http, anonymous: 'none', tokensFile } }));
  now.cluster.start(path, httpPort);
  const url = `http://127.0.0.1:${httpPort}`;
  const headers = { authorization: `Bearer ${reader.token}` };
  const alive = async () => {
    const reply = await fetch(`${url}/v1/members`, { headers }).catch(() => null);
    return reply?.ok === true && (await reply.text()).includes('"verdict":"alive"');
  };
  await until('its member is alive', alive);
  return url;
}

interface Try {
  readonly token?: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly name?: string;
  readonly query?: string;
}

async function send(url: string, method: string, template: string, one: Try): Promise<Received> {
  const named = { ...MEMBER, ...(one.name === undefined ? {} : { name: one.name }) };
  const path = template.replaceAll(/\{(\w+)\}/g, (_, part: string) => String(Reflect.get(named, part) ?? 'x'));
  const limit = new AbortController();
  const reply = await fetch(`${url}${path}${one.query ?? ''}`, {
    method,
    signal: limit.signal,
    headers: {
      ...(one.token === undefined ? {} : { authorization: `Bearer ${one.token}` }),
      ...(one.body === undefined ? {} : { 'content-type': one.contentType ?? 'application/json' }),
    },
    ...(one.body === undefined ? {} : { body: one.body }),
  });
  const mediaType = (reply.headers.get('content-type') ?? '').split(';')[0] ?? '';
  const isStream = mediaType === 'text/event-stream';
  const body = isStream ? '' : await reply.text();
  if (isStream) limit.abort();
  return { status: reply.status, mediaType, body };
}

/** Requests of every kind: good ones, by whom may not, and such as do not fit. */
function triesOf({ operationId, requestBody, parameters = [] }: ApiOperation): readonly Try[] {
  const body = JSON.stringify({ by: 'ann', why: 'to see', ...BODIES[operationId] });
  const reason = JSON.stringify({ reason: 'to see', ...BODIES[operationId] });
  const good = requestBody === undefined ? [{}] : [{ body }, { body: reason }];
  const [token, takesName] = [operator.token, parameters.some(({ name }) => name === 'name')];
  return [
    ...good,
    ...good.map((one) => ({ ...one, token: reader.token })),
    ...good.map((one) => ({ ...one, token })),
    { ...good[0], token: 'us_wrong' },
    ...(requestBody === undefined
      ? []
      : [
          { token, body: '{"colour":' },
          { token, body: '[]' },
          { token, body, contentType: 'text/plain' },
        ]),
    ...(requestBody === undefined ? [] : [{ token, body: `"${'x'.repeat(300_000)}"` }]),
    ...(takesName
      ? [
          { ...good[0], token, name: 'nobody' },
          { ...good[0], token, name: 'UPPER' },
        ]
      : []),
    ...(parameters.some(({ in: place }) => place === 'query') ? [{ token, query: '?colour=red' }] : []),
  ];
}

test('every operation of the description answers as described, to good requests and to bad ones', async () => {
  const url = await start();
  const described = await fetch(`${url}/v1/openapi.json`, { headers: { authorization: `Bearer ${reader.token}` } });
  const document = (await described.json()) as ApiDocument;
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  expect(operations.length).toBeGreaterThan(25);
  const faults: string[] = [];
  const statuses = new Map<string, Set<number>>();
  for (const { path, method, operation } of operations) {
    const seen = new Set<number>();
    statuses.set(operation.operationId, seen);
    for (const one of triesOf(operation)) {
      const received = await send(url, method, path, one);
      seen.add(received.status);
      const fault = contractFault(document, operation, received);
      if (fault !== null) faults.push(`${method} ${path} ${JSON.stringify(one).slice(0, 120)}: ${fault}`);
    }
  }
  expect(faults).toEqual([]);
  for (const { method, path, operation } of operations) {
    const seen = statuses.get(operation.operationId) ?? new Set();
    if (operation.security.length > 0) expect([path, seen.has(401)], 'nobody known is let in').toEqual([path, true]);
    if (method === 'GET') expect([path, [...seen].some((status) => status < 500)]).toEqual([path, true]);
  }
  const answered = [...statuses].filter(([, seen]) => [...seen].some((status) => status < 300));
  console.log(
    `${operations.length} operations, ${answered.length} carried out, ${[...statuses.values()].reduce((sum, seen) => sum + seen.size, 0)} kinds of answers`,
  );
  expect(answered.length).toBeGreaterThan(20);
}, 120_000);

test('an answer that is not as described is caught', async () => {
  const url = await start();
  const headers = { authorization: `Bearer ${reader.token}` };
  const document = (await (await fetch(`${url}/v1/openapi.json`, { headers })).json()) as ApiDocument;
  const operation = document.paths['/v1/status']?.get;
  if (!operation) throw new Error('status is described');
  const received = await send(url, 'GET', '/v1/status', { token: reader.token });
  expect(contractFault(document, operation, received)).toBeNull();
  const body = JSON.parse(received.body) as Record<string, unknown>;
  const { counts: _, ...without } = body;
  const wrong: readonly Partial<Received>[] = [
    { body: JSON.stringify({ ...body, isLeader: 'yes' }) },
    { body: JSON.stringify(without) },
    { body: JSON.stringify({ ...body, coordinators: [{}] }) },
    { status: 418 },
    { mediaType: 'text/html' },
    { status: 401, mediaType: 'application/problem+json', body: '{"error":{"code":"X"}}' },
  ];
  for (const over of wrong) expect(contractFault(document, operation, { ...received, ...over })).not.toBeNull();
}, 120_000);
