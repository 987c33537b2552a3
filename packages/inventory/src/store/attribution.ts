import type { ClaimedDeed } from '../history.ts';
import type { SqlReads } from './sql.ts';

/**
 * Puts changes down to the deeds that were heard of: a version that began at or after the deed,
 * where no crawl has seen the version before it later than the deed. Events come late and more than
 * once, so each crawl asks this of all that was heard lately. Idempotent; the first one stays.
 */
export async function attribute(sql: SqlReads, kind: string, deeds: readonly ClaimedDeed[]): Promise<void> {
  for (const { id, atWallMs, by } of deeds)
    await sql.all(
      `UPDATE inventory_versions SET changed_by = $4 WHERE kind = $1 AND id = $2 AND changed_by IS NULL
         AND valid_from = (SELECT MIN(valid_from) FROM inventory_versions WHERE kind = $1 AND id = $2 AND valid_from >= $3)
         AND EXISTS (SELECT 1 FROM inventory_versions AS before WHERE before.kind = $1 AND before.id = $2
           AND before.valid_to = inventory_versions.valid_from AND before.last_seen <= $3)`,
      [kind, id, atWallMs, by],
    );
}
