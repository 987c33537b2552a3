import type { Missed, OpenVersion, Version } from '../core/version.ts';
import type { SqlDialect, SqlRow } from './sql.ts';

/** Both databases give large numbers back in their own ways. */
export const numberIn = (value: unknown): number => Number(value);

export const momentIn = (value: unknown): number | null =>
  value === null || value === undefined ? null : Number(value);

/** The columns of {@link versionIn}. */
export const VERSION_COLUMNS =
  'kind, id, valid_from, valid_to, last_seen, end_reason, missed_since, crawl, changed_by, document';

/** The columns of {@link openIn}. */
export const OPEN_COLUMNS = 'id, valid_from, last_seen, missed_count, missed_since, digest, is_tagged, has_ended';

/**
 * A row as a version. A current one that no complete crawl has missed was seen by the last of them
 * (`lastCompleteWallMs`), which is not written to every row.
 */
export function versionIn(row: SqlRow, dialect: SqlDialect, lastCompleteWallMs: number | null): Version {
  const validFromWallMs = numberIn(row.valid_from);
  const seen = momentIn(row.last_seen) ?? Math.max(validFromWallMs, lastCompleteWallMs ?? validFromWallMs);
  const end = row.end_reason;
  return {
    ...{ kind: String(row.kind), id: String(row.id), validFromWallMs, lastSeenWallMs: seen },
    validToWallMs: momentIn(row.valid_to),
    end: end === 'changed' || end === 'gone' ? end : null,
    crawl: String(row.crawl),
    changedBy: typeof row.changed_by === 'string' ? row.changed_by : null,
    document: dialect.decode(row.document),
  };
}

export function openIn(row: SqlRow): OpenVersion {
  return {
    ...{ id: String(row.id), validFromWallMs: numberIn(row.valid_from), digest: String(row.digest) },
    isTagged: numberIn(row.is_tagged) !== 0,
    hasEnded: numberIn(row.has_ended) !== 0,
    missed: missedIn(row),
  };
}

function missedIn(row: SqlRow): Missed | null {
  const [sinceWallMs, lastSeenWallMs] = [momentIn(row.missed_since), momentIn(row.last_seen)];
  if (sinceWallMs === null || lastSeenWallMs === null) return null;
  return { count: numberIn(row.missed_count), sinceWallMs, lastSeenWallMs };
}
