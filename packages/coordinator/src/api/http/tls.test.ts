import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@understudy/shared/node';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CertificateRole } from './access/certificates.ts';
import { closeServers, serveApi } from './http.fixtures.ts';
import type { ServerTls } from './server.ts';

const HAS_OPENSSL = spawnSync('openssl', ['version']).status === 0;
const CLIENTS: readonly CertificateRole[] = [
  { subject: 'DNS:deploy.example', name: 'deploy', role: 'operate', groups: ['web'] },
  { subject: 'CN=grafana', name: 'grafana', role: 'read' },
];

let folder: string;
const path = (name: string) => join(folder, name);
const openssl = (...arguments_: readonly string[]) =>
  execFileSync('openssl', arguments_, { cwd: folder, stdio: 'ignore' });
const pem = (name: string): Buffer => readFileSync(path(name));

function authority(name: string): void {
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`);
  openssl('req', '-x509', '-new', '-key', `${name}.key`, '-out', `${name}.pem`, '-days', '2', '-subj', `/CN=${name}`);
}
function certificate(name: string, ca: string, subject: string, names: string | null): void {
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`);
  openssl('req', '-new', '-key', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
  writeFileSync(path(`${name}.ext`), names === null ? 'keyUsage=digitalSignature' : `subjectAltName=${names}`);
  const signed = [
    '-CA',
    `${ca}.pem`,
    '-CAkey',
    `${ca}.key`,
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    `${name}.ext`,
  ];
  openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.pem`);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-tls-'));
  if (!HAS_OPENSSL) return;
  for (const name of ['ca', 'clients', 'others']) authority(name);
  for (const name of ['c1', 'c1-new']) certificate(name, 'ca', '/CN=c1', 'IP:127.0.0.1');
  certificate('deploy', 'clients', '/CN=nobody', 'DNS:deploy.example');
  certificate('grafana', 'clients', '/CN=grafana', null);
  certificate('stranger', 'clients', '/CN=grafana', 'DNS:stranger.example');
  certificate('forged', 'others', '/CN=grafana', null);
});
afterEach(closeServers);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tlsOf = (cert = 'c1', clientCa = 'clients'): ServerTls => ({
  ...{ cert: pem(`${cert}.pem`), key: pem(`${cert}.key`), clientCa: pem(`${clientCa}.pem`), peerCa: pem('ca.pem') },
});

/** One request on a connection of its own, with the certificate of this name. */
function ask(url: string, path_: string, client: string | null, method = 'GET') {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; serial: string; body: string }>();
  const shown = client === null ? {} : { cert: pem(`${client}.pem`), key: pem(`${client}.key`) };
  const sent = request(new URL(path_, url), { method, agent: false, ca: pem('ca.pem'), ...shown }, (reply) => {
    let body = '';
    const { socket } = reply;
    const serial =
      'getPeerCertificate' in socket
        ? String((socket as { getPeerCertificate(): { serialNumber: string } }).getPeerCertificate().serialNumber)
        : '';
    reply.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
    reply.on('end', () => resolve({ status: reply.statusCode ?? 0, serial, body }));
  });
  sent.on('error', reject);
  sent.end();
  return promise;
}

describe.skipIf(!HAS_OPENSSL)('over TLS', () => {
  const api = { status: () => ({ coordinatorId: 'c1' }) as never, leader: () => 'self' as const };
  const serve = () =>
    serveApi({
      api,
      operatorToken: null,
      tls: tlsOf(),
      access: { anonymous: 'none', clients: CLIENTS, isSecure: true },
    });

  test('a certificate has the role of its name, as alternative name or as common name', async () => {
    const { url } = await serve();
    const statusOf = async (client: string | null, path_ = '/v1/status', method = 'GET') =>
      (await ask(url, path_, client, method)).status;
    expect(await statusOf('grafana')).toBe(200);
    expect(await statusOf('deploy')).toBe(200);
    expect(JSON.parse((await ask(url, '/v1/session', 'deploy')).body)).toMatchObject({
      ...{ name: 'deploy', role: 'operate', groups: ['web'], via: 'certificate' },
    });
    expect(await statusOf('grafana', '/v1/members/web/a/retry', 'POST')).toBe(403);
    expect(await statusOf('deploy', '/v1/members/db/a/retry', 'POST'), 'another group').toBe(403);
    expect(await statusOf('deploy', '/v1/members/web/a/retry', 'POST'), 'let in, without a body').toBe(415);
    expect(await statusOf(null)).toBe(401);
    expect(await statusOf('stranger'), 'its common name does not count').toBe(401);
    expect(await statusOf('forged'), 'nobody vouches for it').toBe(401);
    expect(await statusOf('forged', '/healthz')).toBe(200);
  });

  test('other certificates are taken over without a restart; another authority ends connections', async () => {
    const server = await serve();
    const before = await ask(server.url, '/healthz', null);
    server.setTls(tlsOf('c1-new'));
    const after = await ask(server.url, '/healthz', 'grafana');
    expect([after.status, after.serial === before.serial]).toEqual([200, false]);
    server.setTls(tlsOf('c1-new', 'others'));
    expect((await ask(server.url, '/v1/status', 'grafana')).status).toBe(401);
    expect((await ask(server.url, '/v1/status', 'forged')).status, 'now they vouch for it').toBe(200);
  });

  test('a follower passes on over TLS, and believes no other authority', async () => {
    const leading = await serveApi({ api: { explain: () => null, leader: () => 'self' }, tls: tlsOf() });
    const known = { coordinatorId: 'c1', httpUrl: leading.url };
    const follower = async (peerCa: Buffer | null) =>
      serveApi({ coordinatorId: 'c2', api: { leader: () => known }, tls: { ...tlsOf(), peerCa } });
    const codeAt = async (url: string) => {
      const body = JSON.stringify({ by: 'ann', why: 'x' });
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const headers = { authorization: 'Bearer correct-horse-battery-staple-0000', 'content-type': 'application/json' };
      const sent = request(
        new URL('/v1/members/db/a/retry', url),
        { method: 'POST', agent: false, ca: pem('ca.pem'), headers },
        (reply) => {
          let text = '';
          reply.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
          reply.on('end', () => resolve((JSON.parse(text) as { code: string }).code));
        },
      );
      sent.on('error', reject);
      sent.end(body);
      return promise;
    };
    // The leader of this test cannot carry it out: that it says so shows that it was reached.
    expect(await codeAt((await follower(pem('ca.pem'))).url)).toBe('INTERNAL');
    expect(await codeAt((await follower(pem('others.pem'))).url)).toBe('LEADER_SILENT');
  });

  test('connections are counted, bounded, and forgotten when they end', async () => {
    const limits = { connections: 16, connectionsPerAddress: 8, headersTimeoutMs: 1_000, requestsPerMinute: 60_000 };
    const { url, port, connections } = await serveApi({ api, tls: tlsOf(), limits });
    const idle = Array.from({ length: 12 }, () => connectTcp({ port, host: '127.0.0.1' }));
    for (const socket of idle) socket.on('error', () => undefined);
    await until('the oldest are closed', () => connections().evicted >= 4);
    expect((await ask(url, '/healthz', null)).status).toBe(200);
    await until('a handshake that never comes is given up', () => connections().open === 0, 10_000);
    for (const socket of idle) socket.destroy();
  }, 15_000);
});
