import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
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

/** Why there is no PostgreSQL to test with. Null: there is one. */
export const missingPostgres = (): string | null =>
  binaries() === null ? 'PostgreSQL is not installed (apt-get install postgresql)' : null;

/** A PostgreSQL of the test's own, on a socket in a folder of its own. Nobody else reaches it. */
export class PrivatePostgres {
  readonly #folder: string;
  readonly #server: ChildProcess;
  #databases = 0;

  private constructor(folder: string, server: ChildProcess) {
    this.#folder = folder;
    this.#server = server;
  }

  static async start(): Promise<PrivatePostgres> {
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
    const settings = ['-c', 'listen_addresses=', '-c', `unix_socket_directories=${socket}`, '-c', 'fsync=off'];
    const server = spawn(join(bin, 'postgres'), ['-D', cluster, ...settings], {
      ...environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const started = new PrivatePostgres(folder, server);
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
    return { host: join(this.#folder, 'socket'), port: 5_432, database, user: 'understudy', password: null, ca: null };
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
