import { matcher } from '../core/condition.ts';
import type { Version } from '../core/version.ts';
import type { HistoryQuery, Span, VersionsPage } from '../history.ts';
import { bounded } from './bounded-work.ts';
import { cursorOf, type Place, placeOf } from './cursor.ts';
import { QuestionBudget } from './question-budget.ts';
import type { Sql, SqlReads, SqlValue } from './sql.ts';
import { momentIn, VERSION_COLUMNS, versionIn } from './version-rows.ts';

/** Rows that are read at once while a condition is looked for. */
const BATCH = 500;
/** Without a condition no more is read than an answer is likely to have room for. */
const PLAIN_BATCH = 100;

/** The condition of a span in SQL. Its parameters begin at `$5`. */
function spanText(span: Span): { readonly text: string; readonly values: readonly SqlValue[] } {
  switch (span.kind) {
    case 'at':
      return span.atWallMs === null
        ? { text: 'valid_to IS NULL', values: [] }
        : { text: 'valid_from <= $5 AND (valid_to IS NULL OR valid_to > $5)', values: [span.atWallMs] };
    case 'valid':
      return {
        text: 'valid_from < $6 AND (valid_to IS NULL OR valid_to > $5)',
        values: [span.fromWallMs, span.toWallMs],
      };
    case 'changed':
      return {
        text: "((valid_from >= $5 AND valid_from < $6) OR (end_reason = 'gone' AND valid_to >= $5 AND valid_to < $6))",
        values: [span.fromWallMs, span.toWallMs],
      };
  }
}

export async function lastCompleteOf(sql: SqlReads, kind: string): Promise<number | null> {
  const [row] = await sql.all('SELECT last_complete FROM inventory_kinds WHERE kind = $1', [kind]);
  return momentIn(row?.last_complete);
}

/** The next versions in the order of id and beginning, before conditions are asked. */
async function batchOf(
  sql: Sql,
  { kind, id, span }: Pick<HistoryQuery, 'kind' | 'id' | 'span'>,
  from: Place,
  limit: number,
  lastCompleteWallMs: number | null,
): Promise<readonly Version[]> {
  const { text, values } = spanText(span);
  const named = id === null ? '' : `AND id = $${values.length + 5}`;
  const rows = await sql.all(
    `SELECT ${VERSION_COLUMNS} FROM inventory_versions
     WHERE kind = $1 AND (id, valid_from) > ($2, $3) AND ${text} ${named} ORDER BY id, valid_from LIMIT $4`,
    [kind, from.id, from.validFromWallMs, limit, ...values, ...(id === null ? [] : [id])],
  );
  return rows.map((row) => versionIn(row, sql.dialect, lastCompleteWallMs));
}

/** Reads on until the page is full, nothing is left, or the answer has cost enough. */
export async function readVersions(sql: Sql, query: HistoryQuery): Promise<VersionsPage> {
  const matches = matcher(query.where);
  const lastCompleteWallMs = await lastCompleteOf(sql, query.kind);
  const size = query.where.length === 0 ? Math.min(query.limit, PLAIN_BATCH) : BATCH;
  const budget = new QuestionBudget();
  const versions: Version[] = [];
  let place: Place = placeOf(query.after);
  while (budget.mayRead()) {
    const batch = await batchOf(sql, query, place, size, lastCompleteWallMs);
    budget.noteRead(batch.length);
    for (const one of bounded(() => batch.filter(({ document }) => matches(document)))) {
      if (versions.length >= query.limit || !budget.takes(one)) return { versions, next: cursorOf(place) };
      versions.push(one);
      place = one;
    }
    if (batch.length < size) return { versions, next: null };
    place = batch.at(-1) ?? place;
  }
  return { versions, next: cursorOf(place) };
}
