import type { InventoryHistory } from '../history.ts';
import { SqlHistory } from '../store/sql-history.ts';
import { PostgresSql, type PostgresPlace } from '../store/postgres/postgres-sql.ts';
import { SqliteSql } from '../store/sqlite/sqlite-sql.ts';
import type { HistoryPlace } from './messages.ts';

const withoutKind = ({ kind: _, ...place }: PostgresPlace & { readonly kind: 'postgres' }): PostgresPlace => place;

/** Opens a history where it is kept. @throws CONFIG_INVALID, INVENTORY_SCHEMA_REFUSED, … */
export async function openHistory(place: HistoryPlace): Promise<InventoryHistory> {
  const sql = place.kind === 'sqlite' ? SqliteSql.open(place.file) : new PostgresSql(withoutKind(place));
  try {
    return await SqlHistory.over(sql);
  } catch (error) {
    await sql.close();
    throw error;
  }
}
