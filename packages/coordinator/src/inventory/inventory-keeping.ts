import type { RecentRows } from '@understudy/aws';
import type { Crawler, InventoryHistory } from '@understudy/inventory';
import type { Cloud } from '@understudy/shared';
import type { InventoryConfig } from './inventory-config.ts';

/** What keeps an inventory history, where one is kept. */
export interface InventoryKeeping {
  readonly history: InventoryHistory;
  readonly crawler: Pick<Crawler, 'crawl'>;
  readonly settings: Pick<InventoryConfig, 'everyMs' | 'keptMs' | 'versionsMax' | 'hostedZones' | 'targetGroups'>;
  readonly counts: CrawlCounts;
  /** What crawls saw lately of what is looked at again and again. */
  readonly recent: RecentRows;
  /** **S** EC2, but for what is in `recent`: never for what decides. */
  readonly seen: Cloud;
}

/** What this process has crawled since its start, for the metrics. */
export class CrawlCounts {
  /** Outcome (`complete`, `partial`, `refused`, `failed`) → crawls of one kind. */
  readonly crawls = new Map<string, number>();
  /** `opened`, `changed`, `gone` → versions. */
  readonly versions = new Map<string, number>();
  /** The last round over all kinds, ms. Null: there was none. */
  lastRoundMs: number | null = null;
  /** Reads that need not be asked, because a crawl had just answered them. */
  readonly spared: () => number;

  constructor(spared: () => number = () => 0) {
    this.spared = spared;
  }

  crawled(outcome: string): void {
    this.crawls.set(outcome, (this.crawls.get(outcome) ?? 0) + 1);
  }

  wrote(what: string, count: number): void {
    this.versions.set(what, (this.versions.get(what) ?? 0) + count);
  }
}
