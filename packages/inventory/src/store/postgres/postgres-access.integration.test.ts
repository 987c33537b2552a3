import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingPostgres, PrivatePostgres, type ServerCertificate } from '../../testing/private-postgres.ts';
import { type PostgresPlace, PostgresSql } from './postgres-sql.ts';

const missing = missingPostgres();
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const PASSWORD = 'correct horse';

/** A real server that takes connections over TCP by TLS and a password only. */
describe.skipIf(missing !== null || !hasOpenssl)('a PostgreSQL over the network', () => {
  let folder: string;
  let server: PrivatePostgres;
  const openssl = (...words: readonly string[]) => execFileSync('openssl', words, { cwd: folder, stdio: 'ignore' });
  const pem = (name: string): Buffer => readFileSync(join(folder, name));
  const makeKey = (name: string) =>
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`);
  const authority = (name: string): void => {
    makeKey(name);
    openssl('req', '-x509', '-new', '-key', `${name}.key`, '-out', `${name}.pem`, '-days', '2', '-subj', `/CN=${name}`);
  };
  const certificate = (name: string, names: string): ServerCertificate => {
    makeKey(name);
    openssl('req', '-new', '-key', `${name}.key`, '-out', `${name}.csr`, '-subj', '/CN=postgres');
    writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${names}`);
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`];
    openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`);
    return { cert: pem(`${name}.pem`), key: pem(`${name}.key`) };
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'postgres-access-'));
    for (const name of ['ca', 'stranger']) authority(name);
    server = await PrivatePostgres.start({ overTls: certificate('by-address', 'IP:127.0.0.1') });
    const sql = new PostgresSql(server.place());
    await sql.all(`ALTER USER understudy PASSWORD '${PASSWORD}'`);
    await sql.close();
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  /** How it is reached, or why it is not. */
  async function reached(how: Partial<PostgresPlace>): Promise<unknown> {
    const over = { host: '127.0.0.1', port: server.port, password: PASSWORD, ca: pem('ca.pem').toString() };
    const sql = new PostgresSql({ ...server.place(), ...over, ...how });
    try {
      const [row] = await sql.all('SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
      return row;
    } finally {
      await sql.close();
    }
  }

  it('is reached by its authority, its name and the password', async () => {
    expect(await reached({})).toMatchObject({ ssl: true, version: expect.stringMatching(/^TLSv1\.[23]$/) });
  });

  it.each<[string, Partial<PostgresPlace> | (() => Partial<PostgresPlace>)]>([
    ['by another password', { password: 'wrong horse' }],
    ['without a password', { password: null }],
    ['without TLS', { ca: null }],
    ['by another authority', () => ({ ca: pem('stranger.pem').toString() })],
    ['by a name that its certificate does not have', { host: 'localhost' }],
  ])('is not reached %s, and says so without the password', async (_, how) => {
    const wrong = reached(typeof how === 'function' ? how() : how);
    await expect(wrong).rejects.toMatchObject({ code: 'INVENTORY_STORE_UNAVAILABLE' });
    await expect(wrong).rejects.not.toThrow(/horse/);
  });

  it('is not believed at an address by a certificate for another name', async () => {
    server.serveWith(certificate('by-name', 'DNS:localhost'));
    await expect.poll(() => reached({ host: 'localhost' })).toMatchObject({ ssl: true });
    await expect(reached({})).rejects.toMatchObject({ code: 'INVENTORY_STORE_UNAVAILABLE' });
  });
});
