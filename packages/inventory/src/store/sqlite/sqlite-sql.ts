import { chmodSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { errorText, isOperationError, OperationError } from '@understudy/shared';
import { isObject, type Json } from '../../core/document.ts';
import type { Sql, SqlDialect, SqlReads, SqlRow, SqlValue } from '../sql.ts';

/** Another process that holds the file is waited for this long. */
const BUSY_MS = 5_000;
/** Pages of 4 KiB that one `tidy` gives back to the disk. */
const TIDIED_PAGES = 2_000;
/** Statements that are kept prepared. */
const PREPARED_MAX = 100;

/** Documents are deflated: they repeat the same words. */
const DIALECT: SqlDialect = {
  name: 'sqlite',
  encode: (text) => deflateRawSync(text),
  decode: (value) => {
    const made: Json = value instanceof Uint8Array ? JSON.parse(inflateRawSync(value).toString('utf8')) : null;
    return isObject(made) ? made : {};
  },
  forUpdate: '',
  sizeBytes: async (sql) => {
    const [row] = await sql.all('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size');
    return Number(row?.bytes ?? 0);
  },
};

/**
 * A history in one file, by the SQLite that Node has built in. Every call holds its thread until
 * SQLite has answered, so it stands in a thread of its own. Calls come one after the other: a
 * transaction is not interleaved with others.
 */
export class SqliteSql implements Sql {
  readonly dialect = DIALECT;
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();
  #last: Promise<unknown> = Promise.resolve();

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** `:memory:`: kept nowhere. @throws CONFIG_INVALID */
  static open(path: string): SqliteSql {
    try {
      const database = new DatabaseSync(path, { timeout: BUSY_MS });
      // Nobody else needs to read what an account is made of.
      if (path !== ':memory:') chmodSync(path, 0o600);
      // Freed space is given back bit by bit. It has to be said before the first table.
      database.exec('PRAGMA auto_vacuum = INCREMENTAL');
      // Readers do not wait for the writer. What was committed last may be lost with the machine's
      // power, and the next crawl sees it again.
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
      return new SqliteSql(database);
    } catch (cause) {
      throw new OperationError('CONFIG_INVALID', `inventory.sqlite.file ${path}: ${errorText(cause)}`, { cause });
    }
  }

  all(text: string, values: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    return this.#next(() => this.#run(text, values));
  }

  transaction<T>(work: (sql: SqlReads) => Promise<T>): Promise<T> {
    return this.#next(async () => {
      this.#run('BEGIN IMMEDIATE', []);
      try {
        const made = await work({ all: (text, values = []) => Promise.resolve(this.#run(text, values)) });
        this.#run('COMMIT', []);
        return made;
      } catch (error) {
        if (this.#database.isTransaction) this.#run('ROLLBACK', []);
        throw error;
      }
    });
  }

  async tidy(): Promise<void> {
    await this.#next(() => this.#database.exec(`PRAGMA incremental_vacuum(${TIDIED_PAGES})`));
  }

  async close(): Promise<void> {
    await this.#next(() => this.#database.close());
  }

  /** One after the other, whatever became of the one before. */
  #next<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  #run(text: string, values: readonly SqlValue[]): readonly SqlRow[] {
    try {
      return this.#statement(text).all(...values);
    } catch (cause) {
      if (isOperationError(cause)) throw cause;
      throw new OperationError('INVENTORY_STORE_UNAVAILABLE', `SQLite: ${errorText(cause)}`, { cause });
    }
  }

  #statement(text: string): StatementSync {
    const known = this.#prepared.get(text);
    if (known !== undefined) return known;
    if (this.#prepared.size >= PREPARED_MAX) this.#prepared.clear();
    const made = this.#database.prepare(text.replaceAll(/\$(?=\d)/g, '?'));
    this.#prepared.set(text, made);
    return made;
  }
}
