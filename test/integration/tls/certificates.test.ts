import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request, createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { EtcdKvStore } from '@understudy/coordinator/testing';
import { EtcdCluster } from '@understudy/local-cluster';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Certificates by the command that operators type, in a real etcd and in Node's TLS. */
const ROOT = resolve(import.meta.dirname, '../../..');
const run = promisify(execFile);
const certs = (...args: readonly string[]) => run(join(ROOT, 'understudy'), ['certs', ...args]);
const clock = new SystemClock();

let dir = '';
const pem = (file: string): Buffer => readFileSync(join(dir, file));

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'understudy-certs-'));
  await certs('init', dir);
  await certs('issue', dir, 'etcd-member', 'etcd-a', '--san', '127.0.0.1');
  await certs('issue', dir, 'etcd-client', 'c1');
  await certs('issue', dir, 'coordinator', 'c1', '--san', '127.0.0.1', '--san', 'localhost');
  await certs('issue', dir, 'operator', 'alice');
}, 60_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('Node’s TLS', () => {
  let server: Server;
  beforeAll(async () => {
    const files = { cert: pem('api/c1.pem'), key: pem('api/c1.key'), ca: pem('api/ca.pem') };
    server = createServer({ ...files, requestCert: true, rejectUnauthorized: true }, (_, reply) => reply.end('hello'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => server.close());

  const ask = (host: string, files: object): Promise<number> =>
    new Promise((done, fail) => {
      const { port } = server.address() as AddressInfo;
      const call = request({ host, port, agent: false, servername: '', ...files }, (reply) =>
        done(reply.statusCode ?? 0),
      );
      call.on('error', fail).end();
    });
  const alice = () => ({ ca: pem('api/ca.pem'), cert: pem('api/alice.pem'), key: pem('api/alice.key') });

  it('lets an operator’s certificate in, at any name of the coordinator', async () => {
    expect(await ask('127.0.0.1', alice())).toBe(200);
    expect(await ask('localhost', alice())).toBe(200);
  });

  it('lets nobody in without one, nor with one of etcd’s authority', async () => {
    await expect(ask('127.0.0.1', { ca: pem('api/ca.pem') })).rejects.toThrow();
    const foreign = { ca: pem('api/ca.pem'), cert: pem('etcd/c1.pem'), key: pem('etcd/c1.key') };
    await expect(ask('127.0.0.1', foreign)).rejects.toThrow();
  });

  it('does not take a client’s certificate for a server’s', async () => {
    const mistaken = createServer({ cert: pem('api/alice.pem'), key: pem('api/alice.key') });
    mistaken.listen(0, '127.0.0.1');
    await once(mistaken, 'listening');
    const { port } = mistaken.address() as AddressInfo;
    const asked = new Promise((done, fail) => {
      request({ host: '127.0.0.1', port, agent: false, ca: pem('api/ca.pem') }, done)
        .on('error', fail)
        .end();
    });
    await expect(asked).rejects.toMatchObject({ code: 'INVALID_PURPOSE' });
    mistaken.close();
  });
});

/** A coordinator's hold on etcd: one lease, renewed twice a second; each renewal is noted. */
class HeldLease {
  readonly store: EtcdKvStore;
  renewals = 0;
  isLost = false;
  #leaseId = '';
  #ended = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(hosts: readonly string[]) {
    const tls = { ca: pem('etcd/ca.pem'), cert: pem('etcd/c1.pem'), key: pem('etcd/c1.key') };
    this.store = new EtcdKvStore({ clock, random: new SystemRandom(), callTimeoutMs: 2_000, hosts, tls });
  }

  async take(): Promise<this> {
    this.#leaseId = (await this.store.grantLease(15_000)).leaseId;
    this.#loop = this.#renew();
    return this;
  }

  async #renew(): Promise<void> {
    while (!this.#ended) {
      const kept = await this.store.keepAlive(this.#leaseId).catch(() => undefined);
      if (kept === null) this.isLost = true;
      if (kept) this.renewals += 1;
      await clock.sleep(500);
    }
  }

  /** Whether it still is etcd's, by etcd's own word. */
  async end(): Promise<boolean> {
    this.#ended = true;
    await this.#loop;
    const isHeld = !this.isLost && (await this.store.keepAlive(this.#leaseId)) !== null;
    await this.store.close();
    return isHeld;
  }
}

describe('a change of the authorities under three etcd members with TLS for clients and peers', () => {
  let cluster: EtcdCluster;
  beforeAll(async () => {
    const files = {
      ca: join(dir, 'etcd/ca.pem'),
      cert: join(dir, 'etcd/etcd-a.pem'),
      key: join(dir, 'etcd/etcd-a.key'),
    };
    cluster = await EtcdCluster.start({ members: 3, tls: { ...files, isForPeers: true } });
  }, 60_000);
  afterAll(() => cluster.stop());

  async function restartOneByOne(): Promise<void> {
    for (const index of [0, 1, 2]) {
      await cluster.kill(index);
      cluster.launch(index);
      await cluster.healthy(index);
    }
  }

  it('goes on while a coordinator keeps its lease through every step', async () => {
    const former = await new HeldLease(cluster.hosts).take();
    const [formerCa, formerClient] = [pem('etcd/ca.pem'), { cert: pem('etcd/c1.pem'), key: pem('etcd/c1.key') }];

    // Both are trusted, by etcd first.
    await certs('rotate-ca', dir);
    await restartOneByOne();
    expect(former.renewals).toBeGreaterThan(3);
    expect(await former.end()).toBe(true);

    // Coordinators trust both, too, still with their old certificates. Then all are signed anew.
    const both = await new HeldLease(cluster.hosts).take();
    await certs('renew', dir);
    expect(pem('etcd/c1.pem').equals(formerClient.cert)).toBe(false);
    await restartOneByOne();
    expect(both.renewals).toBeGreaterThan(3);
    expect(await both.end()).toBe(true);

    // Coordinators with new certificates, while etcd stops trusting the former authority.
    const renewed = await new HeldLease(cluster.hosts).take();
    await certs('rotate-ca', dir, '--finish');
    await restartOneByOne();
    expect(renewed.renewals).toBeGreaterThan(3);
    expect(await renewed.end()).toBe(true);

    const late = { ca: Buffer.concat([pem('etcd/ca.pem'), formerCa]), ...formerClient };
    const left = new EtcdKvStore({
      clock,
      random: new SystemRandom(),
      callTimeoutMs: 2_000,
      hosts: cluster.hosts,
      tls: late,
    });
    await expect(left.get('/a')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await left.close();
  }, 240_000);

  it('takes a renewed certificate of a member without a restart', async () => {
    const before = new HeldLease(cluster.hosts);
    await before.store.get('/a');
    await before.store.close();
    const fingerprint = await memberFingerprint();
    await certs('issue', dir, 'etcd-member', 'etcd-a', '--san', '127.0.0.1', '--force');
    expect(await memberFingerprint()).not.toBe(fingerprint);
  }, 60_000);

  async function memberFingerprint(): Promise<string> {
    const { connect } = await import('node:tls');
    const files = { ca: pem('etcd/ca.pem'), cert: pem('etcd/c1.pem'), key: pem('etcd/c1.key') };
    const socket = connect({ host: '127.0.0.1', port: cluster.port(), servername: '', ...files });
    await once(socket, 'secureConnect');
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  }
});
