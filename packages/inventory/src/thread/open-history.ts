import type { InventoryHistory } from '../history.ts';
import { SqlHistory } from '../store/sql-history.ts';
import { SqliteSql } from '../store/sqlite/sqlite-sql.ts';
import type { HistoryPlace } from './messages.ts';

/** Opens a history where it is kept. @throws CONFIG_INVALID, INVENTORY_SCHEMA_REFUSED, … */
export async function openHistory(place: HistoryPlace): Promise<InventoryHistory> {
  const sql = SqliteSql.open(place.file);
  try {
    return await SqlHistory.over(sql);
  } catch (error) {
    await sql.close();
    throw error;
  }
}
