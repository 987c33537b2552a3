import type { ClusterState } from '../store/cluster-state.ts';
import type { ReadAtScrape } from './read-at-scrape.ts';

export interface NoticeMetricsSources {
  readonly view: { readonly records: Pick<ClusterState['records'], 'outbox' | 'undelivered'> };
  readonly outbox: { readonly dropped: number };
}

/** What others are still to be told. */
export function noticeMetrics(declare: ReadAtScrape, { view, outbox }: NoticeMetricsSources): void {
  declare.gauge('understudy_notices_waiting', 'Notices that wait to be delivered', () => view.records.outbox.size);
  declare.gauge(
    'understudy_notices_undelivered',
    'Notices that were given up and are kept for an operator',
    () => view.records.undelivered.size,
  );
  declare.total(
    'understudy_notices_dropped_total',
    'Notices of this process that found no room and are lost',
    () => outbox.dropped,
  );
}
