import type { SqlDialect } from '../sql.ts';

/**
 * One step of the schema. It is never changed once it was released: what was applied has its
 * checksum in the database.
 */
export interface Migration {
  readonly number: number;
  readonly name: string;
  /** The statements, one an entry. */
  readonly statements: Readonly<Record<SqlDialect['name'], readonly string[]>>;
}
