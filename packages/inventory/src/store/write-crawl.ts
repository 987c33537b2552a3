import { type CrawlChanges, crawlChanges, type KindState, NO_CRAWL } from '../core/crawl-changes.ts';
import type { OpenVersion, SeenResource } from '../core/version.ts';
import type { CrawlReport, FinishedCrawl } from '../history.ts';
import { attribute } from './attribution.ts';
import { insertAll, type SqlDialect, type SqlReads } from './sql.ts';
import { momentIn, numberIn, OPEN_COLUMNS, openIn } from './version-rows.ts';
import { assertNewest } from './writer-guard.ts';

const NEW_COLUMNS = [
  ...['kind', 'id', 'valid_from', 'missed_count', 'digest', 'is_tagged', 'has_ended', 'crawl', 'document'],
];

/** What one crawl of one kind changes, written inside a transaction. */
export async function writeCrawl(
  sql: SqlReads,
  dialect: SqlDialect,
  crawl: FinishedCrawl,
  resources: ReadonlyMap<string, SeenResource>,
): Promise<CrawlReport> {
  await assertNewest(sql, dialect, crawl);
  const rows = await sql.all(`SELECT ${OPEN_COLUMNS} FROM inventory_versions WHERE kind = $1 AND valid_to IS NULL`, [
    crawl.kind,
  ]);
  const open = new Map(rows.map(openIn).map((one): [string, OpenVersion] => [one.id, one]));
  const changes = crawlChanges(open, { ...crawl, resources }, await stateOf(sql, crawl.kind));
  await writeEndings(sql, crawl.kind, changes);
  const { atWallMs, opened } = changes;
  const fresh = opened.map((one) => [
    ...[crawl.kind, one.id, atWallMs, 0, one.digest, one.isTagged ? 1 : 0, one.hasEnded ? 1 : 0, crawl.crawl],
    dialect.encode(one.text),
  ]);
  await insertAll(sql, 'inventory_versions', NEW_COLUMNS, fresh);
  await attribute(sql, crawl.kind, crawl.deeds);
  const report = reportOf(changes, crawl, resources.size);
  await writeState(sql, crawl, changes, report);
  if (report.outcome === 'complete') await cover(sql, crawl, atWallMs);
  return report;
}

async function stateOf(sql: SqlReads, kind: string): Promise<KindState> {
  const [row] = await sql.all('SELECT last_at, last_complete, refused_count FROM inventory_kinds WHERE kind = $1', [
    kind,
  ]);
  if (row === undefined) return NO_CRAWL;
  return {
    lastAtWallMs: numberIn(row.last_at),
    lastCompleteWallMs: momentIn(row.last_complete),
    refusedCount: numberIn(row.refused_count),
  };
}

/** Current versions that end, are missed, or are there again. They are few beside all of them. */
async function writeEndings(sql: SqlReads, kind: string, { closed, missed, found }: CrawlChanges): Promise<void> {
  const current = 'WHERE kind = $1 AND id = $2 AND valid_to IS NULL';
  for (const { open, closing } of closed)
    await sql.all(
      `UPDATE inventory_versions SET valid_to = $3, last_seen = $4, end_reason = $5, missed_count = 0, missed_since = NULL ${current}`,
      [kind, open.id, closing.validToWallMs, closing.lastSeenWallMs, closing.end],
    );
  for (const { open, missed: one } of missed)
    await sql.all(`UPDATE inventory_versions SET last_seen = $3, missed_count = $4, missed_since = $5 ${current}`, [
      kind,
      open.id,
      one.lastSeenWallMs,
      one.count,
      one.sinceWallMs,
    ]);
  for (const { id } of found)
    await sql.all(`UPDATE inventory_versions SET last_seen = NULL, missed_count = 0, missed_since = NULL ${current}`, [
      kind,
      id,
    ]);
}

function reportOf(changes: CrawlChanges, crawl: FinishedCrawl, seen: number): CrawlReport {
  const { refusal, opened, closed, missed } = changes;
  const gone = closed.filter(({ closing }) => closing.end === 'gone').length;
  const changed = closed.length - gone;
  return {
    outcome: refusal !== null ? 'refused' : crawl.isComplete ? 'complete' : 'partial',
    detail: refusal ?? crawl.detail,
    ...{ seen, opened: opened.length - changed, changed, gone, missed: missed.length },
  };
}

async function writeState(
  sql: SqlReads,
  { kind }: FinishedCrawl,
  { state }: CrawlChanges,
  { outcome, detail, seen }: CrawlReport,
): Promise<void> {
  await sql.all(
    `INSERT INTO inventory_kinds (kind, last_at, last_complete, refused_count, outcome, detail, seen)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (kind) DO UPDATE SET last_at = excluded.last_at, last_complete = excluded.last_complete,
       refused_count = excluded.refused_count, outcome = excluded.outcome, detail = excluded.detail, seen = excluded.seen`,
    [kind, state.lastAtWallMs, state.lastCompleteWallMs, state.refusedCount, outcome, detail, seen],
  );
}

/** Makes the last covered span longer, or begins another one after a gap. */
async function cover(sql: SqlReads, { kind, gapMs }: FinishedCrawl, atWallMs: number): Promise<void> {
  const [last] = await sql.all(
    'SELECT from_at, to_at FROM inventory_coverage WHERE kind = $1 ORDER BY from_at DESC LIMIT 1',
    [kind],
  );
  if (last !== undefined && atWallMs - numberIn(last.to_at) <= gapMs)
    await sql.all('UPDATE inventory_coverage SET to_at = $3 WHERE kind = $1 AND from_at = $2', [
      ...[kind, numberIn(last.from_at), atWallMs],
    ]);
  else await sql.all('INSERT INTO inventory_coverage (kind, from_at, to_at) VALUES ($1, $2, $2)', [kind, atWallMs]);
}
