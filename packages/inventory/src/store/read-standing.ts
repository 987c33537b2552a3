import { KINDS } from '../core/kinds/registered.ts';
import type { CoveredSpan, CrawlOutcome, HistoryStanding, KindStanding } from '../history.ts';
import type { Sql, SqlRow } from './sql.ts';
import { momentIn, numberIn } from './version-rows.ts';

/** Spans shown of each kind. */
const SPANS_MAX = 20;

const outcomeIn = (value: unknown): CrawlOutcome | null =>
  value === 'complete' || value === 'partial' || value === 'refused' ? value : null;

/** What is known of each kind, and how much it takes. */
export async function readStanding(sql: Sql): Promise<HistoryStanding> {
  const states = await byKind(sql, 'SELECT kind, last_at, last_complete, outcome, detail FROM inventory_kinds');
  const counts = await byKind(
    sql,
    'SELECT kind, COUNT(*) AS versions, SUM(CASE WHEN valid_to IS NULL THEN 1 ELSE 0 END) AS current_ones FROM inventory_versions GROUP BY kind',
  );
  const kinds: KindStanding[] = [];
  for (const { name: kind } of KINDS) {
    const [state, count] = [states.get(kind), counts.get(kind)];
    kinds.push({
      ...{ kind, current: numberIn(count?.current_ones ?? 0), versions: numberIn(count?.versions ?? 0) },
      lastCrawlWallMs: momentIn(state?.last_at),
      lastCompleteWallMs: momentIn(state?.last_complete),
      outcome: outcomeIn(state?.outcome),
      detail: typeof state?.detail === 'string' ? state.detail : '',
      covered: await coveredSpans(sql, kind),
    });
  }
  return { kinds, sizeBytes: await sql.dialect.sizeBytes(sql) };
}

async function byKind(sql: Sql, text: string): Promise<ReadonlyMap<string, SqlRow>> {
  return new Map((await sql.all(text)).map((row) => [String(row.kind), row]));
}

async function coveredSpans(sql: Sql, kind: string): Promise<readonly CoveredSpan[]> {
  const rows = await sql.all(
    'SELECT from_at, to_at FROM inventory_coverage WHERE kind = $1 ORDER BY from_at DESC LIMIT $2',
    [kind, SPANS_MAX],
  );
  return rows.map(({ from_at, to_at }) => ({ fromWallMs: numberIn(from_at), toWallMs: numberIn(to_at) }));
}
