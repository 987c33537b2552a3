import type { Raw } from '@understudy/shared';
import type { CrawlReport, FinishedCrawl, InventoryHistory } from '../history.ts';

/** An instance in EC2's words. */
export const instanceRow = (id: string, more: Raw = {}): Raw => ({
  InstanceId: id,
  State: { Code: 16, Name: 'running' },
  Tags: [
    { Key: 'Name', Value: id },
    { Key: 'understudy:group', Value: 'db' },
  ],
  ...more,
});

/** A crawl of instances at a time. */
export async function crawlOf(
  history: InventoryHistory,
  atWallMs: number,
  rows: readonly Raw[],
  more: Partial<FinishedCrawl> = {},
): Promise<CrawlReport> {
  const kind = more.kind ?? 'instance';
  const crawl = { crawl: `1-${atWallMs}`, kind };
  await history.page(crawl, '', rows);
  return history.finish({
    ...{ term: 1, writer: 'c1', deeds: [], atWallMs, rows: rows.length, isComplete: true, detail: '', gapMs: 1_000 },
    ...{ ...crawl, ...more },
  });
}
