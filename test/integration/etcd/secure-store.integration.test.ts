import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EtcdKvStore } from '@understudy/coordinator/testing';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { Etcd3 } from 'etcd3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hasOpenssl, makeCertificates } from './certificates.ts';
import { EtcdCluster } from '@understudy/local-cluster';

const common = { clock: new SystemClock(), random: new SystemRandom(), callTimeoutMs: 5_000 };
const put = (key: string) => ({ compare: [], writes: [{ kind: 'put', key, value: '1' } as const] });

describe('etcd with user and password', () => {
  let cluster: EtcdCluster;
  let root: Etcd3;
  let stores: EtcdKvStore[] = [];

  beforeAll(async () => {
    // Cheap hashes: with etcd's own cost each of these calls takes seconds on a machine that is
    // busy.
    cluster = await EtcdCluster.start({ args: ['--bcrypt-cost', '4'] });
    const open = new Etcd3({ hosts: [...cluster.hosts] });
    const rootUser = await open.user('root').create('secret');
    await rootUser.addRole(await open.role('root').create());
    const role = await open.role('understudy').create();
    await role.grant({ permission: 'Readwrite', range: open.range({ prefix: '/understudy/' }) });
    const user = await open.user('coordinator').create('pass');
    await user.addRole(role);
    await open.auth.authEnable();
    open.close();
    root = new Etcd3({ hosts: [...cluster.hosts], auth: { username: 'root', password: 'secret' } });
  });

  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
    stores = [];
  });

  afterAll(async () => {
    root.close();
    await cluster.stop();
  });

  const connect = (auth?: { username: string; password: string }) => {
    const store = new EtcdKvStore({ ...common, hosts: cluster.hosts, ...(auth ? { auth } : {}) });
    stores.push(store);
    return store;
  };

  it('reads, writes, leases and watches with the right password', async () => {
    const store = connect({ username: 'coordinator', password: 'pass' });
    const { leaseId } = await store.grantLease(5000);
    expect((await store.keepAlive(leaseId))?.ttlMs).toBe(5000);
    const { revision } = await store.txn(put('/understudy/a'));
    const seen = Promise.withResolvers<string>();
    store.watch('/understudy/', revision, {
      onEvents: (events) => seen.resolve(events[0]?.kind ?? 'none'),
      onCompacted: () => undefined,
    });
    expect(await seen.promise).toBe('put');
    await store.revokeLease(leaseId);
  });

  it('is rejected, not unavailable, with a wrong password, without one, and outside its prefix', async () => {
    const wrong = connect({ username: 'coordinator', password: 'guess' });
    await expect(wrong.get('/understudy/a')).rejects.toMatchObject({ code: 'STORE_REJECTED' });
    await expect(connect().txn(put('/understudy/a'))).rejects.toMatchObject({ code: 'STORE_REJECTED' });
    const right = connect({ username: 'coordinator', password: 'pass' });
    await expect(right.txn(put('/elsewhere'))).rejects.toMatchObject({ code: 'STORE_DENIED' });
  });

  it('goes on after the users were changed, which makes its token stale', async () => {
    const store = connect({ username: 'coordinator', password: 'pass' });
    await store.txn(put('/understudy/a'));
    await root.user('another').create('x');
    const outcomes: string[] = [];
    for (let attempt = 0; attempt < 4; attempt += 1)
      outcomes.push(
        await store.txn(put('/understudy/a')).then(
          () => 'ok',
          (error: { code: string }) => error.code,
        ),
      );
    expect(outcomes.slice(2)).toEqual(['ok', 'ok']);
  });
});

describe.skipIf(!hasOpenssl)('etcd with TLS client certificates', () => {
  let cluster: EtcdCluster;
  let folder = '';
  const pem = (name: string) => readFileSync(join(folder, name));

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'understudy-tls-'));
    makeCertificates(folder);
    cluster = await EtcdCluster.start({
      tls: { ca: join(folder, 'ca.pem'), cert: join(folder, 'server.pem'), key: join(folder, 'server.key') },
    });
  });

  afterAll(async () => {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('speaks with a client certificate, and with nothing less', async () => {
    const tls = { ca: pem('ca.pem'), cert: pem('client.pem'), key: pem('client.key') };
    const store = new EtcdKvStore({ ...common, hosts: cluster.hosts, tls });
    expect((await store.txn(put('/a'))).succeeded).toBe(true);
    expect(await store.serverVersions()).toHaveLength(1);
    await store.close();
    const nobody = new EtcdKvStore({ ...common, hosts: cluster.hosts, tls: { ca: tls.ca } });
    await expect(nobody.get('/a')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await nobody.close();
  });
});

describe('etcd hosts and TLS that do not fit together', () => {
  const open = (options: Partial<ConstructorParameters<typeof EtcdKvStore>[0]>) => () =>
    new EtcdKvStore({ ...common, hosts: [], ...options });

  it('are refused before anything is sent', () => {
    expect(open({})).toThrow(/CONFIG_INVALID: etcd\.hosts is empty/);
    expect(open({ hosts: ['http://a:1', 'https://b:1'] })).toThrow(/CONFIG_INVALID.*1 of 2 are https/);
    expect(open({ hosts: ['http://a:1'], tls: { ca: Buffer.from('x') } })).toThrow(/CONFIG_INVALID.*not https/);
    expect(open({ hosts: ['https://a:1'], tls: { cert: Buffer.from('x') } })).toThrow(/CONFIG_INVALID.*needs its key/);
  });
});
