import type { JsonObject } from '../core/document.ts';

/** A value of a column. */
export type SqlValue = string | number | null | Uint8Array;
export type SqlRow = Readonly<Record<string, unknown>>;

/** Sends statements. Parameters are `$1`, `$2` …. */
export interface SqlReads {
  /** @throws INVENTORY_STORE_UNAVAILABLE */
  all(text: string, values?: readonly SqlValue[]): Promise<readonly SqlRow[]>;
}

/** What differs between databases. Everything else is said once, in SQL that both know. */
export interface SqlDialect {
  readonly name: 'sqlite' | 'postgres';
  /** A document as it is kept. */
  encode(text: string): SqlValue;
  decode(value: unknown): JsonObject;
  /** Added to a SELECT whose rows are to stay as they are until the transaction ends. */
  readonly forUpdate: string;
  /** The bytes that the history takes on disk. */
  sizeBytes(sql: SqlReads): Promise<number>;
}

/** A database in which a history is kept. */
export interface Sql extends SqlReads {
  readonly dialect: SqlDialect;
  /**
   * All or nothing. Writes of others wait, or fail. `isolated`: it waits until no other transaction
   * of this kind runs, in any process (migrations).
   * @throws INVENTORY_STORE_UNAVAILABLE when it was not done, or nobody can tell
   */
  transaction<T>(work: (sql: SqlReads) => Promise<T>, isolated?: boolean): Promise<T>;
  /** Gives freed space back to the disk, a bit at a time. */
  tidy(): Promise<void>;
  close(): Promise<void>;
}

/** Rows in one INSERT. Times eleven columns it stays far below what either database takes. */
const ROWS_PER_INSERT = 200;

/** Inserts rows, many in one statement. */
export async function insertAll(
  sql: SqlReads,
  table: string,
  columns: readonly string[],
  rows: readonly (readonly SqlValue[])[],
): Promise<void> {
  const tuple = (row: number): string =>
    `(${columns.map((_, column) => `$${row * columns.length + column + 1}`).join(', ')})`;
  for (let at = 0; at < rows.length; at += ROWS_PER_INSERT) {
    const some = rows.slice(at, at + ROWS_PER_INSERT);
    const tuples = some.map((_, row) => tuple(row)).join(', ');
    await sql.all(`INSERT INTO ${table} (${columns.join(', ')}) VALUES ${tuples}`, some.flat());
  }
}
