import type { CrawlCounts } from '../inventory/inventory-keeping.ts';
import type { ReadAtScrape } from './read-at-scrape.ts';

/** What was crawled for the inventory history. `null`: none is kept, and nothing is shown. */
export function inventoryMetrics(declare: ReadAtScrape, counts: CrawlCounts | null): void {
  if (counts === null) return;
  declare.totals(
    'understudy_inventory_crawls_total',
    'Crawls of one kind of resource, by outcome (complete, partial, refused, failed)',
    'outcome',
    () => counts.crawls,
  );
  declare.totals(
    'understudy_inventory_versions_total',
    'Versions that crawls wrote, by what happened (opened, changed, gone)',
    'change',
    () => counts.versions,
  );
  declare.total(
    'understudy_inventory_spared_total',
    'Reads of readiness that need not be asked of EC2, because a crawl had just answered them',
    () => counts.spared(),
  );
  declare.gauge('understudy_inventory_round_seconds', 'Duration of the last round over all kinds', () =>
    counts.lastRoundMs === null ? null : counts.lastRoundMs / 1_000,
  );
}
