import { createHash } from 'node:crypto';
import { OperationError } from '@understudy/shared';
import type { Migration } from './migrations/migration.ts';
import { MIGRATIONS } from './migrations/registered.ts';
import type { Sql, SqlDialect, SqlReads } from './sql.ts';

export const checksumOf = ({ statements }: Migration, dialect: SqlDialect['name']): string =>
  createHash('sha256').update(statements[dialect].join(';\n')).digest('hex');

const refused = (text: string): OperationError => new OperationError('INVENTORY_SCHEMA_REFUSED', text);

interface Applied {
  readonly number: number;
  readonly checksum: string;
}

/**
 * Brings the schema to what this build needs: forward only, each step once, all of them in one
 * transaction that no other process runs at the same time.
 * @throws INVENTORY_SCHEMA_REFUSED: a newer build was here, or a step is not what it was.
 */
export async function migrate(sql: Sql, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  await sql.transaction(async (inside) => {
    await inside.all(
      'CREATE TABLE IF NOT EXISTS inventory_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)',
    );
    const applied = (await inside.all('SELECT number, checksum FROM inventory_migrations ORDER BY number')).map(
      ({ number, checksum }): Applied => ({ number: Number(number), checksum: String(checksum) }),
    );
    const newer = applied.find(({ number }) => !migrations.some((one) => one.number === number));
    if (newer !== undefined) throw refused(`a newer build has migrated the history to step ${newer.number}`);
    for (const one of migrations) await applyOnce(inside, one, sql.dialect.name, applied);
  }, true);
}

async function applyOnce(
  sql: SqlReads,
  migration: Migration,
  dialect: SqlDialect['name'],
  applied: readonly Applied[],
): Promise<void> {
  const { number, name } = migration;
  const checksum = checksumOf(migration, dialect);
  const before = applied.find((one) => one.number === number);
  if (before !== undefined) {
    if (before.checksum === checksum) return;
    throw refused(`step ${number} (${name}) of the schema is not the one that was applied`);
  }
  for (const statement of migration.statements[dialect]) await sql.all(statement);
  await sql.all('INSERT INTO inventory_migrations (number, name, checksum) VALUES ($1, $2, $3)', [
    ...[number, name, checksum],
  ]);
}
