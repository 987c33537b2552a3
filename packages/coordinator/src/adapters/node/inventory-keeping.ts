import type { RecentRows } from '@understudy/aws';
import { Crawler, type HistoryPlace, HistoryThread } from '@understudy/inventory';
import type { Clock, Cloud, ResourcePages } from '@understudy/shared';
import type { InventoryConfig } from '../../inventory/inventory-config.ts';
import { CrawlCounts, type InventoryKeeping } from '../../inventory/inventory-keeping.ts';

/** Rounds that may be left out until there is a gap in the history. */
const ROUNDS_PER_GAP = 3;
/** What a round takes at most, as far as gaps are concerned. */
const ROUND_MS = 600_000;

interface SeenByCrawls {
  readonly pages: ResourcePages;
  readonly recent: RecentRows;
  readonly seen: Cloud;
}

/** Builds what keeps an inventory history. Nothing is opened before the first crawl or question. */
export function inventoryKeeping(
  place: HistoryPlace,
  settings: InventoryConfig,
  { pages, recent, seen }: SeenByCrawls,
  clock: Clock,
): InventoryKeeping {
  const history = new HistoryThread(place, clock);
  const { paceMs, hostedZones, targetGroups, everyMs } = settings;
  const scopes = { 'hosted-zone': hostedZones, 'target-group': targetGroups };
  const gapMs = everyMs * ROUNDS_PER_GAP + ROUND_MS;
  return {
    ...{ history, settings, recent, seen, counts: new CrawlCounts(() => recent.answered) },
    crawler: new Crawler({ ...{ pages, history, clock, paceMs, gapMs, scopes } }),
  };
}
