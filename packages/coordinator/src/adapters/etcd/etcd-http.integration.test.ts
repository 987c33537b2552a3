import { createServer, type RequestListener, type Server } from 'node:http';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { afterEach, describe, expect, it } from 'vitest';
import { EtcdKvStore } from './etcd-kv-store.ts';
import { httpAlarms, httpVersion } from './etcd-http.ts';

const clock = new SystemClock();
let servers: Server[] = [];

afterEach(async () => {
  await Promise.all(
    servers.map((server) => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    }),
  );
  servers = [];
});

function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`);
    }),
  );
}

const answering = (status: number, body: string, headers: Record<string, string> = {}) =>
  serve((_, reply) => reply.writeHead(status, headers).end(body));
const ask = (host: string) => httpVersion({ host, clock, callTimeoutMs: 500 });
const ETCD = JSON.stringify({ etcdserver: '3.5.30', etcdcluster: '3.5.0' });

describe('the version of etcd by HTTP', () => {
  it('is what etcd says', async () => {
    expect(await ask(await answering(200, ETCD))).toBe('3.5.30');
  });

  it.each<[string, number, string]>([
    ['a page with status 200', 200, '<html><body>Welcome to nginx! 3.5.30</body></html>'],
    ['no body', 200, ''],
    ["another server's JSON", 200, '{"version":"3.5.30"}'],
    ['a version that is none', 200, '{"etcdserver":"latest","etcdcluster":"3.5.0"}'],
    ['an array', 200, '[]'],
    ["etcd's words under another status", 503, ETCD],
    ['not found', 404, '404 page not found'],
    ['more than etcd would say', 200, ETCD.padEnd(10_000, ' ')],
  ])('is not %s', async (_, status, body) => {
    await expect(ask(await answering(status, body))).rejects.toThrow();
  });

  it('is not looked for elsewhere', async () => {
    const elsewhere = await answering(200, ETCD);
    await expect(ask(await answering(302, '', { location: `${elsewhere}/version` }))).rejects.toThrow('302');
  });

  it('is given up after the call timeout', async () => {
    await expect(ask(await serve(() => undefined))).rejects.toThrow('no answer within 500 ms');
  });
});

describe('alarms by HTTP', () => {
  it('are named in the reason of an unhealthy member', async () => {
    const host = await answering(503, '{"health":"false","reason":"ALARM NOSPACE"}');
    expect(await httpAlarms({ host, clock, callTimeoutMs: 500 })).toBe('ALARM NOSPACE');
  });

  it('are not read from anything else', async () => {
    const host = await answering(200, 'ALARM NOSPACE');
    await expect(httpAlarms({ host, clock, callTimeoutMs: 500 })).rejects.toThrow();
  });
});

describe('the versions of several hosts', () => {
  const open = (hosts: readonly string[]) =>
    new EtcdKvStore({ clock, random: new SystemRandom(), hosts, callTimeoutMs: 500 });

  it('are those of the hosts that tell one, each its own; the others are asked again later', async () => {
    const old = await answering(200, ETCD.replace('3.5.30', '3.5.20'));
    const store = open([await answering(200, ETCD), await answering(200, '<html>'), old, 'http://127.0.0.1:1']);
    expect(await store.serverVersions()).toEqual(['3.5.30', '3.5.20']);
    await store.close();
  });

  it('when nobody is there: unavailable', async () => {
    const store = open(['http://127.0.0.1:1']);
    await expect(store.serverVersions()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await store.close();
  });
});
