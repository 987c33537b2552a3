import { errorText, isOperationError, OperationError } from '@understudy/shared';
import { Pool, type PoolConfig } from 'pg';
import { isObject, type Json } from '../../core/document.ts';
import type { Sql, SqlDialect, SqlReads, SqlRow, SqlValue } from '../sql.ts';

/** How PostgreSQL is reached. */
export interface PostgresPlace {
  /** A name or an address; or the folder of a socket, which begins with `/`. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Null: the server asks for none (peer, trust). */
  readonly password: string | null;
  /** Authority of the server's certificate, PEM. Null: no TLS. */
  readonly ca: string | null;
}

/** One writer, and as many questions as are answered at once. */
const CONNECTIONS_MAX = 5;
const CONNECT_MS = 5_000;
/** A statement that takes longer is ended by the server. */
const STATEMENT_MS = 30_000;
/**
 * The server ends a transaction that says nothing for so long. A leader that is paused inside one
 * keeps its successor from writing no longer than this.
 */
const IDLE_IN_TRANSACTION_MS = 10_000;
/** Number of the lock that migrations take: "unde" as a number. */
const MIGRATION_LOCK = 0x75_6e_64_65;

const DIALECT: SqlDialect = {
  name: 'postgres',
  encode: (text) => text,
  decode: (value) => {
    const made = value as Json;
    return isObject(made) ? made : {};
  },
  forUpdate: 'FOR UPDATE',
  sizeBytes: async (sql) => {
    const [row] = await sql.all("SELECT pg_total_relation_size('inventory_versions') AS bytes");
    return Number(row?.bytes ?? 0);
  },
};

const unavailable = (cause: unknown): OperationError =>
  isOperationError(cause)
    ? cause
    : new OperationError('INVENTORY_STORE_UNAVAILABLE', `PostgreSQL: ${errorText(cause)}`, { cause });

type Query = (text: string, values: SqlValue[]) => Promise<{ readonly rows: readonly SqlRow[] }>;

const readsOf = (query: Query): SqlReads => ({
  all: async (text, values = []) => {
    try {
      const { rows } = await query(text, [...values]);
      return rows;
    } catch (error) {
      throw unavailable(error);
    }
  },
});

/** A history that several coordinators share, in PostgreSQL. */
export class PostgresSql implements Sql {
  readonly dialect = DIALECT;
  readonly #pool: Pool;
  readonly #reads: SqlReads;

  constructor({ password, ca, ...place }: PostgresPlace) {
    const config: PoolConfig = {
      ...place,
      ...(password !== null && { password }),
      ...(ca !== null && { ssl: { ca } }),
      ...{ max: CONNECTIONS_MAX, connectionTimeoutMillis: CONNECT_MS, statement_timeout: STATEMENT_MS },
      ...{ idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS, application_name: 'understudy' },
    };
    this.#pool = new Pool(config);
    // A connection that breaks while nobody uses it is replaced by the next call.
    this.#pool.on('error', () => undefined);
    // One that breaks in the middle of a transaction says so to its next statement, too.
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
    this.#reads = readsOf((text, values) => this.#pool.query<SqlRow>(text, values));
  }

  all(text: string, values: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    return this.#reads.all(text, values);
  }

  async transaction<T>(work: (sql: SqlReads) => Promise<T>, isolated = false): Promise<T> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw unavailable(error);
    });
    let broken: Error | undefined;
    try {
      const inside = readsOf((text, values) => client.query<SqlRow>(text, values));
      await inside.all('BEGIN');
      if (isolated) await inside.all('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
      const made = await work(inside);
      await inside.all('COMMIT');
      return made;
    } catch (error) {
      broken = await client.query('ROLLBACK').then(
        () => undefined,
        (cause: unknown) => new Error('the connection is of no use any more', { cause }),
      );
      throw unavailable(error);
    } finally {
      client.release(broken);
    }
  }

  /** Nothing: PostgreSQL does so itself. */
  async tidy(): Promise<void> {}

  async close(): Promise<void> {
    await this.#pool.end();
  }
}
