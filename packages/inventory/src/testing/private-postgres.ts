import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import type { PostgresPlace } from '../store/postgres/postgres-sql.ts';

const DEBIAN = '/usr/lib/postgresql';
/** PostgreSQL does not run as root. This is `nobody` everywhere. */
const NOBODY = 65_534;

/** The folder of the newest PostgreSQL that Debian has installed here. Null: there is none. */
function binaries(): string | null {
  if (!existsSync(DEBIAN)) return null;
  const [newest] = readdirSync(DEBIAN)
    .filter((version) => existsSync(join(DEBIAN, version, 'bin', 'initdb')))
    .sort((a, b) => Number(b) - Number(a));
  return newest === undefined ? null : join(DEBIAN, newest, 'bin');
}

/** Both PEM. */
export interface ServerCertificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

function writeCertificate(cluster: string, { cert, key }: ServerCertificate, isRoot: boolean): void {
  for (const [name, pem] of [
    ['server.crt', cert],
    ['server.key', key],
  ] as const) {
    writeFileSync(join(cluster, name), pem, { mode: 0o600 });
    if (isRoot) chownSync(join(cluster, name), NOBODY, NOBODY);
  }
}

/** The settings of a server that takes strangers by TLS and a password. */
function listening(cluster: string, certificate: ServerCertificate, isRoot: boolean): readonly string[] {
  writeCertificate(cluster, certificate, isRoot);
  writeFileSync(join(cluster, 'pg_hba.conf'), 'local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n');
  return ['ssl=on', 'password_encryption=scram-sha-256'];
}

/** Why there is no PostgreSQL to test with. Null: there is one. */
export const missingPostgres = (): string | null =>
  binaries() === null ? 'PostgreSQL is not installed (apt-get install postgresql)' : null;

/** A port of this host's that is free now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * A PostgreSQL of the test's own, on a socket in a folder of its own. Nobody else reaches it;
 * `overTls`: and on a port of 127.0.0.1, by TLS and a password only.
 */
export class PrivatePostgres {
  readonly #folder: string;
  readonly #server: ChildProcess;
  readonly port: number;
  #databases = 0;

  private constructor(folder: string, server: ChildProcess, port: number) {
    this.#folder = folder;
    this.#server = server;
    this.port = port;
  }

  static async start({
    overTls = null,
  }: {
    readonly overTls?: ServerCertificate | null;
  } = {}): Promise<PrivatePostgres> {
    const bin = binaries();
    if (bin === null) throw new Error('there is no PostgreSQL');
    // The folder of temporary files of tests is root's alone, and its path is long for a socket.
    const folder = mkdtempSync('/tmp/understudy-pg-');
    const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
    if ('uid' in user) chownSync(folder, NOBODY, NOBODY);
    const cluster = join(folder, 'cluster');
    const socket = join(folder, 'socket');
    mkdirSync(socket);
    if ('uid' in user) chownSync(socket, NOBODY, NOBODY);
    const environment = { ...user, env: { PATH: process.env.PATH, LC_ALL: 'C' }, cwd: folder };
    const initial = ['-D', cluster, '-U', 'understudy', '--auth=trust', '--encoding=UTF8', '--no-sync'];
    execFileSync(join(bin, 'initdb'), initial, { ...environment, stdio: 'ignore' });
    const port = overTls === null ? 5_432 : await freePort();
    const listens = overTls === null ? [] : listening(cluster, overTls, 'uid' in user);
    const address = overTls === null ? '' : '127.0.0.1';
    const settings = [`port=${port}`, `listen_addresses=${address}`, `unix_socket_directories=${socket}`, 'fsync=off']
      .concat(listens)
      .flatMap((setting) => ['-c', setting]);
    const server = spawn(join(bin, 'postgres'), ['-D', cluster, ...settings], {
      ...environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const started = new PrivatePostgres(folder, server, port);
    await started.#ready();
    return started;
  }

  #ready(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let said = '';
    this.#server.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('ready to accept connections')) resolve();
    });
    this.#server.once('exit', () => reject(new Error(`PostgreSQL did not start: ${said}`)));
    return promise;
  }

  /** As its only user sees it. */
  place(database = 'postgres'): PostgresPlace {
    const host = join(this.#folder, 'socket');
    return { host, port: this.port, database, user: 'understudy', password: null, ca: null };
  }

  /** Serves with another certificate from the next connection on. */
  serveWith(certificate: ServerCertificate): void {
    writeCertificate(join(this.#folder, 'cluster'), certificate, process.getuid?.() === 0);
    this.#server.kill('SIGHUP');
  }

  /** Where an empty database is. */
  async create(run: (place: PostgresPlace, statement: string) => Promise<void>): Promise<PostgresPlace> {
    const name = `history_${(this.#databases += 1)}`;
    await run(this.place(), `CREATE DATABASE ${name}`);
    return this.place(name);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#server.once('exit', resolve));
    // Fast shutdown: it ends the connections that are left.
    this.#server.kill('SIGINT');
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
