import { invariant, OperationError, type Raw } from '@understudy/shared';
import { kindNamed } from '../core/kinds/registered.ts';
import type { Kind } from '../core/kinds/kind.ts';
import type { Version } from '../core/version.ts';
import type {
  Compacted,
  CrawlName,
  CrawlReport,
  DifferenceQuery,
  DifferencesPage,
  FinishedCrawl,
  HistoryQuery,
  HistoryStanding,
  InventoryHistory,
  Retention,
  VersionsPage,
  Writing,
} from '../history.ts';
import { compactVersions } from './compaction.ts';
import { migrate } from './migrate.ts';
import { readDifferences } from './read-differences.ts';
import { readStanding } from './read-standing.ts';
import { readVersions } from './read-versions.ts';
import type { Sql } from './sql.ts';
import { StagedCrawl } from './staged-crawl.ts';
import { writeCrawl } from './write-crawl.ts';
import { assertNewest } from './writer-guard.ts';

/** Crawls whose pages are kept at once. There is one crawler; more were abandoned. */
const STAGED_MAX = 2;

const kindOf = (name: string): Kind => {
  const kind = kindNamed(name);
  if (kind === null) throw new OperationError('INVENTORY_QUERY_INVALID', `${name}: no kind of resource`);
  return kind;
};

/** A history in an SQL database. */
export class SqlHistory implements InventoryHistory {
  readonly #sql: Sql;
  readonly #staged = new Map<string, StagedCrawl>();

  private constructor(sql: Sql) {
    this.#sql = sql;
  }

  /**
   * Brings the schema to this build's first.
   * @throws INVENTORY_SCHEMA_REFUSED, INVENTORY_STORE_UNAVAILABLE
   */
  static async over(sql: Sql): Promise<SqlHistory> {
    await migrate(sql);
    return new SqlHistory(sql);
  }

  async page({ crawl, kind }: CrawlName, scope: string, rows: readonly Raw[]): Promise<void> {
    const name = `${crawl} ${kind}`;
    const staged = this.#staged.get(name) ?? new StagedCrawl(kindOf(kind));
    staged.add(rows, scope);
    this.#staged.set(name, staged);
    const [oldest] = this.#staged.keys();
    if (this.#staged.size > STAGED_MAX && oldest !== undefined) this.#staged.delete(oldest);
  }

  async finish(crawl: FinishedCrawl): Promise<CrawlReport> {
    const staged = this.#staged.get(`${crawl.crawl} ${crawl.kind}`) ?? new StagedCrawl(kindOf(crawl.kind));
    if (staged.rows !== crawl.rows)
      throw new OperationError(
        'INVENTORY_STORE_UNAVAILABLE',
        `${crawl.kind}: ${staged.rows} of ${crawl.rows} rows of the crawl are here; the others were lost`,
      );
    const report = await this.#sql.transaction((sql) => writeCrawl(sql, this.#sql.dialect, crawl, staged.resources));
    await this.drop(crawl);
    return report;
  }

  async drop({ crawl, kind }: CrawlName): Promise<void> {
    this.#staged.delete(`${crawl} ${kind}`);
  }

  async versions(query: HistoryQuery): Promise<VersionsPage> {
    kindOf(query.kind);
    return readVersions(this.#sql, query);
  }

  async version(kind: string, id: string, atWallMs: number | null): Promise<Version> {
    const page = { kind, id, where: [], after: null, limit: 1 };
    const found = await this.versions({ ...page, span: { kind: 'at', atWallMs } });
    const [version] = found.versions;
    if (version !== undefined) return version;
    throw await this.#absent(kind, id, atWallMs);
  }

  async #absent(kind: string, id: string, atWallMs: number | null): Promise<OperationError> {
    const ever = { kind: 'valid', fromWallMs: 0, toWallMs: Number.MAX_SAFE_INTEGER } as const;
    const { versions } = await this.versions({ kind, id, span: ever, where: [], after: null, limit: 1 });
    const [first] = versions;
    if (first === undefined) return new OperationError('INVENTORY_UNKNOWN', `${kind} ${id} was never seen`);
    const at = (wallMs: number): string => new Date(wallMs).toISOString();
    if (atWallMs !== null && first.validFromWallMs > atWallMs)
      return new OperationError('INVENTORY_UNKNOWN', `${kind} ${id} was first seen at ${at(first.validFromWallMs)}`);
    const rows = await this.#sql.all(
      'SELECT MAX(valid_to) AS ended FROM inventory_versions WHERE kind = $1 AND id = $2 AND valid_to <= $3',
      [kind, id, atWallMs ?? Number.MAX_SAFE_INTEGER],
    );
    return new OperationError('INVENTORY_GONE', `${kind} ${id} is gone since ${at(Number(rows[0]?.ended))}`);
  }

  async differences(query: DifferenceQuery): Promise<DifferencesPage> {
    kindOf(query.kind);
    return readDifferences(this.#sql, query);
  }

  standing(): Promise<HistoryStanding> {
    return readStanding(this.#sql);
  }

  async compact(retention: Retention, by: Writing, nowWallMs: number): Promise<Compacted> {
    invariant(retention.keptMs > 0, 'a history is kept for a while');
    const compacted = await this.#sql.transaction(async (sql) => {
      await assertNewest(sql, this.#sql.dialect, by);
      return compactVersions(sql, retention, nowWallMs);
    });
    if (compacted.removed > 0) await this.#sql.tidy();
    return compacted;
  }

  close(): Promise<void> {
    return this.#sql.close();
  }
}
