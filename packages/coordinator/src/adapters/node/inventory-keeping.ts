import { Crawler, type HistoryPlace, HistoryThread } from '@understudy/inventory';
import type { Clock, ResourcePages } from '@understudy/shared';
import type { InventoryConfig } from '../../inventory/inventory-config.ts';
import { CrawlCounts, type InventoryKeeping } from '../../inventory/inventory-keeping.ts';

/** Rounds that may be left out until there is a gap in the history. */
const ROUNDS_PER_GAP = 3;
/** What a round takes at most, as far as gaps are concerned. */
const ROUND_MS = 600_000;

/** Builds what keeps an inventory history. Nothing is opened before the first crawl or question. */
export function inventoryKeeping(
  place: HistoryPlace,
  settings: InventoryConfig,
  pages: ResourcePages,
  clock: Clock,
): InventoryKeeping {
  const history = new HistoryThread(place, clock);
  const { paceMs, hostedZones, everyMs } = settings;
  const gapMs = everyMs * ROUNDS_PER_GAP + ROUND_MS;
  return {
    ...{ history, settings, counts: new CrawlCounts() },
    crawler: new Crawler({ ...{ pages, history, clock, paceMs, gapMs, hostedZones } }),
  };
}
