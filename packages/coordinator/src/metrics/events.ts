import type { EventCounts } from '../hints/event-counts.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import { type ReadAtScrape, secondsOf } from './read-at-scrape.ts';

export interface EventMetricsView {
  readonly records: Pick<ClusterState['records'], 'deeds'>;
}

/** Events that were read from the queue while this process led. */
export function eventMetrics(declare: ReadAtScrape, counts: EventCounts, view: EventMetricsView): void {
  declare.totals('understudy_events_received_total', 'Events received, by type', 'type', () => counts.received);
  declare.totals(
    'understudy_events_dropped_total',
    'Messages that led to no look, by reason (unreadable, unknown, nobodys, refused, no-look)',
    'reason',
    () => counts.dropped,
  );
  declare.total('understudy_events_repeated_total', 'Events that had come before', () => counts.repeated);
  declare.total('understudy_events_looks_total', 'Instances looked at because of events', () => counts.looks);
  declare.total(
    'understudy_events_looks_failed_total',
    'Instances that EC2 did not answer for when an event named them',
    () => counts.failedLooks,
  );
  declare.total(
    'understudy_events_look_seconds_total',
    'Time that looks because of events took, summed over instances',
    () => counts.lookMs / 1_000,
  );
  declare.gauge('understudy_events_age_seconds', 'How long the newest message was in the queue', () =>
    secondsOf(counts.ageMs),
  );
  declare.gauge(
    'understudy_event_deeds_waiting',
    'Deeds told by CloudTrail that wait in etcd for the history they may explain',
    () => [...view.records.deeds.values()].reduce((sum, { record }) => sum + record.kept.length, 0),
  );
}
