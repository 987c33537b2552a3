import { type Clock, errorText, hasCode, isOperationError, type ResourcePages } from '@understudy/shared';
import { type Kind, type Scopes, SCOPES } from '../core/kinds/kind.ts';
import type { ClaimedDeed, CrawlName, CrawlReport, InventoryHistory, Writing } from '../history.ts';
import { untilAborted } from './until-aborted.ts';

export interface CrawlerOptions {
  readonly pages: ResourcePages;
  readonly history: InventoryHistory;
  readonly clock: Clock;
  /**
   * From the answer of one page to the question for the next. It is longer than AWS takes to fill
   * up the bucket again, so that a crawl never takes tokens that a recovery needs.
   */
  readonly paceMs: number;
  /** Crawls of a kind that are no further apart than this have no gap between them. */
  readonly gapMs: number;
  /** Hosted zones whose records are listed, target groups whose targets are. */
  readonly scopes: Scopes;
}

/** Who changed what, as far as it was heard lately. */
type DeedsOf = (kind: string) => readonly ClaimedDeed[];

/** What ended a listing before its last page. Null: nothing did. */
type Shortfall = string | null;

/**
 * Lists the resources of one kind, a page at a time, and has the history write what changed. One
 * page is under way at once.
 */
export class Crawler {
  readonly #options: CrawlerOptions;

  constructor(options: CrawlerOptions) {
    this.#options = options;
  }

  /**
   * A listing that fails in the middle is a partial crawl, and no error: what it saw counts, what
   * it did not see does not. `signal`: the term; nothing is written once it is over.
   * @throws LEASE_LOST, INVENTORY_SUPERSEDED, INVENTORY_STORE_UNAVAILABLE, INVENTORY_SCHEMA_REFUSED
   */
  async crawl(kind: Kind, by: Writing, signal: AbortSignal, deedsOf: DeedsOf = () => []): Promise<CrawlReport> {
    const { history, clock, gapMs } = this.#options;
    const atWallMs = clock.wallMs();
    const crawl = { crawl: `${by.term}-${Math.round(atWallMs)}`, kind: kind.name };
    const { rows, detail } = await this.#list(kind, crawl, signal);
    signal.throwIfAborted();
    const deeds = deedsOf(kind.name);
    const ended = { ...crawl, ...by, deeds, rows, atWallMs, gapMs, isComplete: detail === null, detail: detail ?? '' };
    return untilAborted(history.finish(ended), signal);
  }

  /** Every page of every scope: how many rows, and why it ended early, or null. */
  async #list(
    kind: Kind,
    crawl: CrawlName,
    signal: AbortSignal,
  ): Promise<{ readonly rows: number; readonly detail: Shortfall }> {
    const { history } = this.#options;
    const scopes = kind.scope === null ? [''] : this.#options.scopes[kind.scope];
    let detail: Shortfall = null;
    let rows = 0;
    for (const scope of scopes) {
      const found = await this.#listScope(kind, scope, signal, (page) => {
        rows += page.length;
        return untilAborted(history.page(crawl, scope, page), signal);
      });
      detail ??= found;
    }
    return { rows, detail };
  }

  async #listScope(
    kind: Kind,
    scope: string,
    signal: AbortSignal,
    keep: (rows: Parameters<InventoryHistory['page']>[2]) => Promise<void>,
  ): Promise<Shortfall> {
    const { pages, clock, paceMs } = this.#options;
    const within = kind.scope === null ? {} : { [SCOPES[kind.scope]]: scope };
    const listing = { ...kind.listing, input: { ...kind.listing.input, ...within } };
    try {
      for await (const rows of pages.pages(listing, { signal })) {
        await keep(rows);
        await clock.sleep(paceMs, signal);
      }
      return null;
    } catch (error) {
      if (signal.aborted || !isOperationError(error) || isOurs(error)) throw error;
      return `${scope === '' ? '' : `${scope}: `}${errorText(error)}`;
    }
  }
}

/** The history has failed, not the listing. */
const isOurs = (error: unknown): boolean =>
  (['INVENTORY_STORE_UNAVAILABLE', 'INVENTORY_SCHEMA_REFUSED', 'CONFIG_INVALID', 'LEASE_LOST'] as const).some((code) =>
    hasCode(error, code),
  );
