import type { Compacted, Retention } from '../history.ts';
import type { SqlReads } from './sql.ts';
import { numberIn } from './version-rows.ts';

/** Versions that one compaction removes at most, so that no write waits long for it. */
const REMOVED_MAX = 5_000;

/**
 * Removes ended versions whose time is over, the oldest first, and those that are too many. Current
 * versions stay.
 */
export async function compactVersions(sql: SqlReads, retention: Retention, nowWallMs: number): Promise<Compacted> {
  const beforeWallMs = nowWallMs - retention.keptMs;
  const [count] = await sql.all('SELECT COUNT(*) AS ended FROM inventory_versions WHERE valid_to IS NOT NULL');
  const over = Math.max(0, numberIn(count?.ended ?? 0) - retention.versionsMax);
  const [place] = await sql.all(
    'SELECT valid_to FROM inventory_versions WHERE valid_to IS NOT NULL ORDER BY valid_to LIMIT 1 OFFSET $1',
    [over],
  );
  const tooMany = over === 0 ? beforeWallMs : numberIn(place?.valid_to ?? Number.MAX_SAFE_INTEGER);
  const removed = await sql.all(
    `DELETE FROM inventory_versions WHERE (kind, id, valid_from) IN (
       SELECT kind, id, valid_from FROM inventory_versions WHERE valid_to IS NOT NULL AND valid_to < $1
       ORDER BY valid_to LIMIT $2) RETURNING id`,
    [Math.max(beforeWallMs, tooMany), REMOVED_MAX],
  );
  await sql.all('DELETE FROM inventory_coverage WHERE to_at < $1', [beforeWallMs]);
  return { removed: removed.length, isMore: removed.length >= REMOVED_MAX };
}
