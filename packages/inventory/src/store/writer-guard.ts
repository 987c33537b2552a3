import { OperationError } from '@understudy/shared';
import type { Writing } from '../history.ts';
import type { SqlReads, SqlDialect } from './sql.ts';

/**
 * Says, inside the transaction that writes, that no later leader has written. From then on none of
 * an earlier term can. The row stays as it is until the transaction ends, so a leader that was
 * paused between this question and its commit has kept its successor waiting, and not got past it.
 * @throws INVENTORY_SUPERSEDED
 */
export async function assertNewest(sql: SqlReads, dialect: SqlDialect, { term, writer }: Writing): Promise<void> {
  await sql.all(
    'INSERT INTO inventory_writer (only_one, term, writer) VALUES (1, $1, $2) ON CONFLICT (only_one) DO NOTHING',
    [term, writer],
  );
  const [row] = await sql.all(`SELECT term, writer FROM inventory_writer WHERE only_one = 1 ${dialect.forUpdate}`);
  const written = Number(row?.term);
  if (written > term)
    throw new OperationError(
      'INVENTORY_SUPERSEDED',
      `${String(row?.writer)} has written to the history in term ${written}, and this is term ${term}`,
    );
  if (written < term)
    await sql.all('UPDATE inventory_writer SET term = $1, writer = $2 WHERE only_one = 1', [term, writer]);
}
