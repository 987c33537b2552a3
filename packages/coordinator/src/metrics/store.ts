import type { StoreAlarm } from '@understudy/shared';
import type { ClusterState } from '../store/cluster-state.ts';
import { type ReadAtScrape, secondsOf } from './read-at-scrape.ts';

const ALARMS: readonly StoreAlarm[] = ['NOSPACE', 'CORRUPT'];

export interface StoreMetricsSources {
  readonly view: Pick<ClusterState, 'isFresh' | 'contactAgeMs' | 'anomalies' | 'featureLevels'> & {
    readonly records: Pick<ClusterState['records'], 'unreadable'>;
  };
  readonly store: { readonly refusedCounts: ReadonlyMap<string, number> };
  readonly writes: { readonly alarms: readonly StoreAlarm[] };
  readonly isWritable: () => boolean;
}

/** What etcd does for us, and what we know of it. */
export function storeMetrics(declare: ReadAtScrape, { view, store, writes, isWritable }: StoreMetricsSources): void {
  declare.flag('understudy_store_fresh', 'Whether the view of etcd is fresh enough to act on (0 or 1)', () =>
    view.isFresh(),
  );
  declare.gauge(
    'understudy_store_contact_age_seconds',
    'Time since etcd last answered; absent before the first answer',
    () => secondsOf(view.contactAgeMs()),
  );
  declare.flag('understudy_store_writable', 'Whether etcd was lately proven to take our writes (0 or 1)', isWritable);
  declare.totals(
    'understudy_store_refusals_total',
    'Requests etcd refused, by code',
    'code',
    () => store.refusedCounts,
  );
  declare.gauges('understudy_store_alarms', 'Alarms raised in etcd (1 = raised)', 'alarm', () =>
    ALARMS.map((alarm) => [alarm, writes.alarms.includes(alarm) ? 1 : 0] as const),
  );
  declare.gauges(
    'understudy_feature_level',
    'Feature level: understood by this build, agreed on (absent: none yet), in force now',
    'which',
    () =>
      Object.entries(view.featureLevels()).flatMap(([which, level]) =>
        level === null ? [] : [[which, level] as const],
      ),
  );
  declare.total(
    'understudy_view_anomalies_total',
    'Times our view of etcd was found different from etcd',
    () => view.anomalies,
  );
  declare.gauge(
    'understudy_unreadable_records',
    'Records in etcd that do not fit their schema',
    () => view.records.unreadable.size,
  );
}
