import { differences } from '../core/diff.ts';
import { type Condition, matcher } from '../core/condition.ts';
import type { Version } from '../core/version.ts';
import type { DifferenceQuery, DifferencesPage, ResourceDifference } from '../history.ts';
import { bounded } from './bounded-work.ts';
import { cursorOf, placeOf } from './cursor.ts';
import { lastCompleteOf } from './read-versions.ts';
import { QuestionBudget } from './question-budget.ts';
import type { Sql } from './sql.ts';
import { VERSION_COLUMNS, versionIn } from './version-rows.ts';

const BATCH = 200;

/** Ids of what began or ended between the two moments, in order. */
async function changedIds(
  sql: Sql,
  { kind, id, fromWallMs, toWallMs }: DifferenceQuery,
  after: string,
): Promise<readonly string[]> {
  const named = id === null ? '' : 'AND id = $6';
  const rows = await sql.all(
    `SELECT DISTINCT id FROM inventory_versions WHERE kind = $1 AND id > $2
       AND ((valid_from > $3 AND valid_from <= $4) OR (valid_to > $3 AND valid_to <= $4)) ${named} ORDER BY id LIMIT $5`,
    [kind, after, fromWallMs, toWallMs, BATCH, ...(id === null ? [] : [id])],
  );
  return rows.map((row) => String(row.id));
}

/** One version each, as they were then. */
async function versionsAt(
  sql: Sql,
  kind: string,
  ids: readonly string[],
  atWallMs: number,
): Promise<ReadonlyMap<string, Version>> {
  if (ids.length === 0) return new Map();
  const last = await lastCompleteOf(sql, kind);
  const rows = await sql.all(
    `SELECT ${VERSION_COLUMNS} FROM inventory_versions WHERE kind = $1 AND valid_from <= $2
       AND (valid_to IS NULL OR valid_to > $2) AND id IN (${ids.map((_, at) => `$${at + 3}`).join(', ')})`,
    [kind, atWallMs, ...ids],
  );
  return new Map(rows.map((row) => versionIn(row, sql.dialect, last)).map((one) => [one.id, one]));
}

/** Null: it is as it was, whatever happened in between. */
function differenceOf(
  kind: string,
  id: string,
  before: Version | null,
  after: Version | null,
): ResourceDifference | null {
  if (before === null && after === null) return null;
  const fields = differences(before?.document ?? {}, after?.document ?? {});
  if (fields.length === 0) return null;
  const change = before === null ? 'appeared' : after === null ? 'gone' : 'changed';
  return { kind, id, change, before, after, fields };
}

const holds = (where: readonly Condition[]): ((one: ResourceDifference) => boolean) => {
  const matches = matcher(where);
  return ({ before, after }) => [before, after].some((one) => one !== null && matches(one.document));
};

/** What is different between two moments, page by page. */
export async function readDifferences(sql: Sql, query: DifferenceQuery): Promise<DifferencesPage> {
  const { kind, limit, fromWallMs, toWallMs } = query;
  const matches = holds(query.where);
  const budget = new QuestionBudget();
  const found: ResourceDifference[] = [];
  let { id: after } = placeOf(query.after);
  const pageUpTo = (): DifferencesPage => ({ differences: found, next: cursorOf({ id: after, validFromWallMs: 0 }) });
  while (budget.mayRead()) {
    const ids = await changedIds(sql, query, after);
    budget.noteRead(ids.length * 2);
    const [old, fresh] = [await versionsAt(sql, kind, ids, fromWallMs), await versionsAt(sql, kind, ids, toWallMs)];
    const all = ids.flatMap((id) => differenceOf(kind, id, old.get(id) ?? null, fresh.get(id) ?? null) ?? []);
    for (const one of bounded(() => all.filter(matches))) {
      if (found.length >= limit || !budget.takes(one)) return pageUpTo();
      found.push(one);
      after = one.id;
    }
    if (ids.length < BATCH) return { differences: found, next: null };
    after = ids.at(-1) ?? after;
  }
  return pageUpTo();
}
